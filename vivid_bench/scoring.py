"""Clips x metrics -> scores: the one reducer, whatever made the edits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.foreign import describe
from vivid_bench.metrics import Metric, load_metric
from vivid_bench.metrics.clip import EditClip, SampleClip
from vivid_bench.records import RunFolder
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, MetricInfo, RunRecord, Sample, Score, Summary
from vivid_bench.video import check_shape, read_video

log = logging.getLogger("vivid_bench")


@dataclass
class ScoringJob:
    """One run to score, and the folder that its edits' paths are relative to. `record` ends up complete."""

    folder: RunFolder
    record: RunRecord
    edits_root: Path


def metric_versions(loaded: LoadedSplit) -> dict[str, str]:
    """Return name -> version of the metrics that the split asks for, those without a meaning for its task left out."""
    infos = [load_metric(name).info for name in loaded.split.metrics]
    return {info.name: info.version for info in infos if loaded.split.task in info.tasks}


def is_complete(folder: RunFolder, loaded: LoadedSplit) -> bool:
    """Return whether a run is finished, scored with today's metric versions, and its scores are as written."""
    record = folder.record()
    if record is None or record.status != "complete" or record.metrics != metric_versions(loaded):
        return False
    return record.scores_sha256 == folder.scores_sha256()


def score_jobs(jobs: Sequence[ScoringJob], loaded: LoadedSplit, progress: Callable[[str], None]) -> None:
    """Score every run on every sample, sample by sample, so that a sample is decoded, and its flow found, once.

    The caller holds the folders' locks. A metric that raises fails that score with its reason and the rest goes on.
    """
    versions = metric_versions(loaded)
    metrics = [load_metric(name) for name in versions]
    for job in jobs:
        if job.record.metrics != versions:
            job.folder.drop_parts()
            job.record = job.record.model_copy(update={"metrics": versions, "status": "generated"})
            job.folder.write_record(job.record)
    done = [set(job.folder.partial_scores()) for job in jobs]
    edits = [job.folder.edits() for job in jobs]
    for sample in loaded.split.samples:
        waiting = [i for i in range(len(jobs)) if sample.id not in done[i]]
        if waiting:
            arrays = loaded.read(sample)
            clip = SampleClip(sample, arrays.source, arrays.mask, arrays.reference)
            for i in waiting:
                scores = _score_edit(clip, edits[i][sample.id], jobs[i].edits_root, metrics)
                jobs[i].folder.add_scores(sample.id, scores)
        progress(sample.id)
    for job in jobs:
        _finish(job)


def _finish(job: ScoringJob) -> None:
    scores = job.folder.finish_scores(job.record.samples)
    job.record = job.record.model_copy(
        update={
            "status": "complete",
            "summaries": summarise(scores, list(job.record.metrics)),
            "scores_sha256": job.folder.scores_sha256(),
        }
    )
    job.folder.write_record(job.record)
    # Only now: a kill before this line costs no score that was made.
    job.folder.drop_parts()


def _score_edit(clip: SampleClip, edit: EditedClip, root: Path, metrics: Sequence[Metric]) -> list[Score]:
    if edit.video is None:
        reason = f"edit failed: {edit.error}"
        return [_without_edit(metric.info, clip.sample, reason) for metric in metrics]
    path = root / edit.video.path
    if not path.exists():
        raise InputError(path, expected="the edit", found="nothing", fix="start the same run again")
    if sha256_path(path) != edit.video.sha256:
        raise InputError(
            path,
            expected=f"sha256 {edit.video.sha256[:12]}…",
            found="another",
            fix="it changed after it was recorded",
        )
    edited = read_video(path).frames
    check_shape(path, edited.shape[:3], clip.source.shape[:3], f"sample {clip.sample.id}")
    both = EditClip(clip, edited)
    return [_apply(metric, both, clip.sample.id) for metric in metrics]


def _apply(metric: Metric, clip: EditClip, sample_id: str) -> Score:
    try:
        return metric(clip)
    except VividBenchError as error:
        reason = str(error)
    except Exception as error:
        # A bug in one metric must not take the others' figures with it; the cell says what happened.
        log.warning("%s failed on %s", metric.info.name, sample_id, exc_info=True)
        reason = describe(error)
    return Score(sample_id=sample_id, metric=metric.info.name, status="failed", reason=reason)


def _without_edit(info: MetricInfo, sample: Sample, reason: str) -> Score:
    if info.needs_reference and sample.reference is None:
        return Score(
            sample_id=sample.id,
            metric=info.name,
            status="not_applicable",
            reason="the sample has no reference",
        )
    return Score(sample_id=sample.id, metric=info.name, status="failed", reason=reason)


def summarise(scores: Sequence[Score], metrics: Sequence[str]) -> dict[str, Summary]:
    """Return one summary a metric: the plain mean over scored clips, and how many of how many those are."""
    summaries = {}
    for name in metrics:
        own = [score for score in scores if score.metric == name]
        values = [score.value for score in own if score.value is not None]
        summaries[name] = Summary(
            mean=sum(values) / len(values) if values else None,
            n_scored=len(values),
            n_expected=sum(score.status != "not_applicable" for score in own),
            n_exact=sum(score.status == "exact" for score in own),
        )
    return summaries
