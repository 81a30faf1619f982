"""`vivid-bench study simulate`: answers by raters whose preferences are known, to rehearse with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from vivid_bench.study.simulate import Truth
    from vivid_bench.study.types import StudyKey

MAX_STRENGTH = 10.0


def simulate(
    study: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `study build` made.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.json", help="Where the answers go.")],
    strength: Annotated[
        list[str] | None,
        typer.Option(
            "--strength",
            metavar="METHOD=VALUE",
            help="A method's strength in log odds, may be repeated; by default 0.5 apart in a random order.",
        ),
    ] = None,
    rater_sd: Annotated[
        float, typer.Option("--rater-sd", min=0, max=10, help="How much raters' tastes differ, log odds.")
    ] = 0.5,
    sample_sd: Annotated[
        float, typer.Option("--sample-sd", min=0, max=10, help="How much methods differ from video to video.")
    ] = 0.5,
    slips: Annotated[
        float, typer.Option("--slips", min=0, max=1, help="Share of questions answered the wrong way round.")
    ] = 0.02,
    cheaters: Annotated[
        int, typer.Option("--cheaters", min=0, help="Raters who click at random, always alike, or too fast, in turn.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn at random.")] = 0,
) -> None:
    """Answer a study as raters with known preferences would, and print the truth that an analysis should find.

    The answers are marked as simulated, and whatever is computed from them says so.
    """
    import numpy as np

    from vivid_bench.cli.console import out as console
    from vivid_bench.study.answers import write_answers
    from vivid_bench.study.saved import read_key
    from vivid_bench.study.simulate import Truth, choose_cheaters
    from vivid_bench.study.simulate import simulate as simulate_raters
    from vivid_bench.study.types import AnswersPayload

    key = read_key(study)
    rng = np.random.default_rng(seed)
    truth = Truth(
        strengths=_strengths(key, strength or [], rng),
        rater_sd=rater_sd,
        sample_sd=sample_sd,
        slips=slips,
        cheaters=choose_cheaters(key, cheaters, rng),
    )
    write_answers(out, AnswersPayload(study=key.study, raters=simulate_raters(key, truth, rng)))
    _print_truth(key, truth)
    console.print(f"{out}: simulated answers of {len(key.raters)} raters", soft_wrap=True)


def _strengths(key: StudyKey, given: list[str], rng: np.random.Generator) -> dict[str, float]:
    """Return a strength for every method of the study, those given and evenly spaced ones for the others."""
    import math

    from vivid_bench.errors import UnknownNameError, VividBenchError
    from vivid_bench.study.simulate import even_strengths

    methods = sorted({run.method for run in key.runs})
    strengths = even_strengths(methods, rng)
    for text in given:
        name, _, value = text.rpartition("=")
        try:
            number = float(value) if name else math.nan
        except ValueError:
            number = math.nan
        if not abs(number) <= MAX_STRENGTH:
            raise VividBenchError(f"--strength {text}: expected METHOD=VALUE, a number from -10 to 10")
        if name not in strengths:
            raise UnknownNameError("method of the study", name, methods)
        strengths[name] = number
    return strengths


def _print_truth(key: StudyKey, truth: Truth) -> None:
    """Print strengths beside what endless honest raters and samples would show, and who cheats."""
    from vivid_bench.cli.console import out, print_rows
    from vivid_bench.study.population import expected_ratings, expected_shares

    heading = "expected rating" if key.design == "rating" else "expected wins %"
    rows = []
    for suite, task in dict.fromkeys((run.suite, run.task) for run in key.runs):
        methods = [run.method for run in key.runs if (run.suite, run.task) == (suite, task)]
        strengths = [truth.strengths[method] for method in methods]
        if key.design == "rating":
            shown = [f"{rating:.2f}" for rating in expected_ratings(strengths, truth)]
        else:
            shares = expected_shares(strengths, truth, key.ties)
            shown = [f"{100 * (share.sum() - 0.5) / (len(methods) - 1):.1f}" for share in shares]
        table = sorted(zip(strengths, methods, shown, strict=True), reverse=True)
        rows += [[method, suite, task, f"{value:+.2f}", figure] for value, method, figure in table]
    print_rows("the truth of the simulation", ["method", "suite", "task", "strength", heading], rows)
    out.print(
        f"rater sd {truth.rater_sd:g}, sample sd {truth.sample_sd:g}, slips {truth.slips:.0%}; cheaters: "
        + (", ".join(f"{rater} ({kind})" for rater, kind in truth.cheaters.items()) or "none"),
        soft_wrap=True,
    )
