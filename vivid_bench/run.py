"""A command's worth of work: methods on splits, each run opened, generated, scored and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vivid_bench.edits import submission_ref
from vivid_bench.errors import MethodError, RecordError
from vivid_bench.generate import generate, open_run
from vivid_bench.methods import KnownMethod, find_method, known_methods
from vivid_bench.records import RunFolder, new_record
from vivid_bench.scoring import ScoringJob, is_complete, score_jobs
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import Composite, EditedClip, RunRecord, Task
from vivid_bench.video import read_video, write_preview


class Reporter(Protocol):
    """Where progress goes; the command line's is a bar or log lines."""

    def say(self, text: str) -> None:
        """Tell the user one thing."""
        ...

    def stage(self, title: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        """Enter a stage of `total` clips; the callable is told each finished sample's id."""
        ...


@dataclass
class Outcome:
    """The runs of a command, finished ones included, and the methods that could not be run at all."""

    folders: list[RunFolder] = field(default_factory=list)
    errors: list[MethodError] = field(default_factory=list)

    @property
    def n_failed(self) -> int:
        """How many clips failed, over all runs."""
        return sum(record.n_failed for f in self.folders if (record := f.record()))


@dataclass(frozen=True)
class RunOptions:
    """What a run command is asked for beside methods and splits."""

    out: Path
    device: str = "cpu"
    composite: Composite = "none"
    seed: int = 0
    overwrite: bool = False


def choose_methods(names: str, tasks: Sequence[Task], *, controls: bool) -> list[KnownMethod]:
    """Return the methods of a comma-separated list, or `all`; with `controls`, every control after them.

    Raises:
        UnknownNameError: for a name that nothing has.
        MethodError: a method was named that does none of the tasks.
    """
    if names == "all":
        chosen = list(known_methods().values())
    else:
        chosen = [find_method(name.strip()) for name in names.split(",") if name.strip()]
        for known in chosen:
            if not set(tasks) & set(known.card.tasks):
                raise MethodError(
                    f"method {known.card.name} does {', '.join(known.card.tasks)}, not {', '.join(tasks)}"
                )
    if controls:
        chosen += [m for m in known_methods().values() if m.card.kind == "control"]
    return [known for i, known in enumerate(chosen) if known not in chosen[:i]]


def run_methods(
    methods: Sequence[KnownMethod],
    splits: Sequence[LoadedSplit],
    options: RunOptions,
    reporter: Reporter,
    *,
    scored: bool = True,
) -> Outcome:
    """Generate, and unless `scored` is False score, every method on every split whose task it does."""
    outcome = Outcome()
    for loaded in splits:
        with ExitStack() as locks:
            jobs = []
            for known in methods:
                if loaded.split.task not in known.card.tasks:
                    continue
                try:
                    job = _generate_one(known, loaded, options, reporter, outcome, locks)
                except MethodError as error:
                    outcome.errors.append(error)
                    continue
                if job is not None:
                    jobs.append(job)
            if scored:
                score_with_progress(jobs, loaded, reporter)
    return outcome


def _generate_one(
    known: KnownMethod,
    loaded: LoadedSplit,
    options: RunOptions,
    reporter: Reporter,
    outcome: Outcome,
    locks: ExitStack,
) -> ScoringJob | None:
    name, n = known.card.name, len(loaded.split.samples)
    folder, record = open_run(
        options.out, known, loaded, options.composite, options.seed, options.device, fresh=options.overwrite
    )
    locks.enter_context(folder.lock())
    if options.overwrite:
        folder.clear()
    elif is_complete(folder.record(), loaded):
        reporter.say(
            f"{name}, {loaded.split.task}: finished before ({folder.path}), nothing to do; --overwrite redoes it"
        )
        outcome.folders.append(folder)
        return None
    with reporter.stage(f"{loaded.split.task}: {name}", n) as progress:
        record = generate(folder, record, known, loaded, options.device, progress)
    outcome.folders.append(folder)
    return ScoringJob(folder, record, folder.path)


def score_with_progress(jobs: Sequence[ScoringJob], loaded: LoadedSplit, reporter: Reporter) -> None:
    """Score jobs whose locks are held, if there are any."""
    if not jobs:
        return
    title = f"{loaded.split.task}: scoring {len(jobs)} run{'s' if len(jobs) > 1 else ''}"
    with reporter.stage(title, len(loaded.split.samples)) as progress:
        score_jobs(jobs, loaded, progress)


def score_submission(
    name: str,
    edits: Path,
    clips: dict[str, EditedClip],
    loaded: LoadedSplit,
    options: RunOptions,
    reporter: Reporter,
) -> RunFolder:
    """Record and score finished videos that were matched to a split's samples."""
    clips = {sample.id: clips[sample.id] for sample in loaded.split.samples}
    record = new_record(submission_ref(name, clips), loaded.split, "none", options.seed, options.device)
    folder = RunFolder.of(options.out, record)
    with folder.lock():
        if options.overwrite:
            folder.clear()
        stored = folder.record()
        if is_complete(stored, loaded):
            reporter.say(
                f"{name}, {loaded.split.task}: finished before ({folder.path}), nothing to do; --overwrite redoes it"
            )
            return folder
        record = _record_submission(folder, stored or record, edits, clips)
        score_with_progress([ScoringJob(folder, record, edits)], loaded, reporter)
    return folder


def _record_submission(folder: RunFolder, record: RunRecord, edits: Path, clips: dict[str, EditedClip]) -> RunRecord:
    for clip in clips.values():
        assert clip.video is not None
        preview = folder.previews_dir / f"{clip.sample_id}.mp4"
        if not preview.exists():
            video = read_video(edits / clip.video.path)
            write_preview(preview, video.frames, video.fps)
        folder.add_edit(clip)
    folder.finish_edits(record.samples)
    record = record.model_copy(update={"n_edited": len(clips)})
    if record.status == "generating":
        record = record.model_copy(update={"status": "generated"})
    folder.write_record(record)
    return record


def score_runs(folders: Sequence[RunFolder], loaded: LoadedSplit, reporter: Reporter) -> None:
    """Score generated runs of one split, those already complete left alone; raises `RecordError` for another split."""
    with ExitStack() as locks:
        jobs = []
        for folder in folders:
            locks.enter_context(folder.lock())
            record = folder.record()
            if record is None or record.status == "generating":
                raise RecordError(f"{folder.path}: its edits are not finished; start the same `generate` again")
            if record.split_sha256 != loaded.split.sha256:
                raise RecordError(
                    f"{folder.path}: made on split {record.split_sha256[:12]}…, the one at hand is "
                    f"{loaded.split.sha256[:12]}…: pass the suite and --data that it was made with"
                )
            if record.method.kind == "submission":
                raise RecordError(f"{folder.path}: a submission; score it again with --edits and --overwrite")
            if is_complete(record, loaded):
                reporter.say(f"{folder.path}: scored before, nothing to do")
            else:
                jobs.append(ScoringJob(folder, record, folder.path))
        score_with_progress(jobs, loaded, reporter)
