"""Simulated raters answer as the truth says: preferences, ties, slips, cheaters, and always marked as simulated."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from made_study import made_key

from vivid_bench.errors import UnknownNameError, VividBenchError
from vivid_bench.study.answer_checks import check_answers
from vivid_bench.study.exclusions import exclude
from vivid_bench.study.judgements import pair_judgements, ratings, tables
from vivid_bench.study.population import expected_ratings, expected_shares
from vivid_bench.study.simulate import Cheat, Truth, choose_cheaters, even_strengths, simulate
from vivid_bench.study.strengths import win_matrix
from vivid_bench.study.types import Design, Question, StudyKey, Value

CLIP_SECONDS = 2.0
METHODS = ("m0", "m1", "m2")
STRENGTHS = {"m0": -1.0, "m1": 0.0, "m2": 1.0}


def study(
    design: Design,
    raters: int = 20,
    per_rater: int = 12,
    questions: tuple[Question, ...] = ("overall",),
    *,
    ties: bool = False,
) -> StudyKey:
    """Three methods on 12 samples."""
    return made_key(design, METHODS, 12, raters, per_rater, questions, ties=ties, deadline="2026-01-31")


def truth(sd: float = 0.0, slips: float = 0.0, **changes: object) -> Truth:
    return Truth(STRENGTHS, rater_sd=sd, sample_sd=sd, slips=slips, **changes)  # type: ignore[arg-type]


def values(key: StudyKey, given: Truth, kind: str, seed: int = 0) -> list[tuple[tuple[int | None, ...], Value]]:
    """What was shown and answered, of items of a kind."""
    answers = simulate(key, given, np.random.default_rng(seed))
    found = []
    for plan, rater in zip(key.raters, answers, strict=True):
        items = {item.id: item for item in plan.items}
        for answer in rater.answers:
            if items[answer.item].kind == kind:
                found += [(items[answer.item].shown, value) for value in answer.values.values()]
    return found


@pytest.mark.parametrize(
    ("design", "ties"), [("pairwise", False), ("pairwise", True), ("rating", False), ("ranking", False)]
)
def test_answers_are_what_the_study_asked_for(design: Design, ties: bool) -> None:
    key = study(design, ties=ties, questions=("visual-quality", "overall"))
    answers = simulate(key, truth(0.5, 0.1), np.random.default_rng(0))
    assert [rater.rater for rater in answers] == [plan.rater for plan in key.raters]
    assert [check_answers(key, rater) for rater in answers] == [None] * 20
    assert all(rater.simulated and rater.finished for rater in answers)
    assert {len(rater.answers) for rater in answers} == {12 + 7 + 2}


def test_the_same_seed_gives_the_same_answers() -> None:
    key = study("pairwise")
    one, same, other = (simulate(key, truth(0.5, 0.1), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize("ties", [False, True])
def test_pairs_are_won_as_often_as_expected(ties: bool) -> None:
    key = study("pairwise", raters=250, ties=ties)
    given = truth(0.0, 0.02)
    answers = simulate(key, given, np.random.default_rng(0))
    wins = win_matrix(pair_judgements(key, answers, tables(key)[0]))
    shares = wins / np.maximum(wins + wins.T, 1)
    expected = expected_shares(list(STRENGTHS.values()), given, ties) - 0.5 * np.eye(3)
    np.testing.assert_allclose(shares, expected, atol=0.05)  # 1,000 judgements a pair: sd 0.016


def test_rankings_imply_pairs_won_as_often_as_expected() -> None:
    key = study("ranking", raters=100)
    answers = simulate(key, truth(), np.random.default_rng(0))
    wins = win_matrix(pair_judgements(key, answers, tables(key)[0]))
    expected = expected_shares(list(STRENGTHS.values()), truth()) - 0.5 * np.eye(3)
    np.testing.assert_allclose(wins / np.maximum(wins + wins.T, 1), expected, atol=0.05)


def test_ratings_have_the_expected_means() -> None:
    key = study("rating", raters=200)
    given = truth(0.0, 0.02)
    found = ratings(key, simulate(key, given, np.random.default_rng(0)), tables(key)[0])
    means = [found.values[found.methods == method].mean() for method in range(3)]
    assert means == pytest.approx(expected_ratings(list(STRENGTHS.values()), given).tolist(), abs=0.15)


def test_tastes_are_a_raters_own_and_effects_a_samples_own() -> None:
    key = study("rating", raters=60, per_rater=36)

    def share_of_variance(given: Truth) -> tuple[float, float]:
        found = ratings(key, simulate(key, given, np.random.default_rng(0)), tables(key)[0])
        grid = np.zeros((3, 60, 12))
        grid[found.methods, found.raters, found.samples] = found.values
        return float(grid.mean(axis=2).var(axis=1).mean()), float(grid.mean(axis=1).var(axis=1).mean())

    by_rater, by_sample = share_of_variance(Truth(STRENGTHS, rater_sd=2.0, sample_sd=0.0))
    assert by_rater > 10 * by_sample
    by_rater, by_sample = share_of_variance(Truth(STRENGTHS, rater_sd=0.0, sample_sd=2.0))
    assert by_sample > 5 * by_rater


def test_samples_of_one_source_video_share_its_effect() -> None:
    key = study("rating", raters=60, per_rater=36)
    samples = tuple(
        sample.model_copy(update={"source_video": f"v{i % 6}"}) for i, sample in enumerate(key.samples)
    )  # fmt: skip
    key = key.model_copy(update={"samples": samples})
    given = Truth(STRENGTHS, rater_sd=0.0, sample_sd=2.0)
    found = ratings(key, simulate(key, given, np.random.default_rng(0)), tables(key)[0])
    grid = np.zeros((3, 60, 12))
    grid[found.methods, found.raters, found.samples] = found.values
    by_sample = grid.mean(axis=1)
    assert np.abs(by_sample[:, :6] - by_sample[:, 6:]).mean() < 0.3 < 0.5 < by_sample.std(axis=1).mean()


@pytest.mark.parametrize("design", ["pairwise", "rating", "ranking"])
def test_the_broken_clip_loses_but_for_slips(design: Design) -> None:
    def lost(shown: tuple[int | None, ...], value: Value) -> bool:
        place = shown.index(None) + 1
        return (
            value == 1 if design == "rating" else (value[-1] if isinstance(value, tuple) else 3 - int(value)) == place
        )

    key = study(design)
    assert all(lost(*pair) for pair in values(key, truth(1.0), "attention"))
    assert not any(lost(*pair) for pair in values(key, truth(1.0, slips=1.0), "attention"))
    slipped = [not lost(*pair) for pair in values(study(design, raters=100), truth(slips=0.1), "attention")]
    assert np.mean(slipped) == pytest.approx(0.1, abs=0.04)


def test_honest_raters_take_longer_than_the_clip_plays() -> None:
    answers = simulate(study("pairwise"), truth(), np.random.default_rng(0))
    assert min(answer.seconds for rater in answers for answer in rater.answers) > CLIP_SECONDS


def test_answers_come_one_after_another_before_any_deadline() -> None:
    rater = simulate(study("pairwise"), truth(), np.random.default_rng(0))[0]
    times = [answer.at for answer in rater.answers]
    assert times == sorted(times)
    assert times[0].startswith("2000-01-01T09:00:")
    assert times[0].endswith("+00:00")


@pytest.mark.parametrize(
    ("cheat", "rule"), [("random", "failed checks"), ("same", "straight-lining"), ("fast", "too fast")]
)
def test_cheaters_cheat_in_their_way(cheat: Cheat, rule: str) -> None:
    key = study("pairwise")
    everyone = {plan.rater: cheat for plan in key.raters}
    _, excluded = exclude(key, simulate(key, truth(cheaters=everyone), np.random.default_rng(0)))
    assert sum(rule in rater.rules for rater in excluded) >= 0.85 * len(key.raters)


def test_one_who_answers_alike_holds_on_to_one_order_for_each_number_of_clips() -> None:
    key = study("ranking", raters=1)
    answers = simulate(key, truth(cheaters={"r001": "same"}), np.random.default_rng(0))
    assert len(Counter(value for answer in answers[0].answers for value in answer.values.values())) == 1


def test_honest_raters_are_kept() -> None:
    key = study("pairwise", raters=200)
    kept, excluded = exclude(key, simulate(key, truth(0.5, 0.02), np.random.default_rng(0)))
    assert len(kept) + len(excluded) == 200
    assert len(excluded) <= 5


def test_a_method_without_a_strength_is_named() -> None:
    with pytest.raises(UnknownNameError, match='strength of method "m2"'):
        simulate(study("pairwise"), Truth({"m0": 0.0, "m1": 0.0}), np.random.default_rng(0))


def test_even_strengths_are_spaced_around_0_in_some_order() -> None:
    strengths = even_strengths(["a", "b", "c"], np.random.default_rng(0))
    assert sorted(strengths.values()) == [-0.5, 0.0, 0.5]
    orders = {tuple(even_strengths(["a", "b", "c"], np.random.default_rng(seed)).values()) for seed in range(50)}
    assert len(orders) == 6


def test_cheaters_are_drawn_from_the_raters_in_all_kinds() -> None:
    key = study("pairwise")
    chosen = choose_cheaters(key, 6, np.random.default_rng(0))
    assert Counter(chosen.values()) == {"random": 2, "same": 2, "fast": 2}
    assert set(chosen) <= {plan.rater for plan in key.raters}
    assert choose_cheaters(key, 0, np.random.default_rng(0)) == {}
    for n in (-1, 21):
        with pytest.raises(VividBenchError, match="expected 0 to 20 cheaters"):
            choose_cheaters(key, n, np.random.default_rng(0))
