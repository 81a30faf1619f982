"""How often the intervals cover a mean that is known, and how often the tests see a difference that is not there.

    python benchmarks/coverage.py --out docs/statistics/coverage.json

Intervals: ours beside the percentile and the BCa interval of scipy.stats.bootstrap, on the same simulated clips. Tests:
`compare` on methods that are alike, whose every finding is false: all pairs up to 30 methods, with the best beyond.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from vivid_bench.stats import compare, mean_intervals
from vivid_bench.stats.bootstrap import RESAMPLES

Floats = NDArray[np.float64]
LEVEL = 0.95
CLUSTER_SIZES = (1, 1, 2, 3, 4)
SHARED_VARIANCE = 0.5


@dataclass(frozen=True)
class Distribution:
    """Values whose mean is known."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, ...]], Floats]
    mean: float


def _log_normal(sigma: float) -> Distribution:
    return Distribution(f"log-normal {sigma}", lambda rng, shape: rng.lognormal(0, sigma, shape), np.exp(sigma**2 / 2))


DISTRIBUTIONS = (
    Distribution("normal", lambda rng, shape: rng.normal(size=shape), 0.0),
    Distribution("exponential", lambda rng, shape: rng.exponential(size=shape), 1.0),
    _log_normal(0.5),
    _log_normal(0.75),
    _log_normal(1.0),
)


def main() -> None:
    """Simulate, print, and write what was printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--clips", type=int, nargs="+", default=[12, 24, 90])
    parser.add_argument("--methods", type=int, nargs="+", default=[2, 5, 10, 40])
    parser.add_argument("--out", type=Path, help="write the figures to this file as JSON")
    arguments = parser.parse_args()
    start = time.perf_counter()
    coverage = [
        row
        for clips in arguments.clips
        for distribution in DISTRIBUTIONS
        for row in coverage_rows(distribution, clips, arguments.simulations)
    ]
    errors = [
        false_positives(distribution, 24, methods, arguments.simulations)
        for distribution in DISTRIBUTIONS[:2]
        for methods in arguments.methods
    ]
    figures = {
        "simulations": arguments.simulations,
        "resamples": RESAMPLES,
        "coverage": coverage,
        "false_positives": errors,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    }
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"{time.perf_counter() - start:.0f} s")


def coverage_rows(distribution: Distribution, clips: int, simulations: int) -> list[dict[str, object]]:
    """Return what share of intervals covers the mean: clips on their own, and in source videos of unequal size."""
    rng = np.random.default_rng([clips, *distribution.name.encode()])
    independent = distribution.draw(rng, (clips, simulations)) - distribution.mean
    rows = [_coverage_row(distribution.name, independent, np.arange(clips))]
    if clips == 24:
        videos = np.repeat(np.arange(clips), np.resize(CLUSTER_SIZES, clips))
        shared = distribution.draw(rng, (clips, simulations))[videos] - distribution.mean
        own = distribution.draw(rng, (len(videos), simulations)) - distribution.mean
        clustered = np.sqrt(SHARED_VARIANCE) * shared + np.sqrt(1 - SHARED_VARIANCE) * own
        rows.append(_coverage_row(distribution.name, clustered, videos))
    return rows


def _coverage_row(name: str, values: Floats, videos: NDArray[np.intp]) -> dict[str, object]:
    """Return coverage of the true mean 0 by kind of interval."""
    ours = mean_intervals(values, [f"{video:04d}" for video in videos], LEVEL)
    row: dict[str, object] = {
        "distribution": name,
        "source_videos": int(videos.max()) + 1,
        "clips": len(values),
        "studentised": float(np.mean([i is not None and i.low <= 0 <= i.high for i in ours])),
        **_scipy_coverage(values, videos),
    }
    print(" ".join(f"{key}={value:.3f}" if isinstance(value, float) else f"{value}" for key, value in row.items()))
    return row


def _scipy_coverage(values: Floats, videos: NDArray[np.intp]) -> dict[str, float]:
    """Return coverage by SciPy's intervals, which resample the sums and counts of source videos as pairs."""
    starts = np.flatnonzero(np.diff(videos, prepend=-1))
    sums = np.add.reduceat(values, starts, axis=0).T
    counts = np.broadcast_to(np.bincount(videos).astype(np.float64), sums.shape)

    def ratio(sums: Floats, counts: Floats, axis: int) -> Floats:
        return np.asarray(sums.sum(axis=axis) / counts.sum(axis=axis))

    options = {"paired": True, "vectorized": True, "axis": 1, "confidence_level": LEVEL, "batch": 100}
    first = scipy.stats.bootstrap(
        (sums, counts), ratio, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0), **options
    )
    second = scipy.stats.bootstrap(
        (sums, counts), ratio, n_resamples=0, method="BCa", bootstrap_result=first, **options
    )
    intervals = {"percentile": first.confidence_interval, "bca": second.confidence_interval}
    return {name: float(np.mean((i.low <= 0) & (i.high >= 0))) for name, i in intervals.items()}


def false_positives(distribution: Distribution, clips: int, methods: int, simulations: int) -> dict[str, object]:
    """Return how often any of several methods that are alike is told from another, on clips that all share."""
    rng = np.random.default_rng([methods, *distribution.name.encode()])
    names = [f"{clip:04d}" for clip in range(clips)]
    design, found = "", 0
    for _ in range(simulations):
        comparisons = compare(distribution.draw(rng, (clips, methods)), names, higher_is_better=True)
        design = comparisons.design
        found += any(pair.is_significant for pair in comparisons.pairs)
    rate = found / simulations
    print(f"{distribution.name}, {clips} clips, {methods} methods alike, {design}: any found in {rate:.3f}")
    return {
        "distribution": distribution.name,
        "source_videos": clips,
        "methods": methods,
        "design": design,
        "any_found": rate,
    }


if __name__ == "__main__":
    main()
