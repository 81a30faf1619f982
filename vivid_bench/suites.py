"""Suites: from a name or a folder to pinned splits, and from a sample to its arrays."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivid_bench.datasets.folder import read_folder
from vivid_bench.errors import InputError, InputReportError, UnknownNameError, VividBenchError
from vivid_bench.files import canonical_json, sha256_path, sha256_text
from vivid_bench.keyframes import keyframe_problems, with_keyframes
from vivid_bench.masks import binarise
from vivid_bench.metrics import check_name
from vivid_bench.registry import package_folder
from vivid_bench.types import COMPOSITES, NAME_PATTERN, TASKS, Composite, FileRef, Frames, Mask, Sample, Split, Task
from vivid_bench.video import check_shape, read_video

FOLDER = "folder"
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


@dataclass(frozen=True)
class SampleArrays:
    """A sample's pixels: (T, H, W, 3) uint8 source and reference, (T, H, W) bool mask."""

    source: Frames
    mask: Mask
    reference: Frames | None


@dataclass(frozen=True)
class LoadedSplit:
    """A split, the folder that its paths are relative to, and what its reader wants the user to know."""

    split: Split
    root: Path
    warnings: tuple[str, ...] = ()

    def read(self, sample: Sample) -> SampleArrays:
        """Decode one sample after checking its files against their hashes; raises `InputError`."""
        source = read_video(self._pinned(sample.source)).frames
        mask_path = self._pinned(sample.mask)
        mask, _ = binarise(read_video(mask_path, grey=True).frames)
        expected = (sample.frames, sample.height, sample.width)
        check_shape(self.root / sample.source.path, source.shape, expected, "the split")
        check_shape(mask_path, mask.shape, expected, "the split")
        if sample.reference is None:
            return SampleArrays(source, mask, None)
        if sample.reference == sample.source:
            return SampleArrays(source, mask, source)
        reference = read_video(self._pinned(sample.reference)).frames
        check_shape(self.root / sample.reference.path, reference.shape, expected, "the split")
        return SampleArrays(source, mask, reference)

    def check_files(self) -> None:
        """Check every file against its hash; raises `InputReportError` naming all that differ."""
        refs = {ref for s in self.split.samples for ref in (s.source, s.mask, s.reference) if ref}
        problems: list[VividBenchError] = []
        for ref in sorted(refs, key=lambda ref: ref.path):
            try:
                self._pinned(ref)
            except InputError as error:
                problems.append(error)
        if problems:
            raise InputReportError(self.root, problems)

    def _pinned(self, ref: FileRef) -> Path:
        path = self.root / ref.path
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise InputError(path, expected="a path inside the suite", found="one outside", fix="correct the suite")
        if not path.exists():
            raise InputError(path, expected="a file of the suite", found="nothing", fix="restore it")
        if (found := sha256_path(path)) != ref.sha256:
            raise InputError(
                path, expected=f"sha256 {ref.sha256[:12]}…", found=f"{found[:12]}…",
                fix="the file changed after it was pinned: restore it, or start a new run",
            )  # fmt: skip
        return path


def suite_folders() -> dict[str, Path]:
    """Return name -> folder of the suites that ship with the package."""
    return {p.parent.name: p.parent for p in sorted(package_folder("vivid_bench.tasks").glob("*/suite.toml"))}


def load_splits(
    suite: str,
    tasks: tuple[Task, ...],
    data: Path | None = None,
    limit: int | None = None,
    keyframes: tuple[int, ...] | None = None,
) -> list[LoadedSplit]:
    """Return the splits of a suite for the tasks asked for, each with its first `limit` samples.

    Args:
        suite: a suite that ships, `folder` (needs `data`), or a path to a folder with `suite.toml`.
        tasks: in the order wanted; tasks that a suite lacks are left out when several are asked for.
        data: the user's clips, for `folder`.
        limit: keep the first so many samples a task.
        keyframes: frame indices for the keyframe track, in place of those that the suite pins, which None keeps.

    Raises:
        UnknownNameError, InputError, InputReportError: nothing usable; every problem is named at once.
    """
    if limit is not None and limit < 1:
        raise VividBenchError(f"--limit must be at least 1, not {limit}")
    if suite == FOLDER:
        if data is None:
            raise VividBenchError("suite folder needs --data DIR, the folder of your clips")
        return _folder_splits(data, tasks, limit, keyframes)
    if data is not None:
        raise VividBenchError(f"--data goes with --suite folder; suite {suite} brings its own clips")
    folder = suite_folders().get(suite) or Path(suite)
    if not (folder / "suite.toml").is_file():
        raise UnknownNameError("suite", suite, (*suite_folders(), FOLDER))
    return _shipped_splits(folder, tasks, limit, keyframes)


def _folder_splits(
    data: Path, tasks: tuple[Task, ...], limit: int | None, keyframes: tuple[int, ...] | None
) -> list[LoadedSplit]:
    report = read_folder(data, tasks[0] if len(tasks) == 1 else None, limit if len(tasks) == 1 else None)
    if report.problems:
        raise InputReportError(data, report.problems)
    loaded: list[LoadedSplit] = []
    for task in tasks:
        samples = [s for s in report.samples if s.task == task][:limit]
        if samples:
            main = "edit_psnr" if any(s.reference for s in samples) else "background_psnr"
            split = _split(FOLDER, task, "1", with_keyframes(samples, keyframes), METRIC_NAMES, main)
            # Warnings are said once, with the first split.
            loaded.append(LoadedSplit(split, data, () if loaded else tuple(report.warnings)))
    _check_keyframes(loaded)
    return loaded


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


def _shipped_splits(
    folder: Path, tasks: tuple[Task, ...], limit: int | None, keyframes: tuple[int, ...] | None
) -> list[LoadedSplit]:
    suite = read_suite_file(folder)
    present = [task for task in tasks if task in suite.tasks]
    if not present:
        found = ", ".join(suite.tasks) or "no tasks"
        raise InputError(folder / "suite.toml", expected=f"the task {tasks[0]}", found=found, fix="pass another --task")
    loaded = []
    for task in present:
        table = suite.tasks[task]
        path = folder / table.samples
        if not path.is_file() or sha256_path(path) != table.sha256:
            found = "another one" if path.is_file() else "nothing"
            expected = f"the list pinned in suite.toml ({table.sha256[:12]}…)"
            raise InputError(path, expected=expected, found=found, fix="restore it")
        samples = with_keyframes(_read_samples(path), keyframes)
        split = _split(suite.name, task, suite.version, samples, table.metrics, table.main_metric)
        _check_split(path, split)
        loaded.append(LoadedSplit(split, folder))
    # Keyframes belong to the whole split, whose hash a limit does not change.
    _check_keyframes(loaded)
    limited = [
        replace(kept, split=kept.split.model_copy(update={"samples": kept.split.samples[:limit]})) for kept in loaded
    ]
    for kept in limited:
        kept.check_files()
    return limited


def _check_keyframes(splits: list[LoadedSplit]) -> None:
    problems = [p for kept in splits for p in keyframe_problems(kept.root, kept.split.samples)]
    if problems:
        raise InputReportError(splits[0].root, problems)


def _check_split(path: Path, split: Split) -> None:
    for name in (*split.metrics, split.main_metric):
        check_name(name)
    if split.main_metric not in split.metrics:
        raise InputError(
            path.parent / "suite.toml", expected="the main metric among the metrics", found=split.main_metric,
            fix="add it to metrics",
        )  # fmt: skip
    ids = [sample.id for sample in split.samples]
    if doubles := sorted({i for i in ids if ids.count(i) > 1}):
        raise InputError(path, expected="each id once", found=f"{', '.join(doubles)} again", fix="remove one")
    if other := [sample.id for sample in split.samples if sample.task != split.task]:
        raise InputError(
            path, expected=f"{split.task} samples", found=f"another task: {', '.join(other)}", fix="move it"
        )


def _read_samples(path: Path) -> list[Sample]:
    samples = []
    # Not splitlines(): a caption may hold a character that it takes for a line's end.
    for number, line in enumerate(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"), 1):
        try:
            samples.append(Sample.model_validate_json(line))
        except ValidationError as error:
            raise InputError(f"{path}:{number}", expected="a sample", found=str(error), fix="correct it") from error
    return samples


def _split(suite: str, task: Task, version: str, samples: list[Sample], metrics: tuple[str, ...], main: str) -> Split:
    digest = sha256_text(canonical_json([s.model_dump(mode="json") for s in samples]))
    return Split(
        suite=suite, task=task, version=version, sha256=digest, samples=tuple(samples), metrics=metrics,
        main_metric=main,
    )  # fmt: skip


def parse_tasks(text: str) -> tuple[Task, ...]:
    """Return the tasks that `--task` names: one, or all; raises `UnknownNameError`."""
    if text == "all":
        return TASKS
    for task in TASKS:
        if text == task:
            return (task,)
    raise UnknownNameError("task", text, (*TASKS, "all"))


def parse_composite(text: str) -> Composite:
    """Return the composite mode of a name; raises `UnknownNameError`."""
    for mode in COMPOSITES:
        if text == mode:
            return mode
    raise UnknownNameError("composite", text, COMPOSITES)
