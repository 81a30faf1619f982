"""Whether a user study finds what is true, on simulated studies whose truth is known.

    python benchmarks/study.py --out docs/study/validation.json

Order: methods one detectable difference apart (`vivid_bench.study.power`), and how often their order comes out.
Intervals: how often they cover what endless raters and samples would show. Exclusions: cheaters found, and honest
raters lost. Balance: random designs. Raters differ, methods differ from sample to sample, and 2 % of the answers are
slips. Exits with 1 when a figure is worse than its limit.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import choix
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from study_balance import balance_row
from study_plans import Plan, made_key

from vivid_bench.study.exclusions import exclude
from vivid_bench.study.judgements import pair_judgements, ratings, tables
from vivid_bench.study.population import expected_ratings, expected_shares
from vivid_bench.study.power import LEVEL, detectable, detectable_rating
from vivid_bench.study.simulate import CHEATS, SPACING, Truth, simulate
from vivid_bench.study.strengths import Figures, Strengths, estimate, estimate_ratings

LEAST_RECOVERED, LEAST_COVERED, LEAST_FOUND, MOST_LOST = 0.95, 0.93, 0.90, 0.05
RESAMPLES = 500
DESIGNS = 50
"""Of each plan; studies take them in turn."""

COVERED = ("scores", "win_rates", "differences")
Floats = NDArray[np.float64]
Row = dict[str, Any]


ORDER_PLANS = (
    Plan("pairwise", 5, 20, 24, 30),
    Plan("pairwise", 5, 20, 24, 30, ties=True),
    Plan("pairwise", 2, 20, 24, 20),
    Plan("pairwise", 2, 40, 24, 20, clips=4),
    Plan("ranking", 4, 20, 24, 12),
    Plan("rating", 5, 20, 24, 30),
)
COVERAGE_PLANS = (
    Plan("pairwise", 4, 20, 20, 30),
    Plan("pairwise", 4, 20, 20, 30, ties=True),
    Plan("pairwise", 4, 20, 20, 30, effects=1.0),
    Plan("pairwise", 3, 8, 8, 12),
    Plan("pairwise", 4, 40, 20, 30, clips=4),
    Plan("ranking", 4, 12, 15, 12),
    Plan("rating", 4, 20, 20, 24),
)
EXCLUSION_PLANS = (
    Plan("pairwise", 4, 20, 30, 30),
    Plan("pairwise", 4, 20, 30, 30, ties=True),
    Plan("pairwise", 4, 20, 30, 30, questions=2),
    Plan("pairwise", 4, 20, 30, 30, questions=5),
    Plan("rating", 4, 20, 30, 30),
    Plan("rating", 4, 20, 30, 30, questions=2),
    Plan("ranking", 4, 20, 30, 12),
)


def order_row(plan: Plan, studies: int, workers: int) -> Row:
    """Return how often methods one detectable difference apart come out in order, and how often neighbours differ."""
    strengths, difference = _one_detectable_apart(plan)
    results = _each(partial(_order, plan, strengths), studies, workers)
    recovered, told_apart = np.array(results, np.float64).mean(axis=0)
    return {
        **asdict(plan),
        "judgements": plan.judgements,
        "detectable": difference,
        "studies": studies,
        "recovered": float(recovered),
        "neighbours_told_apart": float(told_apart),
    }


def _one_detectable_apart(plan: Plan) -> tuple[list[float], float]:
    """Return strengths whose neighbours the plan can just tell apart, and that difference, as the plan states it."""
    truth, numbers = plan.truth([]), (plan.judgements, plan.raters, plan.videos)
    centred = np.arange(plan.methods) - (plan.methods - 1) / 2
    if plan.design == "rating":
        rating = detectable_rating(*numbers, rater_sd=plan.effects, sample_sd=plan.effects)
        assert rating is not None
        return [_root(partial(_rating_above, truth, 3 + rating * place)) for place in centred], rating
    share = detectable(*numbers, rater_sd=plan.effects, sample_sd=plan.effects).share
    assert share is not None
    step = _root(lambda x: expected_shares([x, 0.0], truth, plan.ties)[0, 1] - share)
    return [float(step * place) for place in centred], share


def _rating_above(truth: Truth, rating: float, strength: float) -> float:
    return float(expected_ratings([strength], truth)[0] - rating)


def _root(function: Callable[[float], float]) -> float:
    return float(brentq(function, -20, 20))


def _order(plan: Plan, strengths: Sequence[float], seed: int) -> tuple[bool, float]:
    found = _study(plan, strengths, seed)
    neighbours = np.arange(plan.methods - 1)
    told_apart = (found.p[neighbours, neighbours + 1] <= 1 - LEVEL) & (np.diff(found.scores.values) > 0)
    return bool((np.diff(found.scores.values) > 0).all()), float(told_apart.mean())


def coverage_row(plan: Plan, studies: int, workers: int) -> Row:
    """Return what share of the 95 % intervals covers the truth, by figure."""
    strengths = _evenly(plan)
    results = _each(partial(_covered, plan, strengths), studies, workers)
    names = results[0].keys()
    means = {name: float(np.mean([result[name] for result in results])) for name in names}
    return {**asdict(plan), "judgements": plan.judgements, "studies": studies, **means}


def _evenly(plan: Plan) -> list[float]:
    return [SPACING * (place - (plan.methods - 1) / 2) for place in range(plan.methods)]


def _covered(plan: Plan, strengths: Sequence[float], seed: int) -> dict[str, float]:
    found = _study(plan, strengths, seed)
    truth = plan.truth(strengths)
    upper = np.triu_indices(plan.methods, 1)
    if plan.design == "rating":
        means = expected_ratings(strengths, truth)
        expected = {"scores": (found.scores, means)}
    else:
        shares = expected_shares(strengths, truth, plan.ties)
        means = _true_scores(shares)
        assert found.win_rates is not None
        rates = (shares.sum(axis=1) - 0.5) / (plan.methods - 1)
        expected = {"scores": (found.scores, means), "win_rates": (found.win_rates, rates)}
    expected["differences"] = (_at(found.differences, upper), (means[:, None] - means)[upper])
    return {name: _share_covered(figures, values) for name, (figures, values) in expected.items()}


def _true_scores(shares: Floats) -> Floats:
    """Return (M,) Bradley-Terry strengths of endless judgements, as many of each pair."""
    wins = shares * (1 - np.eye(len(shares)))
    return np.asarray(choix.ilsr_pairwise_dense(wins, max_iter=10_000))


def _at(figures: Figures, places: tuple[NDArray[np.intp], ...]) -> Figures:
    return Figures(figures.values[places], figures.low[places], figures.high[places])


def _share_covered(figures: Figures, truth: Floats) -> float:
    return float(((figures.low <= truth) & (truth <= figures.high)).mean())


def exclusion_row(plan: Plan, studies: int, workers: int) -> Row:
    """Return the shares of cheaters that are found, by kind and of all, and of honest raters that are excluded."""
    results = _each(partial(_excluded, plan), studies, workers)
    row: Row = {**asdict(plan), "studies": studies}
    for kind in (*CHEATS, "honest"):
        row[kind] = float(np.mean([result[kind] for result in results]))
    return row


def _excluded(plan: Plan, seed: int) -> dict[str, float]:
    """Two cheaters of each kind among the raters."""
    key = made_key(plan, seed % DESIGNS)
    kinds = {rater.rater: CHEATS[i % len(CHEATS)] for i, rater in enumerate(key.raters[: 2 * len(CHEATS)])}
    truth = replace(plan.truth(_evenly(plan)), cheaters=kinds)
    _, excluded = exclude(key, simulate(key, truth, np.random.default_rng([1, seed])))
    out = {rater.rater for rater in excluded}
    members: dict[str, list[str]] = {kind: [r for r, k in kinds.items() if k == kind] for kind in CHEATS}
    members["honest"] = [rater.rater for rater in key.raters if rater.rater not in kinds]
    return {kind: len(out.intersection(raters)) / len(raters) for kind, raters in members.items()}


def _study(plan: Plan, strengths: Sequence[float], seed: int) -> Strengths:
    """Simulate a study of honest raters, exclude by the rules and analyse what is left."""
    key, rng = made_key(plan, seed % DESIGNS), np.random.default_rng([0, seed])
    kept, _ = exclude(key, simulate(key, plan.truth(strengths), rng))
    table = tables(key)[0]
    if plan.design == "rating":
        return estimate_ratings(ratings(key, kept, table), RESAMPLES, rng)
    return estimate(pair_judgements(key, kept, table), RESAMPLES, rng)


def _each(function: Callable[[int], Any], studies: int, workers: int) -> list[Any]:
    # statsmodels collects garbage on every call; what the imports made is none.
    with ProcessPoolExecutor(workers, initializer=gc.freeze) as pool:
        return list(pool.map(function, range(studies), chunksize=max(1, studies // (4 * workers))))


def _is_good(figures: dict[str, list[Row]]) -> bool:
    return (
        all(row["recovered"] >= LEAST_RECOVERED for row in figures["order"])
        and all(row[name] >= LEAST_COVERED for row in figures["coverage"] for name in COVERED if name in row)
        and all(row[kind] >= LEAST_FOUND for row in figures["exclusions"] for kind in CHEATS)
        and all(row["honest"] <= MOST_LOST for row in figures["exclusions"])
        and all(row[name] <= 1 for row in figures["balance"] for name in ("counts", "samples", "sides"))
        and not any(row["seen_twice"] for row in figures["balance"])
    )


def _print(row: Row) -> None:
    print(" ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()), flush=True)


def main() -> None:
    """Simulate, print, and write what was printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000, help="for the intervals; a fifth of it for the rest")
    parser.add_argument("--designs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--out", type=Path, help="write the figures to this file as JSON")
    arguments = parser.parse_args()
    start, fewer = time.perf_counter(), arguments.studies // 5
    rows: dict[str, tuple[Callable[..., Row], Sequence[Plan], int]] = {
        "order": (order_row, ORDER_PLANS, fewer),
        "coverage": (coverage_row, COVERAGE_PLANS, arguments.studies),
        "exclusions": (exclusion_row, EXCLUSION_PLANS, fewer),
    }
    figures: dict[str, list[Row]] = {}
    for name, (row_of, plans, studies) in rows.items():
        print(f"\n{name}")
        figures[name] = []
        for plan in plans:
            figures[name].append(row_of(plan, studies, arguments.workers))
            _print(figures[name][-1])
    print("\nbalance")
    figures["balance"] = [balance_row(arguments.designs)]
    _print(figures["balance"][0])
    if arguments.out:
        versions = {"python": platform.python_version(), "numpy": np.__version__, "choix": version("choix")}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"resamples": RESAMPLES, **figures, "versions": versions}, indent=1)
        arguments.out.write_text(text + "\n")
    print(f"{time.perf_counter() - start:.0f} s")
    if not _is_good(figures):
        sys.exit("a figure is worse than its limit")


if __name__ == "__main__":
    main()
