"""Suites: from a name or a folder to pinned splits, and from a sample to its arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vivid_bench.clip_files import check_inside, content_sha256, read_clip, read_mask
from vivid_bench.datasets.folder import read_folder
from vivid_bench.datasets.readers import DATASETS, load_reader, read_dataset
from vivid_bench.datasets.types import distinct
from vivid_bench.errors import InputError, InputReportError, NoSamplesError, UnknownNameError, VividBenchError
from vivid_bench.files import canonical_json, sha256_text
from vivid_bench.keyframes import keyframe_problems, with_keyframes
from vivid_bench.registry import package_folder
from vivid_bench.shards import MEMBER
from vivid_bench.suite_file import METRIC_NAMES, read_samples, read_suite_file
from vivid_bench.types import COMPOSITES, TASKS, Composite, FileRef, Frames, Mask, Sample, Split, Task
from vivid_bench.video import check_shape

FOLDER = "folder"
DATA_SUITES = (FOLDER, *DATASETS)
"""Suites whose clips lie where `--data` says."""
_LATER_FIELDS = ("span", "labels")


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
        source = self._frames(sample.source, sample)
        self._check_pin(sample.mask)
        count = sample.frames if sample.span else None
        mask, _ = read_mask(self.root, sample.mask.path, sample.span, count, sample.labels)
        check_shape(self.root / sample.mask.path, mask.shape, source.shape[:3], "the split")
        if sample.reference is None:
            return SampleArrays(source, mask, None)
        if sample.reference == sample.source:
            return SampleArrays(source, mask, source)
        return SampleArrays(source, mask, self._frames(sample.reference, sample))

    def check_files(self) -> None:
        """Check every file against its hash; raises `InputReportError` naming all that differ."""
        refs = {ref for s in self.split.samples for ref in (s.source, s.mask, s.reference) if ref}
        problems: list[VividBenchError] = []
        for ref in sorted(refs, key=lambda ref: ref.path):
            try:
                self._check_pin(ref)
            except InputError as error:
                problems.append(error)
        if problems:
            raise InputReportError(self.root, problems)

    def _frames(self, ref: FileRef, sample: Sample) -> Frames:
        self._check_pin(ref)
        frames = read_clip(self.root, ref.path, sample.span, sample.frames if sample.span else None).frames
        check_shape(self.root / ref.path, frames.shape, (sample.frames, sample.height, sample.width), "the split")
        return frames

    def _check_pin(self, ref: FileRef) -> None:
        check_inside(self.root, ref.path)
        file = self.root / ref.path.partition(MEMBER)[0]
        if not file.exists():
            raise InputError(file, expected="a file of the suite", found="nothing", fix="restore it")
        if (found := content_sha256(self.root, ref.path)) != ref.sha256:
            raise InputError(
                self.root / ref.path, expected=f"sha256 {ref.sha256[:12]}…", found=f"{found[:12]}…",
                fix="the file changed after it was pinned: restore it, or start a new run",
            )  # fmt: skip


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
        suite: a suite that ships, `folder` or a published set (both need `data`), or a path to a folder with
            `suite.toml`.
        tasks: in the order wanted; tasks that a suite lacks are left out when several are asked for.
        data: the user's clips, for `folder`, or where the published set lies.
        limit: keep the first so many samples a task.
        keyframes: frame indices for the keyframe track, in place of those that the suite pins, which None keeps.

    Raises:
        UnknownNameError, InputError, InputReportError: nothing usable; every problem is named at once.
    """
    if limit is not None and limit < 1:
        raise VividBenchError(f"--limit must be at least 1, not {limit}")
    if suite in DATA_SUITES:
        if data is None:
            what = "the folder of your clips" if suite == FOLDER else f"where {suite} lies"
            raise VividBenchError(f"suite {suite} needs --data DIR, {what}")
        read = _folder_splits if suite == FOLDER else partial(_dataset_splits, suite)
        loaded = read(data, tasks, limit, keyframes)
        _check_keyframes(loaded)
        return loaded
    if data is not None:
        raise VividBenchError(f"--data goes with --suite {'|'.join(DATA_SUITES)}; suite {suite} brings its own clips")
    folder = suite_folders().get(suite) or Path(suite)
    if not (folder / "suite.toml").is_file():
        raise UnknownNameError("suite", suite, (*suite_folders(), *DATA_SUITES))
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
            # Warnings are said once, with the first split.
            warnings = () if loaded else tuple(report.warnings)
            loaded.append(_data_split(FOLDER, task, data, with_keyframes(samples, keyframes), warnings))
    return loaded


def _dataset_splits(
    suite: str, data: Path, tasks: tuple[Task, ...], limit: int | None, keyframes: tuple[int, ...] | None
) -> list[LoadedSplit]:
    present = [task for task in tasks if task in load_reader(suite).CARD.tasks]
    reports, missing = {}, []
    for task in present or tasks[:1]:
        try:
            reports[task] = read_dataset(suite, data, task, limit)
        except NoSamplesError as error:
            missing.append(error)
    if not reports:
        raise missing[0]
    if problems := distinct(problem for report in reports.values() for problem in report.problems):
        raise InputReportError(data, problems)
    return [
        _data_split(suite, task, data, with_keyframes(report.samples, keyframes), tuple(report.warnings))
        for task, report in reports.items()
    ]


def _data_split(suite: str, task: Task, data: Path, samples: list[Sample], warnings: tuple[str, ...]) -> LoadedSplit:
    main = "edit_psnr" if any(s.reference for s in samples) else "background_psnr"
    return LoadedSplit(_split(suite, task, "1", samples, METRIC_NAMES, main), data, warnings)


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
        samples = with_keyframes(read_samples(folder, task, table), keyframes)
        split = _split(suite.name, task, suite.version, samples, table.metrics, table.main_metric)
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


def _split(suite: str, task: Task, version: str, samples: list[Sample], metrics: tuple[str, ...], main: str) -> Split:
    # Without what most samples lack, so that a field which is new does not change the hash of what has none.
    kept = [
        {k: v for k, v in s.model_dump(mode="json").items() if v is not None or k not in _LATER_FIELDS} for s in samples
    ]
    digest = sha256_text(canonical_json(kept))
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
