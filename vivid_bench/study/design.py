"""Who sees what, and in which order: a pure function of the design, the numbers of raters and items, and a seed.

What is compared comes in units: two runs of one task (pairwise), one run (rating), or all runs of a task (ranking).
Whenever an item is needed, the unit that was shown least is taken, of it the sample that was shown least, and of its
orders one that the present round still lacks; a round has every rotation of an order, which is drawn anew for each. So
counts never differ by more than 1, over the whole study and at any moment of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from random import Random
from typing import TypeVar

from vivid_bench.errors import VividBenchError
from vivid_bench.study.types import Design, Item, ItemKind

ATTENTION_ITEMS = 7
REPEATS = 2
REPEAT_GAP = 5
"""Items between a scored item and its repeat, at least."""

MIN_PER_RATER = 4
MAX_RANKED = 6

_T = TypeVar("_T")


@dataclass(frozen=True)
class Group:
    """What may be compared: the samples and the runs of one suite and task, as indices into the study's.

    Attributes:
        samples: those of which every run has an edit, at least 1.
        runs: at least 2, each of another method.
    """

    samples: tuple[int, ...]
    runs: tuple[int, ...]


@dataclass(eq=False)
class _Screen:
    """An item that has no number yet."""

    kind: ItemKind
    sample: int
    shown: tuple[int | None, ...]
    repeats: _Screen | None = None


@dataclass(eq=False)
class _Unit:
    """What is compared on one screen, and how it was shown so far.

    Attributes:
        orders: of the present round, those not shown yet.
        shown: by sample, how often.
        at_place: (sample, run, place) -> how often.
    """

    samples: tuple[int, ...]
    runs: tuple[int, ...]
    count: int = 0
    orders: list[tuple[int, ...]] = field(default_factory=list)
    shown: Counter[int] = field(default_factory=Counter)
    at_place: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def show(self, seen_here: set[int], seen: Counter[int], rng: Random) -> _Screen:
        """Return the next screen for a rater who saw these samples in this unit, and those so often in the study."""
        if not self.orders:
            base = rng.sample(self.runs, len(self.runs))
            self.orders = [(*base[start:], *base[:start]) for start in range(len(base))]
        fresh = [sample for sample in self.samples if sample not in seen_here]
        least = min(self.shown[sample] for sample in fresh)
        candidates = [(sample, order) for sample in fresh if self.shown[sample] == least for order in self.orders]
        rng.shuffle(candidates)
        # Every sample is shown in one order and then in another, so that no place is tied to a sample.
        sample, order = min(candidates, key=lambda choice: (self._repetition(*choice), seen[choice[0]]))
        self.orders.remove(order)
        self.count += 1
        self.shown[sample] += 1
        self.at_place.update((sample, run, place) for place, run in enumerate(order))
        return _Screen("scored", sample, order)

    def _repetition(self, sample: int, order: Sequence[int]) -> int:
        return sum(self.at_place[sample, run, place] for place, run in enumerate(order))


def make_design(
    design: Design, groups: Sequence[Group], raters: int, per_rater: int, rng: Random
) -> list[tuple[Item, ...]]:
    """Return each rater's items in the order shown: training, then scored, attention and repeated items mixed.

    Counts of any two units differ by at most 1, as do, within a unit, those of any two samples and those of any two
    runs at any place. No rater is shown a unit on the same sample twice, repeats apart.

    Args:
        design: of the study.
        groups: what may be compared, one group a suite and task.
        raters: at least 1.
        per_rater: scored items a rater; `ATTENTION_ITEMS`, `REPEATS` and a training item come on top.
        rng: equal states give equal designs.

    Raises:
        VividBenchError: more items a rater than there are without showing something twice; fewer than
            `MIN_PER_RATER`; a ranking of more than `MAX_RANKED` runs.
    """
    units = [_Unit(group.samples, runs) for group in groups for runs in _compared(design, group.runs)]
    _check(design, units, raters, per_rater)
    broken = _BrokenScreens(design, groups, rng)
    packets = []
    for _ in range(raters):
        scored = _scored(units, per_rater, rng)
        first, *attention = broken.take(ATTENTION_ITEMS + 1)
        training = _Screen("training", first.sample, _training_places(first.shown))
        packets.append(_numbered([training, *_in_order(scored, attention, rng)]))
    return packets


def _compared(design: Design, runs: tuple[int, ...]) -> list[tuple[int, ...]]:
    if design == "pairwise":
        return list(combinations(runs, 2))
    return [(run,) for run in runs] if design == "rating" else [runs]


def _largest(units: Sequence[_Unit]) -> int:
    return len(units) * min(len(unit.samples) for unit in units)


def _check(design: Design, units: Sequence[_Unit], raters: int, per_rater: int) -> None:
    if raters < 1:
        raise VividBenchError(f"a study needs at least 1 rater, not {raters}")
    if design == "ranking" and (most := max(len(unit.runs) for unit in units)) > MAX_RANKED:
        raise VividBenchError(
            f"{most} methods are too many to rank on one screen (at most {MAX_RANKED}): take some out of --runs, "
            "or choose --design pairwise"
        )
    if per_rater < MIN_PER_RATER:
        raise VividBenchError(f"--per-rater {per_rater}: a rater needs at least {MIN_PER_RATER} items")
    if per_rater > (largest := _largest(units)):
        few = min(len(unit.samples) for unit in units)
        raise VividBenchError(
            f"--per-rater {per_rater}: no rater is shown the same comparison on the same sample twice, so at most "
            f"{largest} items ({len(units)} comparisons on {few} samples each, in the smallest task)"
        )


def _scored(units: Sequence[_Unit], per_rater: int, rng: Random) -> list[_Screen]:
    """Return one rater's scored items, in random order."""
    rounds, rest = divmod(per_rater, len(units))
    # Those shown least get the rest, and among equals any: counts stay within 1 from rater to rater.
    extra = set(sorted(rng.sample(units, len(units)), key=lambda unit: unit.count)[:rest])
    screens: list[_Screen] = []
    seen: Counter[int] = Counter()
    for unit in rng.sample(units, len(units)):
        seen_here: set[int] = set()
        for _ in range(rounds + (unit in extra)):
            screen = unit.show(seen_here, seen, rng)
            seen_here.add(screen.sample)
            seen[screen.sample] += 1
            screens.append(screen)
    rng.shuffle(screens)
    return screens


class _BrokenScreens:
    """Screens on which one clip is broken: samples, the runs beside it and its place, each as often as any other."""

    def __init__(self, design: Design, groups: Sequence[Group], rng: Random) -> None:
        self._design, self._rng = design, rng
        self._choices = [(group, sample) for group in groups for sample in group.samples]
        self._samples: Counter[int] = Counter()
        self._runs: Counter[int] = Counter()
        self._places: Counter[tuple[int, int]] = Counter()

    def take(self, number: int) -> list[_Screen]:
        """Return so many, in random order."""
        screens = [self._next() for _ in range(number)]
        self._rng.shuffle(screens)
        return screens

    def _next(self) -> _Screen:
        group, sample = min(self._shuffled(self._choices), key=lambda choice: self._samples[choice[1]])
        places = {"pairwise": 2, "rating": 1, "ranking": len(group.runs)}[self._design]
        beside = sorted(self._shuffled(group.runs), key=lambda run: self._runs[run])[: places - 1]
        shown: list[int | None] = [*self._shuffled(beside)]
        place = min(self._shuffled(range(places)), key=lambda place: self._places[places, place])
        shown.insert(place, None)
        self._samples[sample] += 1
        self._runs.update(beside)
        self._places[places, place] += 1
        return _Screen("attention", sample, tuple(shown))

    def _shuffled(self, choices: Sequence[_T]) -> list[_T]:
        return self._rng.sample(choices, len(choices))


def _training_places(shown: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Return what a training item shows: of a ranking two clips only, for which order is right is known of no more."""
    run = next((run for run in shown if run is not None), None)
    if run is None:
        return shown
    return (None, run) if shown[0] is None else (run, None)


def _in_order(scored: Sequence[_Screen], attention: Sequence[_Screen], rng: Random) -> list[_Screen]:
    """Return a rater's screens: attention items spread over the packet, after the first two, and repeats late in it."""
    screens = list(scored)
    stretch = (len(scored) - 1) / len(attention)
    # From the back, so that places further ahead stay what they are.
    for index, screen in reversed(list(enumerate(attention))):
        screens.insert(2 + int((index + rng.random()) * stretch), screen)
    for original in rng.sample(list(scored[: max(2, len(scored) // 2)]), REPEATS):
        earliest = screens.index(original) + REPEAT_GAP + 1
        repeat = _Screen("repeat", original.sample, original.shown[::-1], original)
        screens.insert(rng.randint(earliest, len(screens)), repeat)
    return screens


def _numbered(screens: Sequence[_Screen]) -> tuple[Item, ...]:
    ids = {screen: f"i{number:03}" for number, screen in enumerate(screens, 1)}
    return tuple(
        Item(
            id=ids[screen],
            kind=screen.kind,
            sample=screen.sample,
            shown=screen.shown,
            repeats=ids[screen.repeats] if screen.repeats else None,
        )
        for screen in screens
    )
