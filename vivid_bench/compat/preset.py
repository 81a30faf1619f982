"""What a preset is: named measures, each with one line on how it differs from ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from vivid_bench.errors import VividBenchError
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, MetricInfo, Score, Task

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

Pooling = Literal["clips", "frames", "pairs"]
Better = Literal["higher", "lower"]

OURS = {
    "background PSNR": "background_psnr",
    "background SSIM": "background_ssim",
    "background LPIPS": "background_lpips",
    "background MSE": "background_mse",
    "background MAE": "background_l1",
    "edit-region PSNR": "edit_psnr",
    "edit-region SSIM": "edit_ssim",
    "whole-frame PSNR": None,
    "whole-frame SSIM": None,
    "whole-frame LPIPS": None,
    "whole-frame MSE": None,
    "whole-frame MAE": None,
    "text alignment, whole frame": "clip_text_full",
    "text alignment, edit region": "clip_text_masked",
    "temporal consistency, whole frame": "clip_temporal_full",
    "temporal consistency, edit region": "clip_temporal_region",
    "removal, in space": "rc_s",
    "removal, in time": "rc_t",
}
"""What is measured -> our metric of it (without its weights), None where we have none; in the order of a comparison."""


@dataclass(frozen=True)
class Measure:
    """One figure that another suite's code prints.

    Attributes:
        name: as that code calls it.
        quantity: what it measures, one of `OURS`.
        values: one value a frame or pair of frames, whose mean is the clip's figure; none where it has no meaning.
        differs: one line on how it differs from ours.
        pooling: what the mean over a run is over: clips, each once, or all their frames or pairs.
        better: which direction is better.
        weights: what has to be on this machine.
        shown_times: the factor that the suite prints it with.
        tasks: tasks for which it has a meaning.
    """

    name: str
    quantity: str
    values: Callable[[EditClip], Sequence[float]]
    differs: str
    pooling: Pooling = "frames"
    better: Better = "higher"
    unit: str = ""
    weights: str | None = None
    shown_times: float = 1.0
    tasks: tuple[Task, ...] = TASKS


class PresetMetric:
    """A measure as a metric like any other, named `<preset>/<measure>`.

    `details["values"]` is how many frames or pairs its mean is over.
    """

    def __init__(self, preset: str, source: str, measure: Measure) -> None:
        self.measure = measure
        self.info = MetricInfo(
            name=f"{preset}/{measure.name}",
            version="1",
            unit=measure.unit,
            range=(None, None),
            higher_is_better=measure.better == "higher",
            tasks=measure.tasks,
            region="full",
            needs_weights=measure.weights,
            shown_times=measure.shown_times,
            citation=f"as computed by {source}",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit.

        Raises:
            VividBenchError: the figure is infinite or undefined, as that code's own.
            MissingWeightsError: its weights are not on this machine.
        """
        values = self.measure.values(clip)
        if not len(values):
            return not_applicable(self.info, clip.sample_id, "no frame that this measure is defined for")
        if unusable := sum(not math.isfinite(value) for value in values):
            word = "infinite" if any(math.isinf(value) for value in values) else "undefined"
            raise VividBenchError(f"{word}, as that code's own figure: so is {unusable} of its {len(values)} values")
        mean = math.fsum(values) / len(values)
        return scored(self.info, clip.sample_id, mean, details={"values": len(values)})


@dataclass(frozen=True)
class Preset:
    """Another suite's measures.

    Attributes:
        source: the code that they follow: repository, commit, files.
    """

    name: str
    source: str
    measures: tuple[Measure, ...]

    @cached_property
    def metrics(self) -> tuple[PresetMetric, ...]:
        """The measures as metrics."""
        return tuple(PresetMetric(self.name, self.source, measure) for measure in self.measures)


def pooled_mean(scores: Sequence[Score], pooling: Pooling) -> float | None:
    """Average scored clips as a suite does: each once, or as often as it has values. None when nothing was scored."""
    total = weights = 0.0
    for score in scores:
        if score.value is not None:
            assert score.details is not None
            weight = 1.0 if pooling == "clips" else score.details["values"]
            total += weight * score.value
            weights += weight
    return total / weights if weights else None
