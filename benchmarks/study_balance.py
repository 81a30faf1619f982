"""How even random designs are: counts of what is compared, of its samples, and of the sides it is shown on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from random import Random
from typing import Any

from vivid_bench.study.design import MIN_PER_RATER, Group, make_design
from vivid_bench.study.types import DESIGNS, Design, Item


def balance_row(designs: int) -> dict[str, Any]:
    """Return the largest differences of counts over so many random designs, and how often a rater saw a thing twice."""
    rng = Random(0)
    worst = {"counts": 0, "samples": 0, "sides": 0, "seen_twice": 0}
    for _ in range(designs):
        design = rng.choice(DESIGNS)
        groups = _random_groups(rng)
        units = sum(len(_units(design, group.runs)) for group in groups)
        most = units * min(len(group.samples) for group in groups)
        if most < MIN_PER_RATER:
            groups, most = [Group(tuple(range(12)), (0, 1, 2))], 12
        raters, per_rater = rng.randint(1, 30), rng.randint(MIN_PER_RATER, min(40, most))
        packets = make_design(design, groups, raters, per_rater, rng)
        for name, value in _unevenness(design, groups, packets).items():
            worst[name] = max(worst[name], value)
    return {"designs": designs, **worst}


def _random_groups(rng: Random) -> list[Group]:
    groups, samples, runs = [], 0, 0
    for _ in range(rng.randint(1, 3)):
        more_samples, more_runs = rng.randint(2, 20), rng.randint(2, 6)
        groups.append(Group(tuple(range(samples, samples + more_samples)), tuple(range(runs, runs + more_runs))))
        samples, runs = samples + more_samples, runs + more_runs
    return groups


def _unevenness(design: Design, groups: list[Group], packets: list[tuple[Item, ...]]) -> dict[str, int]:
    """Return the largest differences in one design; `seen_twice` counts (rater, unit, sample) shown again."""
    units: dict[tuple[int, ...], Counter[int]] = {
        unit: Counter(dict.fromkeys(group.samples, 0)) for group in groups for unit in _units(design, group.runs)
    }
    places: dict[tuple[int, ...], Counter[tuple[int, int]]] = {
        unit: Counter({(run, place): 0 for run in unit for place in range(len(unit))}) for unit in units
    }
    twice = 0
    for packet in packets:
        seen = Counter((tuple(sorted(i.shown)), i.sample) for i in packet if i.kind == "scored")  # type: ignore[type-var]
        twice += sum(count - 1 for count in seen.values())
        for item in packet:
            if item.kind == "scored":
                shown = tuple(run for run in item.shown if run is not None)
                units[tuple(sorted(shown))][item.sample] += 1
                places[tuple(sorted(shown))].update((run, place) for place, run in enumerate(shown))
    return {
        "counts": _range(counts.total() for counts in units.values()),
        "samples": max(_range(counts.values()) for counts in units.values()),
        "sides": max(_range(counts.values()) for counts in places.values()),
        "seen_twice": twice,
    }


def _units(design: Design, runs: tuple[int, ...]) -> list[tuple[int, ...]]:
    size = {"pairwise": 2, "rating": 1, "ranking": len(runs)}[design]
    return list(combinations(runs, size))


def _range(counts: Iterable[int]) -> int:
    known = list(counts)
    return max(known) - min(known)
