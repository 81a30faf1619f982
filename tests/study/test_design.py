"""The design: everything is shown equally often, at every place, and nothing twice to one rater."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from vivid_bench.errors import VividBenchError
from vivid_bench.study.design import (
    ATTENTION_ITEMS,
    MIN_PER_RATER,
    REPEAT_GAP,
    REPEATS,
    Group,
    make_design,
)
from vivid_bench.study.types import DESIGNS, Design, Item

Packets = Sequence[Sequence[Item]]


def spread(counts: Counter[object], expected: Sequence[object]) -> int:
    """Largest count less smallest, over everything that there is to show."""
    assert set(counts) <= set(expected)
    return max(counts[key] for key in expected) - min(counts[key] for key in expected)


def scored(packets: Packets) -> list[Item]:
    return [item for packet in packets for item in packet if item.kind == "scored"]


def unit(item: Item) -> frozenset[int | None]:
    return frozenset(item.shown)


def random_case(rng: Random) -> tuple[Design, list[Group], int, int]:
    """A design of up to 3 tasks with 2 to 6 methods and 1 to 12 samples each, and numbers that it allows."""
    design = rng.choice(DESIGNS)
    groups, samples, runs = [], 0, 0
    for _ in range(rng.randint(1, 3)):
        n_samples, n_runs = rng.randint(4, 12), rng.randint(2, 6)
        groups.append(Group(tuple(range(samples, samples + n_samples)), tuple(range(runs, runs + n_runs))))
        samples, runs = samples + n_samples, runs + n_runs
    few = min(len(group.samples) for group in groups)
    n_units = sum(len(units_of(design, group)) for group in groups)
    return design, groups, rng.randint(1, 12), rng.randint(MIN_PER_RATER, min(40, few * n_units))


def units_of(design: Design, group: Group) -> list[frozenset[int]]:
    if design == "pairwise":
        return [frozenset((a, b)) for a in group.runs for b in group.runs if a < b]
    return [frozenset((run,)) for run in group.runs] if design == "rating" else [frozenset(group.runs)]


def check_balance(design: Design, groups: Sequence[Group], packets: Packets, *, sides_by_sample: bool) -> None:
    items = scored(packets)
    units = [(one, group) for group in groups for one in units_of(design, group)]
    assert spread(Counter(map(unit, items)), [one for one, _ in units]) <= 1
    for one, group in units:
        shown = [item for item in items if unit(item) == one]
        assert spread(Counter(item.sample for item in shown), group.samples) <= 1
        for place in range(len(one)):
            assert spread(Counter(item.shown[place] for item in shown), sorted(one)) <= 1
        if sides_by_sample and design == "pairwise":
            for sample in group.samples:
                firsts = Counter(item.shown[0] for item in shown if item.sample == sample)
                assert spread(firsts, sorted(one)) <= 1
    for packet in packets:
        seen = [(unit(item), item.sample) for item in packet if item.kind == "scored"]
        assert len(seen) == len(set(seen))


def check_packet(packet: Sequence[Item], per_rater: int) -> None:
    kinds = [item.kind for item in packet]
    assert Counter(kinds) == {
        "training": 1, "scored": per_rater, "attention": ATTENTION_ITEMS, "repeat": REPEATS,
    }  # fmt: skip
    assert [item.id for item in packet] == [f"i{n:03}" for n in range(1, len(packet) + 1)]
    assert kinds[:3] == ["training", "scored", "scored"]
    ids = [item.id for item in packet]
    for index, item in enumerate(packet):
        n_broken = item.shown.count(None)
        assert n_broken == (item.kind in ("training", "attention"))
        assert (item.repeats is None) == (item.kind != "repeat")
        if item.repeats:
            original = packet[ids.index(item.repeats)]
            assert index - ids.index(item.repeats) > REPEAT_GAP
            assert (original.kind, original.sample) == ("scored", item.sample)
            assert original.shown == item.shown[::-1]


def test_a_thousand_random_designs_are_balanced() -> None:
    rng = Random(0)
    for _ in range(1000):
        design, groups, raters, per_rater = random_case(rng)
        packets = make_design(design, groups, raters, per_rater, Random(rng.random()))
        # A rater who is shown all samples of a comparison takes what is left of it.
        check_balance(design, groups, packets, sides_by_sample=False)
        for packet in packets:
            check_packet(packet, per_rater)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_study_of_usual_size(design: Design) -> None:
    groups = [Group(tuple(range(32)), (0, 1, 2, 3, 4)), Group(tuple(range(32, 64)), (5, 6, 7))]
    packets = make_design(design, groups, 30, 30, Random(1))
    check_balance(design, groups, packets, sides_by_sample=True)
    for packet in packets:
        check_packet(packet, 30)
        attention = [item for item in packet if item.kind == "attention"]
        assert len({(item.sample, item.shown) for item in attention}) == ATTENTION_ITEMS
    # 30 raters x 7 attention items of two clips: 105 broken ones on either side, and 105 of the training's 30.
    if design == "pairwise":
        broken = [item for packet in packets for item in packet if item.kind in ("attention", "training")]
        assert Counter(item.shown.index(None) for item in broken) == {0: 120, 1: 120}


def test_no_rater_can_tell_a_broken_clips_place_from_the_one_before() -> None:
    (packet,) = make_design("pairwise", [Group(tuple(range(20)), (0, 1))], 1, 20, Random(0))
    places = [item.shown.index(None) for item in packet if item.kind == "attention"]
    assert places not in ([0, 1] * 3 + [0], [1, 0] * 3 + [1])


def test_a_training_item_of_a_ranking_has_one_right_answer() -> None:
    packets = make_design("ranking", [Group((0, 1, 2, 3), (0, 1, 2, 3))], 5, 4, Random(0))
    assert all(len(packet[0].shown) == 2 and packet[0].shown.count(None) == 1 for packet in packets)


def test_equal_seeds_give_equal_designs_and_others_other_ones() -> None:
    groups = [Group(tuple(range(8)), (0, 1, 2))]
    first, again, other = (make_design("pairwise", groups, 4, 10, Random(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_too_many_items_a_rater_name_the_largest_number() -> None:
    groups = [Group(tuple(range(9)), (0, 1, 2)), Group((9, 10, 11, 12), (3, 4))]
    with pytest.raises(VividBenchError, match="at most 16 items"):  # (3 + 1) pairs x 4 samples
        make_design("pairwise", groups, 3, 17, Random(0))
    packets = make_design("pairwise", groups, 3, 16, Random(0))
    check_balance("pairwise", groups, packets, sides_by_sample=False)


@pytest.mark.parametrize(
    ("raters", "per_rater", "runs", "words"),
    [
        (0, 10, 2, "at least 1 rater"),
        (3, 3, 2, "at least 4 items"),
        (3, 4, 7, "too many to rank"),
    ],
)
def test_numbers_that_make_no_study(raters: int, per_rater: int, runs: int, words: str) -> None:
    groups = [Group(tuple(range(9)), tuple(range(runs)))]
    with pytest.raises(VividBenchError, match=words):
        make_design("ranking", groups, raters, per_rater, Random(0))
