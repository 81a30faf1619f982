"""`suite.toml` and the lists of samples that it pins: what a suite's folder holds beside its clips."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.metrics import check_name
from vivid_bench.types import NAME_PATTERN, Sample, Task

METRIC_NAMES = (
    *(
        f"{region}_{measure}"
        for region in ("edit", "boundary", "background")
        for measure in ("psnr", "ssim", "l1", "mse")
    ),
    "edit_lpips@alex",
    "background_lpips@alex",
    "clip_text_full@ViT-L-14/openai",
    "clip_text_region@ViT-L-14/openai",
    "clip_text_masked@ViT-L-14/openai",
    "clip_image_region@ViT-L-14/openai",
    "clip_temporal_full@ViT-L-14/openai",
    "clip_temporal_region@ViT-L-14/openai",
    "removal_success@ViT-L-14/openai",
    "removal_success_histogram",
    "rc_s@dinov2-giant",
    "rc_t@dinov2-giant",
    "remove@sam-vit-huge",
    "background_warp_error",
    "edit_warp_error",
)
"""The metrics of a suite that does not choose its own."""


class TaskTable(BaseModel):
    """One `[tasks.<task>]` of `suite.toml`.

    Attributes:
        samples: the list's file name; `sha256` pins it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: str
    sha256: str
    main_metric: str
    metrics: tuple[str, ...] = METRIC_NAMES


class SuiteFile(BaseModel):
    """The content of `suite.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME_PATTERN)
    version: str
    description: str = ""
    licence: str | None = None
    tasks: dict[Task, TaskTable]


def read_suite_file(folder: Path) -> SuiteFile:
    """Read `suite.toml`; raises `InputError`."""
    path = folder / "suite.toml"
    try:
        return SuiteFile(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise InputError(path, expected="a suite", found=str(error), fix="correct it") from error


def read_samples(folder: Path, task: Task, table: TaskTable) -> list[Sample]:
    """Read a task's list after checking it against its pin.

    Raises:
        InputError: another list than the one that was pinned, or one that is no list of the task's samples.
        UnknownNameError: a metric that does not exist.
    """
    path = folder / table.samples
    if not path.is_file() or sha256_path(path) != table.sha256:
        found = "another one" if path.is_file() else "nothing"
        expected = f"the list pinned in suite.toml ({table.sha256[:12]}…)"
        raise InputError(path, expected=expected, found=found, fix="restore it")
    for name in (*table.metrics, table.main_metric):
        check_name(name)
    if table.main_metric not in table.metrics:
        raise InputError(
            folder / "suite.toml", expected="the main metric among the metrics", found=table.main_metric,
            fix="add it to metrics",
        )  # fmt: skip
    samples = _parsed(path)
    if doubles := sorted(name for name, count in Counter(sample.id for sample in samples).items() if count > 1):
        raise InputError(path, expected="each id once", found=f"{', '.join(doubles)} again", fix="remove one")
    if other := [sample.id for sample in samples if sample.task != task]:
        raise InputError(path, expected=f"{task} samples", found=f"another task: {', '.join(other)}", fix="move it")
    return samples


def _parsed(path: Path) -> list[Sample]:
    samples = []
    # Not splitlines(): a caption may hold a character that it takes for a line's end.
    for number, line in enumerate(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"), 1):
        try:
            samples.append(Sample.model_validate_json(line))
        except ValidationError as error:
            raise InputError(f"{path}:{number}", expected="a sample", found=str(error), fix="correct it") from error
    return samples
