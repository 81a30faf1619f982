"""Judging a run by the harness, on a split that is neither trained on nor the test split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from vivid_bench.errors import InputError
from vivid_bench.methods import KnownMethod, find_method
from vivid_bench.run import RunOptions, run_methods
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import TASKS, Frames
from vivid_bench.video import read_video
from vivid_bench.vivid.recipe import TrainConfig, ValidationConfig
from vivid_bench.vivid.sources import TEST_SUITES

METRICS = ("edit_psnr", "boundary_psnr", "background_psnr")
PICTURES_PER_TASK = 2


@dataclass(frozen=True)
class Figures:
    """What a validation found.

    Attributes:
        values: `<task>_<metric>` -> mean over the clips, in dB.
        pictures: `<sample>` -> (3, H, W, 3) uint8: source, reference and edit, middle frame.
    """

    values: dict[str, float]
    pictures: dict[str, Frames]


def validation_splits(config: TrainConfig, pool: Path) -> list[LoadedSplit]:
    """Return the validation clips of a recipe; the mini suite's validation fold is rendered when `pool` lacks it."""
    chosen: ValidationConfig = config.validation
    suite = chosen.suite
    if suite is None:
        folder = pool / "validation"
        if not (folder / "suite.toml").exists():
            from vivid_bench.build.mini import build_mini

            build_mini(folder, "validation")
        suite = str(folder)
    splits = load_splits(suite, TASKS, chosen.data, chosen.clips)
    if any(loaded.split.suite in TEST_SUITES for loaded in splits):
        raise InputError(
            Path(suite), expected="a suite to choose settings on", found="the test split",
            fix="leave `suite` out for the mini suite's validation fold",
        )  # fmt: skip
    return splits


def validate(splits: list[LoadedSplit], checkpoint: Path, device: torch.device, out: Path) -> Figures:
    """Run a saved pipeline through the harness and return its figures."""
    return method_figures(with_checkpoint(find_method("vivid"), checkpoint), splits, device, out)


def with_checkpoint(known: KnownMethod, checkpoint: Path) -> KnownMethod:
    """Return VIVID's method with other weights."""
    parameters = {**known.card.parameters, "checkpoint": str(checkpoint)}
    card = known.card.model_copy(update={"parameters": parameters, "weights": str(checkpoint.resolve())})
    return KnownMethod(card, known.folder)


def method_figures(known: KnownMethod, splits: list[LoadedSplit], device: torch.device, out: Path) -> Figures:
    """Run a method through the harness and return its figures; the run's folders lie in `out`."""
    fitting = [_with_few_metrics(loaded) for loaded in splits if loaded.split.task in known.card.tasks]
    options = RunOptions(out, device.type, overwrite=True)
    values: dict[str, float] = {}
    pictures: dict[str, Frames] = {}
    for loaded, folder in zip(fitting, run_methods([known], fitting, options, _Silent()).folders, strict=True):
        record = folder.record()
        assert record is not None
        for name in METRICS:
            if name in record.summaries and (mean := record.summaries[name].mean) is not None:
                values[f"{record.task}_{name}"] = mean
        edits = {clip.sample_id: clip for clip in folder.edits().values() if clip.video}
        for sample in [s for s in loaded.split.samples if s.id in edits][:PICTURES_PER_TASK]:
            arrays, clip = loaded.read(sample), edits[sample.id]
            assert clip.video is not None
            edit = read_video(folder.path / clip.video.path).frames
            truth = arrays.source if arrays.reference is None else arrays.reference
            pictures[sample.id] = np.stack([x[sample.frames // 2] for x in (arrays.source, truth, edit)])
    return Figures(values, pictures)


def _with_few_metrics(loaded: LoadedSplit) -> LoadedSplit:
    """Return a split that asks for `METRICS` alone, and its main one."""
    metrics = tuple(name for name in loaded.split.metrics if name in (*METRICS, loaded.split.main_metric))
    return replace(loaded, split=loaded.split.model_copy(update={"metrics": metrics}))


class _Silent:
    """The harness's reporter; training has a log of its own."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        yield lambda _: None
