"""A command's worth of work: methods on splits, each run opened, generated, scored and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vivid_bench.edits import submission_ref
from vivid_bench.errors import MethodError, RecordError
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import KnownMethod, find_method, known_methods
from vivid_bench.records import RunFolder, new_record
from vivid_bench.score_cache import default_folder
from vivid_bench.scoring import ScoringJob, is_complete, score_jobs
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import Composite, EditedClip, Task
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
        """How many clips failed, over all runs that are no controls."""
        records = [folder.record() for folder in self.folders]
        return sum(record.n_failed for record in records if record and record.method.kind != "control")


@dataclass(frozen=True)
class RunOptions:
    """What a run command is asked for beside methods and splits.

    Attributes:
        seeds: how many runs each method gets, with seeds `seed`, `seed` + 1, …; a control uses none and gets one run.
    """

    out: Path
    device: str = "cpu"
    composite: Composite = "none"
    seed: int = 0
    seeds: int = 1
    overwrite: bool = False


@dataclass(frozen=True)
class Submission:
    """Finished videos, matched to their samples: `clips` by sample id, with paths relative to `edits`."""

    name: str
    edits: Path
    clips: dict[str, EditedClip]


def choose_methods(names: str, tasks: Sequence[Task], *, controls: bool, keyframes: bool = True) -> list[KnownMethod]:
    """Return the methods of a comma-separated list, or `all`; with `controls`, every control after them.

    Args:
        names: of methods; those asked for by name must fit, of `all` and of the controls those that fit are taken.
        tasks: what is to be edited.
        controls: whether the controls come too.
        keyframes: False when there are none, so that methods that need them are out.

    Raises:
        UnknownNameError: for a name that nothing has.
        MethodError: a method was named that does none of the tasks or needs keyframes, or none was named.
    """
    fitting = [m for m in known_methods().values() if keyframes or not m.card.needs_keyframes]
    if names == "all":
        chosen = list(fitting)
    else:
        chosen = [find_method(name.strip()) for name in names.split(",") if name.strip()]
        if not chosen:
            raise MethodError("no method was named; `vivid-bench list methods` shows them")
        for known in chosen:
            if not set(tasks) & set(known.card.tasks):
                raise MethodError(
                    f"method {known.card.name} does {', '.join(known.card.tasks)}, not {', '.join(tasks)}"
                )
            if known.card.needs_keyframes and not keyframes:
                raise MethodError(
                    f"method {known.card.name} needs keyframes: pass --keyframes 0, or other frame indices"
                )
    if controls:
        chosen += [m for m in fitting if m.card.kind == "control"]
    return [known for i, known in enumerate(chosen) if known not in chosen[:i]]


def leave_out(methods: Sequence[KnownMethod], names: str, device: str) -> tuple[list[KnownMethod], list[str]]:
    """Return the methods that can run on this machine, and the names of the others.

    Args:
        methods: chosen ones.
        names: what they were chosen by; of `all`, those that cannot run are left out.
        device: `cpu` or `cuda`.

    Raises:
        MethodError: a method that cannot run was asked for by name; says why.
    """
    reasons = {known.card.name: reason for known in methods if (reason := known.why_not_here(device))}
    if reasons and names != "all":
        raise MethodError("\n".join(f"method {name} cannot run here: {reason}" for name, reason in reasons.items()))
    return [known for known in methods if known.card.name not in reasons], list(reasons)


def run_methods(
    methods: Sequence[KnownMethod],
    splits: Sequence[LoadedSplit],
    options: RunOptions,
    reporter: Reporter,
    *,
    submission: Submission | None = None,
    scored: bool = True,
) -> Outcome:
    """Generate, and unless `scored` is False score, every method on every split whose task and track it does.

    All runs of a split, a submission's too, are scored together: each sample is decoded and its flow found once.
    """
    outcome = Outcome()
    for loaded in splits:
        with ExitStack() as locks:
            opened: list[ScoringJob | RunFolder] = []
            if submission is not None:
                opened.append(_open_submission(submission, loaded, options, reporter, locks))
            for known in methods:
                if not _fits(known, loaded):
                    continue
                try:
                    for seed in _seeds(known, options):
                        opened.append(_open_method(known, loaded, options, seed, reporter, locks))
                except MethodError as error:
                    outcome.errors.append(error)
            outcome.folders += [item.folder if isinstance(item, ScoringJob) else item for item in opened]
            if scored:
                jobs = [item for item in opened if isinstance(item, ScoringJob)]
                _score(jobs, loaded, reporter, options.device, options.overwrite)
    return outcome


def _fits(known: KnownMethod, loaded: LoadedSplit) -> bool:
    has_what_it_needs = loaded.split.keyframes is not None or not known.card.needs_keyframes
    return loaded.split.task in known.card.tasks and has_what_it_needs


def _seeds(known: KnownMethod, options: RunOptions) -> range:
    count = 1 if known.card.kind == "control" else options.seeds
    return range(options.seed, options.seed + count)


def _open_method(
    known: KnownMethod, loaded: LoadedSplit, options: RunOptions, seed: int, reporter: Reporter, locks: ExitStack
) -> ScoringJob | RunFolder:
    """Return the job of scoring a run whose edits are made, or the folder of a run that is finished."""
    folder, record = new_run(options.out, known, loaded, options.composite, seed, options.device)
    name = f"{known.card.name} seed {seed}" if len(_seeds(known, options)) > 1 else known.card.name
    # Other methods' runs need the same controls: a short wait is better than giving up.
    is_control = known.card.kind == "control"
    if is_control and folder.is_locked():
        reporter.say(f"{known.card.name}: waiting for another vivid-bench that is making it")
    locks.enter_context(folder.lock(wait=is_control))
    if not options.overwrite and is_complete(folder, loaded):
        _say_finished(reporter, name, loaded, folder)
        return folder
    with reporter.stage(f"{loaded.split.task}: {name}", len(loaded.split.samples)) as progress:
        record = generate(folder, record, known, loaded, progress, overwrite=options.overwrite)
    return ScoringJob(folder, record, folder.path)


def _open_submission(
    submission: Submission, loaded: LoadedSplit, options: RunOptions, reporter: Reporter, locks: ExitStack
) -> ScoringJob | RunFolder:
    clips = {sample.id: submission.clips[sample.id] for sample in loaded.split.samples}
    record = new_record(submission_ref(submission.name, clips), loaded.split, "none", options.seed, options.device)
    folder = RunFolder.of(options.out, record)
    locks.enter_context(folder.lock())
    if options.overwrite:
        folder.clear()
    if is_complete(folder, loaded):
        _say_finished(reporter, submission.name, loaded, folder)
        return folder
    for clip in clips.values():
        assert clip.video is not None
        preview = folder.previews_dir / f"{clip.sample_id}.mp4"
        if not preview.exists():
            video = read_video(submission.edits / clip.video.path)
            write_preview(preview, video.frames, video.fps)
            folder.add_edit(clip)
    folder.finish_edits(record.samples)
    record = (folder.record() or record).model_copy(update={"n_edited": len(clips), "status": "generated"})
    folder.write_record(record)
    return ScoringJob(folder, record, submission.edits)


def _say_finished(reporter: Reporter, name: str, loaded: LoadedSplit, folder: RunFolder) -> None:
    record = folder.record()
    failed = f", {record.n_failed} clips failed" if record and record.n_failed else ""
    reporter.say(
        f"{name}, {loaded.split.task}: finished before ({folder.path}){failed}, nothing to do; --overwrite redoes it"
    )


def _score(jobs: Sequence[ScoringJob], loaded: LoadedSplit, reporter: Reporter, device: str, overwrite: bool) -> None:
    if not jobs:
        return
    title = f"{loaded.split.task}: scoring {len(jobs)} run{'s' if len(jobs) > 1 else ''}"
    with reporter.stage(title, len(loaded.split.samples)) as progress:
        score_jobs(jobs, loaded, progress, device, None if overwrite else default_folder())


def score_runs(
    folders: Sequence[RunFolder],
    loaded: LoadedSplit,
    reporter: Reporter,
    *,
    device: str = "cpu",
    overwrite: bool = False,
) -> list[RecordError]:
    """Score generated runs of one split, those already complete left alone, and return what could not be scored."""
    errors = []
    with ExitStack() as locks:
        jobs = []
        for folder in folders:
            locks.enter_context(folder.lock())
            try:
                if not overwrite and is_complete(folder, loaded):
                    reporter.say(f"{folder.path}: scored before, nothing to do; --overwrite redoes it")
                    continue
                jobs.append(_scoring_job(folder, loaded, overwrite))
            except RecordError as error:
                errors.append(error)
        _score(jobs, loaded, reporter, device, overwrite)
    return errors


def _scoring_job(folder: RunFolder, loaded: LoadedSplit, overwrite: bool) -> ScoringJob:
    record, _ = folder.finished(loaded.split)
    if record.method.kind == "submission":
        raise RecordError(f"{folder.path}: a submission; score it again with --edits and --overwrite")
    if overwrite:
        # Killed midway it is not finished, whatever it was before.
        folder.drop_parts()
        record = record.model_copy(update={"status": "generated"})
        folder.write_record(record)
    return ScoringJob(folder, record, folder.path)
