"""A study from finished runs: a blinded packet a rater, the plan for the lab, and the sealed key."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from vivid_bench.compositing import hide_hole
from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.files import canonical_json, disk_errors_named, sha256_text, write_text
from vivid_bench.study.design import Group, make_design
from vivid_bench.study.media import encode, pad_to_equal_bytes
from vivid_bench.study.packets import Clip, clips_of, make_packet, write_packet
from vivid_bench.study.pictures import break_clip, enlarge_small, outline_hole
from vivid_bench.study.plan import plan_text
from vivid_bench.study.saved import KEY
from vivid_bench.study.selection import SelectedRun, SelectedTask, Selection
from vivid_bench.study.texts import CONSENT
from vivid_bench.study.types import (
    Design,
    Item,
    Question,
    RaterPlan,
    StudyKey,
    StudyRun,
    StudySample,
)
from vivid_bench.types import Sample

if TYPE_CHECKING:
    from vivid_bench.run import Reporter

PACKETS = "packets"
PLAN = "plan.md"
ENCODERS = min(4, os.cpu_count() or 1)
"""Samples encoded side by side; each holds a few clips in memory."""


@dataclass(frozen=True)
class StudyOptions:
    """What a lab chooses.

    Attributes:
        per_rater: scored items a rater.
        ties: whether a pair may be called a tie (pairwise only).
        deadline: the last day that answers count, UTC; None: no end.
        consent: what raters agree to, plain text, a blank line between paragraphs.
    """

    design: Design
    questions: tuple[Question, ...]
    raters: int
    per_rater: int
    seed: int = 0
    ties: bool = False
    deadline: date | None = None
    consent: str = CONSENT


def build_study(selection: Selection, options: StudyOptions, out: Path, reporter: Reporter) -> StudyKey:
    """Write `packets/<rater>/`, `plan.md` and `key.json` (readable by its owner alone) to a new folder, or nothing.

    Equal runs and options give an equal study.

    Args:
        selection: what takes part.
        options: what the lab chooses.
        out: a folder that does not exist or is empty.
        reporter: told how many samples' clips are encoded.

    Raises:
        InputError: a folder that has something in it, data that are not as pinned.
        VividBenchError: options that make no study.
    """
    if options.ties and options.design != "pairwise":
        raise VividBenchError("--ties goes with --design pairwise")
    digest = _digest(selection, options)
    items = make_design(options.design, _groups(selection), options.raters, options.per_rater, Random(digest))
    with _whole_or_nothing(out) as folder:
        clips = _encode_all(selection, items, folder / "clips", digest, reporter)
        fps = [sample.fps for task in selection.tasks for sample in task.samples]
        key = _key(selection, options, digest[:16])
        plans = []
        for number, own in enumerate(items, 1):
            packet = make_packet(key, f"r{number:03}", own, fps, options.consent, digest)
            write_packet(folder / PACKETS / packet.rater, packet, own, clips)
            plans.append(RaterPlan(rater=packet.rater, packet=packet.packet, items=own))
        shutil.rmtree(folder / "clips")
        key = key.model_copy(update={"raters": tuple(plans)})
        write_text(folder / PLAN, plan_text(key, selection.left_out))
        _write_key(folder / KEY, key)
    return key


def _digest(selection: Selection, options: StudyOptions) -> str:
    """Return a hash over all that decides the study; nobody can tell it from its first digits, the study's name."""
    tasks = [
        {
            "split": task.loaded.split.sha256,
            "runs": [run.row.record.run_key for run in task.runs],
            "edits": [[_sha256(run, sample) for sample in task.samples] for run in task.runs],
            "samples": [sample.id for sample in task.samples],
        }
        for task in selection.tasks
    ]
    chosen = {
        "design": options.design,
        "questions": options.questions,
        "raters": options.raters,
        "per rater": options.per_rater,
        "seed": options.seed,
        "ties": options.ties,
        "deadline": str(options.deadline),
        "consent": options.consent,
    }
    return sha256_text(canonical_json({"tasks": tasks, "options": chosen}))


def _sha256(run: SelectedRun, sample: Sample) -> str:
    video = run.edits[sample.id].video
    assert video is not None
    return video.sha256


def _groups(selection: Selection) -> list[Group]:
    groups, samples, runs = [], 0, 0
    for task in selection.tasks:
        after = samples + len(task.samples), runs + len(task.runs)
        groups.append(Group(tuple(range(samples, after[0])), tuple(range(runs, after[1]))))
        samples, runs = after
    return groups


def _key(selection: Selection, options: StudyOptions, study: str) -> StudyKey:
    """Return the key, its raters still missing."""
    everything = [(task, sample) for task in selection.tasks for sample in task.samples]
    return StudyKey(
        study=study,
        design=options.design,
        ties=options.ties,
        questions=options.questions,
        seed=options.seed,
        deadline=None if options.deadline is None else options.deadline.isoformat(),
        samples=tuple(
            StudySample(
                id=sample.id, suite=task.loaded.split.suite, task=sample.task, prompt=sample.prompt,
                source_video=sample.source_video, mask_kind=sample.mask_kind,
            )
            for task, sample in everything
        ),
        clip_seconds=tuple(sample.frames / sample.fps for _, sample in everything),
        runs=tuple(_study_run(task, run, everything) for task in selection.tasks for run in task.runs),
        raters=(),
    )  # fmt: skip


def _study_run(task: SelectedTask, run: SelectedRun, everything: Sequence[tuple[SelectedTask, Sample]]) -> StudyRun:
    record = run.row.record
    index = {sample: position for position, sample in enumerate(record.samples)}

    def value(values: np.ndarray, of: SelectedTask, sample: Sample) -> float | None:
        found = values[index[sample.id]] if of is task else np.nan
        return None if np.isnan(found) else float(found)

    return StudyRun(
        suite=record.suite,
        task=record.task,
        method=record.method.name,
        version=record.method.version,
        run_key=record.run_key,
        composite=record.composite,
        keyframes=record.keyframes,
        scores={
            metric: tuple(value(values, of, sample) for of, sample in everything)
            for metric, values in run.row.values.items()
        },
    )


def _encode_all(
    selection: Selection, items: Sequence[Sequence[Item]], folder: Path, digest: str, reporter: Reporter
) -> dict[Clip, Path]:
    """Encode every clip that somebody is shown, once; those of one sample are of equal size."""
    wanted = {clip for own in items for item in own for clip in clips_of(item)}
    everything = [(task, sample) for task in selection.tasks for sample in task.samples]
    runs = [run for task in selection.tasks for run in task.runs]

    def encode_sample(index: int) -> dict[Clip, Path]:
        task, sample = everything[index]
        arrays = task.loaded.read(sample)
        # What methods did not see would show raters the answer.
        source = hide_hole(arrays.source, arrays.mask) if sample.hole == "hidden" else arrays.source
        made = {}
        for clip in sorted((clip for clip in wanted if clip[0] == index), key=str):
            match clip[1]:
                case "source":
                    frames = outline_hole(*enlarge_small(source, arrays.mask))
                case "broken":
                    frames = break_clip(source, Random(f"{digest} {index}"))
                case run:
                    frames = runs[run].read_edit(sample)
            made[clip] = folder / f"{clip[0]}-{clip[1]}.mp4"
            encode(made[clip], frames, sample.fps)
        pad_to_equal_bytes(list(made.values()))
        return made

    shown = sorted({index for index, _ in wanted})
    clips: dict[Clip, Path] = {}
    with reporter.stage("study", len(shown)) as progress, ThreadPoolExecutor(ENCODERS) as pool:
        for index, made in zip(shown, pool.map(encode_sample, shown), strict=True):
            clips |= made
            progress(everything[index][1].id)
    return clips


def _write_key(path: Path, key: StudyKey) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(key.model_dump_json(indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _whole_or_nothing(out: Path) -> Iterator[Path]:
    """Give a folder to write to that gets its name when all is done."""
    # A link stays one, and nobody's shell is left in a folder that was replaced.
    out = out.resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir()) or out == Path.cwd()):
        raise InputError(out, expected="a new folder", found="something there already", fix="choose another --out")
    folder = out.parent / f".{out.name}.{os.getpid()}.tmp"
    try:
        with disk_errors_named(out):
            folder.mkdir(parents=True)
            yield folder
            if out.exists():
                out.rmdir()
            folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
