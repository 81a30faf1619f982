"""From scores to conclusions: intervals, tests, ranks, seeds and power. Arrays in, numbers out; nothing is read here.

The formulas, and how often the intervals cover and the tests err, are in BENCHMARK.md, section Statistics. Inside these
functions a missing value is NaN; what they return is None where there is no figure.
"""

from vivid_bench.stats.bootstrap import Interval, mean_interval, mean_intervals
from vivid_bench.stats.comparisons import Comparison, Comparisons, compare
from vivid_bench.stats.power import clips_needed, detectable_difference
from vivid_bench.stats.seeds import SeedVariance, seed_variance

__all__ = [
    "Comparison",
    "Comparisons",
    "Interval",
    "SeedVariance",
    "clips_needed",
    "compare",
    "detectable_difference",
    "mean_interval",
    "mean_intervals",
    "seed_variance",
]
