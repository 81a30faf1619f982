"""`vivid-bench data build`: a suite of one's own from raw video."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.build.pipeline import Built
    from vivid_bench.build.settings import BuildSettings

STAGE_NAMES = "clips|entities|tracks|captions|samples"
_OPTIONS = {"selector": "entities", "propagator": "propagation", "captioner": "captions"}
"""Settings whose options are called otherwise."""


def build(
    videos: Annotated[
        Path,
        typer.Option(
            "--videos",
            metavar="DIR",
            help="Videos, with a caption in NAME.txt beside NAME.mp4; or folders <id>/source.* + mask.* "
            "[+ caption.txt], whose masks are then the entities.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The suite's folder; a build goes on there.")],
    task: opt.TaskOption = "delete",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn at random.")] = 0,
    name: Annotated[str | None, typer.Option("--name", help="The suite's name; by default its folder's.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Of the videos, for the suite and its card.")] = None,
    frames: Annotated[int, typer.Option("--frames", min=1, help="Of every clip.")] = 49,
    side: Annotated[int, typer.Option("--side", min=32, help="Shorter side in pixels; nothing is enlarged.")] = 480,
    clips: Annotated[int, typer.Option("--clips", min=1, help="At most so many clips a video.")] = 1,
    masks: Annotated[int, typer.Option("--masks", min=1, help="At most so many samples a clip and task.")] = 1,
    entities: Annotated[
        str, typer.Option("--entities", metavar="motion|grounding-dino", help="What finds entities.")
    ] = "motion",
    tags: Annotated[
        str | None, typer.Option("--tags", metavar="TAG[,TAG…]", help="What grounding-dino looks for.")
    ] = None,
    propagation: Annotated[
        str, typer.Option("--propagation", metavar="flow|sam2", help="What follows masks through a clip.")
    ] = "flow",
    captions: Annotated[
        str, typer.Option("--captions", metavar="text|vlm", help="Your texts, or a vision-language model.")
    ] = "text",
    detail: Annotated[
        str, typer.Option("--detail", metavar="short|medium|long", help="Which of a model's captions is the prompt.")
    ] = "medium",
    motion: Annotated[
        str, typer.Option("--motion", metavar="dis|raft", help="What measures the background's motion.")
    ] = "dis",
    detector: Annotated[
        str | None, typer.Option("--detector", metavar="MODEL", help="Grounding DINO: a folder or a hub name.")
    ] = None,
    segmenter: Annotated[
        str | None, typer.Option("--segmenter", metavar="MODEL", help="SAM: a folder or a hub name.")
    ] = None,
    tracker: Annotated[
        str | None, typer.Option("--tracker", metavar="MODEL", help="SAM 2: a folder or a hub name.")
    ] = None,
    captioner: Annotated[
        str | None, typer.Option("--captioner", metavar="MODEL", help="Vision-language model: a folder or a hub name.")
    ] = None,
    raft: Annotated[Path | None, typer.Option("--raft", metavar="FILE", help="torchvision's RAFT weights.")] = None,
    device: opt.Device = "auto",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes; with models on a GPU, one.")] = 1,
    until: Annotated[
        str, typer.Option("--until", metavar=STAGE_NAMES, help="Stop after this stage; its results lie in DIR/work.")
    ] = "samples",
    json: opt.Json = False,
) -> None:
    """Build a suite from raw video by VIVID-10M's pipelines; the clip itself is every sample's exact reference."""
    from vivid_bench.build.pipeline import build_suite
    from vivid_bench.build.work import STAGES
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.errors import UnknownNameError, VividBenchError
    from vivid_bench.suites import DATA_SUITES, parse_tasks, suite_folders

    name = name or out.resolve().name
    if name in (*suite_folders(), *DATA_SUITES):
        raise VividBenchError(f"--name: a suite called {name} is there already; choose another name or another --out")
    if until not in STAGES:
        raise UnknownNameError("stage", until, STAGES)
    models = {"detector": detector, "segmenter": segmenter, "tracker": tracker, "captioner": captioner, "raft": raft}
    settings = _settings(
        name=name, tasks=parse_tasks(task), seed=seed, frames=frames, side=side,
        clips_per_video=clips, masks_per_clip=masks, selector=entities, propagator=propagation, captioner=captions,
        detail=detail, motion=motion, licence=licence, tags=_tags(tags), device=_device(device, entities, propagation,
        captions, motion), models={key: value for key, value in models.items() if value is not None},
    )  # fmt: skip
    built = build_suite(videos, out, settings, ConsoleReporter(), workers, until)
    _report(built, out, until == STAGES[-1], json)
    if until == STAGES[-1] and not built.n_samples:
        raise typer.Exit(1)


def _settings(**values: Any) -> BuildSettings:
    from pydantic import ValidationError

    from vivid_bench.build.settings import BuildSettings
    from vivid_bench.errors import VividBenchError

    try:
        return BuildSettings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = str(first["loc"][0])
        expected = "letters, digits, `.`, `_` and `-` alone" if where == "name" else first["msg"]
        raise VividBenchError(f"--{_OPTIONS.get(where, where)}: {expected}, found {first['input']!r}") from error


def _tags(text: str | None) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(",") if tag.strip()) if text else ()


def _device(asked: str, *parts: str) -> str:
    with_models = {"grounding-dino", "sam2", "vlm", "raft"} & set(parts)
    if not with_models and asked in ("auto", "cpu"):
        return "cpu"  # torch, which takes seconds to load, need not be asked
    from vivid_bench.machine import resolve_device

    return resolve_device(asked)


def _report(built: Built, out: Path, is_whole: bool, json: bool) -> None:
    from vivid_bench.cli.console import out as console
    from vivid_bench.cli.console import print_json, print_rows

    counts: dict[str, int] = {}
    for reject in (*built.rejects, *(r for result in built.results for r in result.rejects)):
        counts[f"{reject.stage}: {reject.reason}"] = counts.get(f"{reject.stage}: {reject.reason}", 0) + 1
    rates = {stage: (seconds, built.timing.frames[stage]) for stage, seconds in built.timing.seconds.items()}
    if json:
        timing = {stage: {"seconds": round(s, 3), "frames": n} for stage, (s, n) in rates.items()}
        print_json({"suite": str(out), "samples": built.n_samples, "rejects": counts, "timing": timing})
        return
    rows = [(stage, f"{s:.1f}", f"{n}", f"{n / s:.1f}" if s >= 0.05 and n else "–") for stage, (s, n) in rates.items()]
    if rows:
        print_rows("time", ("stage", "seconds", "frames", "frames a second"), rows)
    if counts:
        print_rows("rejected", ("reason", "count"), [(reason, str(n)) for reason, n in sorted(counts.items())])
    if is_whole:
        what = "what is in it" if built.n_samples else "why there are none"
        console.print(f"{built.n_samples} samples in {out}; {out / 'card' / 'README.md'} says {what}", soft_wrap=True)
        if built.n_samples:
            console.print(f"next: vivid-bench run --method all --task all --suite {quote(str(out))}", soft_wrap=True)
    else:
        console.print(f"stopped as asked; what the stages made lies in {out / 'work'}")
