"""The plan of a study in words, for the lab alone: what is compared how often, what that can show, and the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from vivid_bench.escaping import markdown
from vivid_bench.study.design import ATTENTION_ITEMS, REPEATS
from vivid_bench.study.power import detectable, detectable_rating
from vivid_bench.study.simulate import RATER_SD, SAMPLE_SD
from vivid_bench.study.texts import QUESTION_WORDS
from vivid_bench.study.types import Design, Item, StudyKey, StudyRun

_DESIGN_WORDS: dict[Design, str] = {
    "pairwise": "pairs: two clips side by side, which one is better",
    "rating": "ratings: one clip at a time, from 1 to 5",
    "ranking": "rankings: all methods of a task on one screen, from best to worst",
}
_FAILED_WORDS: dict[Design, str] = {
    "pairwise": "is preferred, or called equal,",
    "rating": "is rated above 2",
    "ranking": "does not come last",
}


def plan_text(key: StudyKey, left_out: Sequence[str]) -> str:
    """Return the content of `plan.md`.

    Args:
        key: of the study. The plan names methods, so it stays with the lab as the key does.
        left_out: what does not take part and why, a sentence each.
    """
    parts = [
        f"# Study {key.study}: the plan",
        "This file names methods. It stays with the lab, as `key.json` does; raters get their packet and nothing else.",
        *_what(key),
        "## What each comparison gets",
        _found_how(key),
        *_tables(key),
        "## Checks and exclusions, set before anyone has answered",
        *_rules(key),
        "## Sending it out",
        *_sending(key),
        "## Left out",
        _bullets(left_out) if left_out else "Nothing.",
    ]
    return "\n\n".join(parts) + "\n"


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {markdown(line)}" for line in lines)


def _scored(key: StudyKey) -> Iterator[tuple[str, Item]]:
    """Yield each scored item and its rater."""
    for plan in key.raters:
        for item in plan.items:
            if item.kind == "scored":
                yield plan.rater, item


def _what(key: StudyKey) -> Iterator[str]:
    per_rater = sum(item.kind == "scored" for item in key.raters[0].items)
    yield "## What is asked"
    ties = ""
    if key.design == "pairwise":
        ties = "; ties may be called" if key.ties else "; one must be chosen, there are no ties"
    yield f"Design: {_DESIGN_WORDS[key.design]}{ties}."
    yield "\n".join(f"- {question}: {QUESTION_WORDS[key.design][question]}" for question in key.questions)
    yield (
        f"{len(key.raters)} raters answer {per_rater} scored items each, {len(key.raters) * per_rater} in all, and "
        f"beside them {ATTENTION_ITEMS} attention checks, {REPEATS} repeated items and a training item. "
        f"Seed {key.seed}."
    )
    deadline = "There is no deadline." if key.deadline is None else f"Answers count until {key.deadline}, UTC."
    yield f"{deadline} Where methods did not see what the mask covers, raters do not see it in the source either."


def _found_how(key: StudyKey) -> str:
    what = "difference of two methods' mean ratings" if key.design == "rating" else "share of wins, against 50 %,"
    return (
        f"Detectable is the smallest {what} that is found with a probability of 80 % or more at a level of 5 %, "
        "shared among all pairs of the task. Samples of one source video count as one. No study knows beforehand how "
        f"much tastes differ: this assumes a standard deviation of {RATER_SD:g} log odds from rater to rater and of "
        f"{SAMPLE_SD:g} from video to video. Judgements are counted for each question, before anyone is excluded."
    )


def _tables(key: StudyKey) -> Iterator[str]:
    for suite, task in dict.fromkeys((run.suite, run.task) for run in key.runs):
        runs = [index for index, run in enumerate(key.runs) if (run.suite, run.task) == (suite, task)]
        samples = sum((sample.suite, sample.task) == (suite, task) for sample in key.samples)
        yield f"### {markdown(suite)}, {task}: {len(runs)} methods, {samples} samples"
        yield from _made_how(key.runs[runs[0]])
        yield _table(key, runs)


def _made_how(run: StudyRun) -> Iterator[str]:
    """Say what the runs of a task share that an answer depends on."""
    if run.composite != "none":
        yield f"The source was pasted back outside the mask of every edit (composite {run.composite})."
    if run.keyframes is not None:
        frames = "by sample" if run.keyframes == "by sample" else ", ".join(map(str, run.keyframes))
        yield f"Methods that take keyframes were given the reference there ({frames}); raters see these frames, too."


def _table(key: StudyKey, runs: Sequence[int]) -> str:
    n_pairs = len(runs) * (len(runs) - 1) // 2
    compared = [(run,) for run in runs] if key.design == "rating" else list(combinations(runs, 2))
    lines = ["| comparison | judgements | raters | samples | source videos | detectable |", "|---|---|---|---|---|---|"]
    scored = list(_scored(key))
    for those in compared:
        of = [(rater, item.sample) for rater, item in scored if set(those) <= set(item.shown)]
        raters, samples = {rater for rater, _ in of}, {sample for _, sample in of}
        videos = {key.samples[sample].source_video for sample in samples}
        name = " – ".join(markdown(key.runs[run].method) for run in those)
        # By source videos, as the analysis counts: clips of one video may well be judged alike.
        found = _detectable(key.design, len(of), len(raters), len(videos), n_pairs)
        lines.append(f"| {name} | {len(of)} | {len(raters)} | {len(samples)} | {len(videos)} | {found} |")
    return "\n".join(lines)


def _detectable(design: Design, judgements: int, raters: int, videos: int, comparisons: int) -> str:
    if design == "rating":
        difference = detectable_rating(judgements, raters, videos, comparisons=comparisons)
        return "none: too few" if difference is None else f"{difference:.2f} points"
    found = detectable(judgements, raters, videos, comparisons=comparisons)
    if found.share is None or found.strength is None:
        return "none: too few"
    return f"{100 * found.share:.0f} % of wins ({found.strength:.2f} log odds)"


def _rules(key: StudyKey) -> Iterator[str]:
    rules = key.rules
    yield "A rater is left out of every figure, and named with the reason, who"
    yield "\n".join(
        (
            f"- fails {rules.failed_checks} attention checks or more. A check shows a broken clip, and is failed when "
            f"that clip {_FAILED_WORDS[key.design]} under at least half of the questions;",
            f"- answers more than {100 * rules.too_fast_share:g} % of the scored items in less time than the clip "
            "takes to play once;",
            f"- gives one and the same answer, other than a tie, in at least {100 * rules.same_answer_share:g} % of "
            f"the answers to {rules.same_answer_min} scored items or more.",
        )
    )
    yield (
        "The training item counts for nothing. Repeated items tell how often raters agree with themselves; nobody is "
        "excluded by them."
    )


def _sending(key: StudyKey) -> Iterator[str]:
    last = key.raters[-1].rater
    yield (
        f"By files: `packets/{key.raters[0].rater}` to `packets/{last}` are one folder a rater. Zip each folder and "
        "send it to one person, who unpacks it, opens `index.html` in a browser, and sends the answers file back that "
        "the page saves at the end. By server: `vivid-bench study serve` with this folder prints a link for each rater."
    )
    yield (
        "Never send `key.json` or this file: they tell who made which clip. Which person is which rater is nobody's "
        "business but yours, and is kept nowhere here."
    )
