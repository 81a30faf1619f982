"""Raters with known preferences, noise and some cheaters, so that a study can be rehearsed and its analysis checked.

A rater's utility of an edit is the method's strength, plus the rater's own taste for the method, plus the sample's own
effect on the method. Pairs are decided by the logistic of the difference of utilities; rankings by utilities with
Gumbel noise (Plackett-Luce), whose pairs are logistic too; ratings by a utility with logistic noise, cut into five.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import UnknownNameError, VividBenchError
from vivid_bench.study.judgements import video_numbers
from vivid_bench.study.types import Answer, Item, Question, RaterAnswers, RaterPlan, StudyKey, Value

Cheat = Literal["random", "same", "fast"]
CHEATS: tuple[Cheat, ...] = get_args(Cheat)

RATER_SD = 0.5
SAMPLE_SD = 0.5
SLIPS = 0.02
SPACING = 0.5
"""Log odds between neighbouring methods when no strengths are given."""

RATING_CUTS = (-2.25, -0.75, 0.75, 2.25)
"""Utilities at which one rating ends and the next begins; a utility of 0 is a 3."""

UTILITY_OF_BROKEN = -30.0
"""So low that no noise brings the broken clip up."""

STARTED = datetime(2000, 1, 1, 9, tzinfo=UTC)
"""When simulated raters begin: no real date, and before any deadline."""

Utilities = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What simulated raters think, and how they go wrong.

    Attributes:
        strengths: method -> its strength in natural log odds, the same under every question and task.
        rater_sd: standard deviation of a rater's own taste for a method, log odds.
        sample_sd: standard deviation of a sample's own effect on a method, log odds, one for all of a source video.
        tie_width: a pair whose noisy utilities differ by less is called a tie, where the study has ties.
        slips: share of questions, 0 to 1, answered the wrong way round by mistake.
        cheaters: rater -> how it cheats: `random` clicks at a plausible pace, `same` gives one answer throughout,
            `fast` clicks at random before the clip has played.
    """

    strengths: Mapping[str, float]
    rater_sd: float = RATER_SD
    sample_sd: float = SAMPLE_SD
    tie_width: float = 0.5
    slips: float = SLIPS
    cheaters: Mapping[str, Cheat] = field(default_factory=dict)


def even_strengths(methods: Sequence[str], rng: np.random.Generator) -> dict[str, float]:
    """Return strengths `SPACING` apart with mean 0, in an order drawn at random."""
    places = rng.permutation(len(methods)) - (len(methods) - 1) / 2
    return {method: SPACING * float(place) for method, place in zip(methods, places, strict=True)}


def choose_cheaters(key: StudyKey, n: int, rng: np.random.Generator) -> dict[str, Cheat]:
    """Return `n` raters drawn at random, with the kinds of cheating in turn.

    Raises:
        VividBenchError: for fewer than 0 or more than there are raters.
    """
    if not 0 <= n <= len(key.raters):
        raise VividBenchError(f"expected 0 to {len(key.raters)} cheaters, got {n}: the study has no more raters")
    chosen = sorted(rng.choice(len(key.raters), n, replace=False).tolist())
    return {key.raters[index].rater: CHEATS[i % len(CHEATS)] for i, index in enumerate(chosen)}


def simulate(key: StudyKey, truth: Truth, rng: np.random.Generator) -> tuple[RaterAnswers, ...]:
    """Return all raters' answers to all their items but the training item, marked as simulated.

    Attention items are judged like any other: the broken clip loses but for slips.

    Raises:
        UnknownNameError: for a method of the study without a strength.
    """
    missing = [run.method for run in key.runs if run.method not in truth.strengths]
    if missing:
        raise UnknownNameError("strength of method", missing[0], truth.strengths)
    methods = sorted({run.method for run in key.runs})
    runs = [methods.index(run.method) for run in key.runs]
    strengths = np.array([truth.strengths[method] for method in methods])
    videos = video_numbers(key)
    effects = rng.normal(0.0, truth.sample_sd, (videos.max() + 1, len(methods)))[videos]
    tastes = rng.normal(0.0, truth.rater_sd, (len(key.raters), len(methods)))
    # By sample and run, the broken clip behind the last run.
    known = np.full((len(key.raters), len(key.samples), len(runs) + 1), UTILITY_OF_BROKEN)
    known[..., :-1] = (strengths + effects + tastes[:, None])[..., runs]
    return tuple(_rater(key, plan, truth, utilities, rng) for plan, utilities in zip(key.raters, known, strict=True))


def _rater(
    key: StudyKey, plan: RaterPlan, truth: Truth, utilities: Utilities, rng: np.random.Generator
) -> RaterAnswers:
    """Return one rater's answers, from the rater's utilities by sample and run."""
    cheat = truth.cheaters.get(plan.rater)
    habits = {n: _at_random(key, n, rng) for n in sorted({len(item.shown) for item in plan.items})}
    answers, at = [], STARTED
    for item in plan.items:
        if item.kind == "training":
            continue
        values: dict[Question, Value] = {}
        for question in key.questions:
            if cheat == "same":
                values[question] = habits[len(item.shown)]
            elif cheat:
                values[question] = _at_random(key, len(item.shown), rng)
            else:
                values[question] = _judged(key, truth, _shown(utilities, item), rng)
        seconds = _seconds(key.clip_seconds[item.sample], len(key.questions), cheat == "fast", rng)
        at += timedelta(seconds=seconds)
        answers.append(Answer(item=item.id, values=values, seconds=seconds, at=at.isoformat()))
    return RaterAnswers(rater=plan.rater, packet=plan.packet, finished=True, simulated=True, answers=tuple(answers))


def _shown(utilities: Utilities, item: Item) -> Utilities:
    return utilities[item.sample, [-1 if run is None else run for run in item.shown]]


def _judged(key: StudyKey, truth: Truth, utilities: Utilities, rng: np.random.Generator) -> Value:
    """Return an honest rater's answer, or now and then its reverse."""
    value = _opinion(key, truth, utilities, rng)
    return _reversed(value, key) if rng.random() < truth.slips else value


def _opinion(key: StudyKey, truth: Truth, utilities: Utilities, rng: np.random.Generator) -> Value:
    if key.design == "rating":
        return 1 + int(np.searchsorted(RATING_CUTS, utilities[0] + rng.logistic()))
    if key.design == "ranking":
        order = np.argsort(-(utilities + rng.gumbel(size=len(utilities))))
        return tuple((order + 1).tolist())
    difference = utilities[0] - utilities[1] + rng.logistic()
    if key.ties and abs(difference) < truth.tie_width:
        return "tie"
    return 1 if difference > 0 else 2


def _reversed(value: Value, key: StudyKey) -> Value:
    if isinstance(value, tuple):
        return value[::-1]
    if isinstance(value, int):
        return (6 if key.design == "rating" else 3) - value
    return value


def _at_random(key: StudyKey, n_places: int, rng: np.random.Generator) -> Value:
    if key.design == "rating":
        return int(rng.integers(1, 6))
    if key.design == "ranking":
        return tuple((rng.permutation(n_places) + 1).tolist())
    choices: tuple[Value, ...] = (1, 2, "tie") if key.ties else (1, 2)
    return choices[rng.integers(len(choices))]


def _seconds(clip: float, n_questions: int, is_fast: bool, rng: np.random.Generator) -> float:
    """Return how long an item takes: under one play of the clip, or a few plays and some seconds a question."""
    if is_fast:
        return round(clip * float(rng.uniform(0.1, 0.6)), 3)
    return round(clip * float(rng.uniform(1.2, 3.0)) + float(rng.lognormal(1.0, 0.5, n_questions).sum()), 3)
