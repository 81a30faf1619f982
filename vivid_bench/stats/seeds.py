"""Several seeds of one method: how much of the mean's uncertainty they make up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vivid_bench.stats.clusters import Floats


@dataclass(frozen=True)
class SeedVariance:
    """Variance components of one method's values over seeds and clips, in squared units of the metric.

    Estimated by the moments of a two-way random-effects analysis of variance with one value a cell. An estimate below
    zero, which moments allow, is 0 by convention.

    Attributes:
        n_seeds, n_clips: clips with a value for every seed.
        seed: variance between seeds that all clips share.
        clip: variance between clips.
        residual: variance of single values beside both: what a seed does to one clip.
    """

    n_seeds: int
    n_clips: int
    seed: float
    clip: float
    residual: float

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over seeds and clips, in the metric's unit."""
        return float(np.sqrt(self._by_seeds + self.clip / self.n_clips))

    @property
    def standard_error_of_seeds(self) -> float:
        """By how much the mean would differ with other seeds on the same clips: the standard error from seeds alone."""
        return float(np.sqrt(self._by_seeds))

    @property
    def share(self) -> float | None:
        """Share, 0 to 1, of the mean's squared standard error that seeds make up; None where nothing varies."""
        whole = self.standard_error**2
        return self._by_seeds / whole if whole > 0 else None

    @property
    def _by_seeds(self) -> float:
        return self.seed / self.n_seeds + self.residual / (self.n_seeds * self.n_clips)


def seed_variance(values: Floats) -> SeedVariance | None:
    """Split the variance of one method's (S, N) values, S seeds on the same N clips, into its components.

    A clip that lacks a value (NaN) of any seed is left out. None for fewer than 2 seeds or 2 clips.
    """
    complete = values[:, ~np.isnan(values).any(axis=0)]
    n_seeds, n_clips = complete.shape
    if n_seeds < 2 or n_clips < 2:
        return None
    by_seed = complete.mean(axis=1, keepdims=True)
    by_clip = complete.mean(axis=0, keepdims=True)
    mean = complete.mean()
    ms_seed = n_clips * ((by_seed - mean) ** 2).sum() / (n_seeds - 1)
    ms_clip = n_seeds * ((by_clip - mean) ** 2).sum() / (n_clips - 1)
    ms_residual = ((complete - by_seed - by_clip + mean) ** 2).sum() / ((n_seeds - 1) * (n_clips - 1))
    return SeedVariance(
        n_seeds,
        n_clips,
        seed=max(0.0, float(ms_seed - ms_residual) / n_clips),
        clip=max(0.0, float(ms_clip - ms_residual) / n_seeds),
        residual=float(ms_residual),
    )
