"""Every preset's figures of one run beside ours of the same quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vivid_bench.compat.preset import OURS
from vivid_bench.compat.protocols import Figure
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder
from vivid_bench.types import RunRecord, Score


@dataclass(frozen=True)
class Quantity:
    """All figures of one quantity, ours first."""

    name: str
    figures: tuple[Figure, ...]


def compare(folder: RunFolder, record: RunRecord, figures: Sequence[Figure]) -> list[Quantity]:
    """Group the figures of a run by what they measure, with ours from its record.

    Args:
        record: the run's, complete.
        figures: of all presets, in the order to show.
    """
    scores = folder.scores()
    return [
        Quantity(name, (*_ours(name, record, scores), *theirs))
        for name in OURS
        if (theirs := [figure for figure in figures if figure.quantity == name])
    ]


def _ours(quantity: str, record: RunRecord, scores: Sequence[Score]) -> list[Figure]:
    def figure(name: str) -> Figure:
        own = tuple(score for score in scores if score.metric == name)
        info = metric_info(name)
        return Figure(info, quantity, "clips", f"ours: {info.citation}", record.summaries[name], own)

    # `edit_lpips@alex` and `edit_lpips@vgg` are both our edit_lpips.
    return [figure(name) for name in record.summaries if name.partition("@")[0] == OURS[quantity]]
