"""What raters say of two methods on one sample, which is what a metric says too."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_array

from vivid_bench.study.judgements import Floats, Indices, Judgements, Ratings

ROUNDING = 12
"""Decimals that count of a preference: weighted means of equal answers differ in the last bits."""


@dataclass(frozen=True)
class Votes:
    """What raters say of U units, each a pair of methods on a sample, as N votes.

    Attributes:
        samples, first, second: (U,) sample, and the methods as indices into the table's runs.
        units: (N,) of each vote.
        sides: (N,) 0 where a vote speaks for the unit's first method, 1 for its second.
        values: (N,) -1 to 1 for the first; or a rating, that of a second method with a minus.
        raters, videos: (N,) numbers.
    """

    samples: Indices
    first: Indices
    second: Indices
    units: Indices
    sides: Indices
    values: Floats
    raters: Indices
    videos: Indices

    def preferences(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return (B, U) raters' preferences for the first method and weights of units, from (B, N) weights of votes.

        A preference is the mean of outcomes, or the difference of two mean ratings; a unit weighs what its votes do on
        average.
        """
        n_units, n_votes = len(self.samples), len(self.units)
        places = (2 * self.units + self.sides, np.arange(n_votes))
        total, values = (
            np.asarray(csr_array((column, places), (2 * n_units, n_votes)) @ weights.T).T
            for column in (np.ones(n_votes), self.values)
        )
        means = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
        of_units = total.reshape(len(weights), n_units, 2).sum(axis=2) / np.bincount(self.units, minlength=n_units)
        return np.round(means.reshape(len(weights), n_units, 2).sum(axis=2), ROUNDING), of_units

    def only(self, chosen: Indices) -> Votes:
        """Return these units and their votes."""
        kept = np.isin(self.units, chosen)
        return Votes(
            self.samples[chosen],
            self.first[chosen],
            self.second[chosen],
            np.searchsorted(chosen, self.units[kept]),
            self.sides[kept],
            self.values[kept],
            self.raters[kept],
            self.videos[kept],
        )


def pair_votes(found: Judgements) -> Votes:
    """Return judgements as votes, a unit for each pair of methods that was judged on a sample."""
    units, of_vote = np.unique(
        np.stack([found.samples, found.first, found.second], axis=1), axis=0, return_inverse=True
    )
    sides = np.zeros_like(of_vote)
    samples, first, second = units.T
    return Votes(samples, first, second, of_vote, sides, 2 * found.outcomes - 1, found.raters, found.videos)


def rating_votes(found: Ratings) -> Votes:
    """Pair all methods that were rated on a sample, by whomever."""
    rated: dict[int, dict[int, list[int]]] = {}
    for answer, (sample, method) in enumerate(zip(found.samples.tolist(), found.methods.tolist(), strict=True)):
        rated.setdefault(sample, {}).setdefault(method, []).append(answer)
    units: list[tuple[int, int, int]] = []
    rows: list[tuple[int, int, int]] = []
    for sample, by_method in sorted(rated.items()):
        for first, second in combinations(sorted(by_method), 2):
            for side, method in enumerate((first, second)):
                rows += [(len(units), side, answer) for answer in by_method[method]]
            units.append((sample, first, second))
    samples, firsts, seconds = np.array(units, np.intp).reshape(-1, 3).T
    vote_units, sides, answers = np.array(rows, np.intp).reshape(-1, 3).T
    values = np.where(sides == 0, 1, -1) * found.values[answers]
    return Votes(samples, firsts, seconds, vote_units, sides, values, found.raters[answers], found.videos[answers])
