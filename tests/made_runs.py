"""Finished runs with chosen scores on disk, for tests of what reads records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vivid_bench.leaderboard.load import load_rows
from vivid_bench.leaderboard.table import Table, build_tables
from vivid_bench.metrics import load_metric
from vivid_bench.records import RunFolder, find_runs, new_record
from vivid_bench.scoring import summarise
from vivid_bench.types import EditedClip, FileRef, MethodRef, Sample, Score, Split, Task

Values = Mapping[str, Sequence[float | None]]


def made_split(clips: int, task: Task = "delete", suite: str = "made", main_metric: str = "edit_psnr") -> Split:
    """A split of so many clips, each from a video of its own; its files do not exist."""
    nowhere = FileRef(path="none.mkv", sha256="0" * 64)
    samples = tuple(
        Sample(
            id=f"{task}-{i}", task=task, source=nowhere, mask=nowhere, reference=nowhere, prompt="p", frames=5,
            height=24, width=32, fps=8.0, hole="visible", source_video=f"video-{i}",
        )
        for i in range(clips)
    )  # fmt: skip
    return Split(
        suite=suite, task=task, version="1", sha256="1" * 64, samples=samples, metrics=(), main_metric=main_metric
    )


def write_run(
    records: Path,
    split: Split,
    name: str,
    values: Values,
    kind: str = "method",
    seconds: float | None = 0.5,
    seed: int = 0,
) -> RunFolder:
    """Write a finished run whose scores are these, a sequence a metric in the split's order; None = failed."""
    method = MethodRef.model_validate({"name": name, "kind": kind, "version": "1"})
    record = new_record(method, split, "none", seed, "cpu")
    folder = RunFolder.of(records, record)
    ids = [sample.id for sample in split.samples]
    for index, sample in enumerate(split.samples):
        folder.add_edit(EditedClip(sample_id=sample.id, status="ok", frames=sample.frames, seconds=seconds))
        folder.add_scores(sample.id, [_score(sample.id, metric, own[index]) for metric, own in values.items()])
    folder.finish_edits(ids)
    scores = folder.finish_scores(ids)
    folder.drop_parts()
    update = {
        "status": "complete",
        "metrics": {metric: load_metric(metric).info.version for metric in values},
        "summaries": summarise(scores, list(values), dict(zip(ids, record.source_videos, strict=True))),
        "scores_sha256": folder.scores_sha256(),
        "n_edited": len(ids),
    }
    folder.write_record(record.model_copy(update=update))
    return folder


def read_tables(records: Path) -> list[Table]:
    """The tables of the runs below a folder, all of which must be readable."""
    loaded = load_rows(find_runs(records))
    assert not loaded.refused, loaded.refused
    return build_tables(loaded.rows)


def _score(sample_id: str, metric: str, value: float | None) -> Score:
    if value is None:
        return Score(sample_id=sample_id, metric=metric, status="failed", reason="made to fail")
    return Score(sample_id=sample_id, metric=metric, value=value, status="ok")
