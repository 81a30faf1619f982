"""Clips x metrics -> scores: the one reducer, whatever made the edits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.foreign import describe
from vivid_bench.metrics import Metric, load_metric, metric_info
from vivid_bench.metrics.clip_features import compute_together
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.metrics.scores import not_applicable
from vivid_bench.records import RunFolder
from vivid_bench.score_cache import ScoreCache
from vivid_bench.stats.bootstrap import Interval
from vivid_bench.suites import LoadedSplit, SampleArrays
from vivid_bench.summaries import intervals_of_means
from vivid_bench.types import EditedClip, Frames, MetricInfo, RunRecord, Sample, Score, Summary
from vivid_bench.video import check_shape, one_ahead, read_video
from vivid_bench.weights import weights_sha256, why_missing

log = logging.getLogger("vivid_bench")

CLIPS_AT_ONCE = {"cpu": 1, "cuda": 4}
"""Clips whose features are computed together, by device: on a CPU a figure does not depend on its neighbours."""


@dataclass
class ScoringJob:
    """One run to score, and the folder that its edits' paths are relative to. `record` ends up complete."""

    folder: RunFolder
    record: RunRecord
    edits_root: Path


@dataclass(frozen=True)
class _Step:
    """One edit to score: what is known of it from before, which metrics are not, and its place among its sample's."""

    sample: Sample
    job: ScoringJob
    edit: EditedClip
    known: dict[str, Score]
    missing: list[Metric]
    is_first: bool = False
    is_last: bool = False


def metric_versions(loaded: LoadedSplit) -> dict[str, str]:
    """Return name -> version of the metrics that the split asks for, those without a meaning for its task left out."""
    infos = [load_metric(name).info for name in loaded.split.metrics]
    return {info.name: info.version for info in infos if loaded.split.task in info.tasks}


def metric_weights(metrics: Iterable[str]) -> dict[str, str | None]:
    """Return name -> sha256 of the weights that metrics need, None where they are not on this machine."""
    names = {info.needs_weights for info in map(metric_info, metrics)}
    return {name: None if why_missing(name) else weights_sha256(name) for name in sorted(filter(None, names))}


def is_complete(folder: RunFolder, loaded: LoadedSplit) -> bool:
    """Return whether a run is finished, scored with today's metric versions and weights, its scores as written.

    Weights that are not on this machine take nothing away from figures that were made with them elsewhere.
    """
    record = folder.record()
    if record is None or record.status != "complete" or record.metrics != metric_versions(loaded):
        return False
    here = metric_weights(record.metrics)
    if any(sha256 not in (None, record.weights.get(name)) for name, sha256 in here.items()):
        return False
    return record.scores_sha256 == folder.scores_sha256()


def score_jobs(
    jobs: Sequence[ScoringJob],
    loaded: LoadedSplit,
    progress: Callable[[str], None],
    device: str = "cpu",
    cache_folder: Path | None = None,
) -> None:
    """Score every run on every sample, sample by sample, so that a sample is decoded, and its flow found, once.

    The next file is decoded while one is scored. What `cache_folder` knows is not computed again. The caller holds the
    folders' locks. A metric that raises fails that score with its reason and the rest goes on.
    """
    versions = metric_versions(loaded)
    metrics = [load_metric(name) for name in versions]
    weights = metric_weights(versions)
    cache = ScoreCache(cache_folder, device, weights)
    for job in jobs:
        if (job.record.metrics, job.record.weights, job.record.scored_on) != (versions, weights, device):
            job.folder.drop_parts()
            update = {"metrics": versions, "weights": weights, "scored_on": device, "status": "generated"}
            job.record = job.record.model_copy(update=update)
            job.folder.write_record(job.record)
    steps = _steps(jobs, loaded, metrics, cache, progress)
    clips = _clips(steps, loaded, device)
    while group := list(islice(clips, CLIPS_AT_ONCE[device])):
        _compute_together(group)
        for step, edited in group:
            made = _score_clip(step.missing, edited)
            cache.add(step.sample, step.edit, [metric.info for metric in step.missing], made)
            _keep(step.job, step.sample, metrics, step.known | {score.metric: score for score in made})
            if step.is_last:
                progress(step.sample.id)
    for job in jobs:
        _finish(job, {sample.id: sample.source_video for sample in loaded.split.samples})


def _steps(
    jobs: Sequence[ScoringJob],
    loaded: LoadedSplit,
    metrics: Sequence[Metric],
    cache: ScoreCache,
    progress: Callable[[str], None],
) -> list[_Step]:
    """Return what has to be computed; what needs no computing is kept at once."""
    infos = [metric.info for metric in metrics]
    done = [set(job.folder.partial_scores()) for job in jobs]
    edits = [job.folder.edits() for job in jobs]
    steps: list[_Step] = []
    for sample in loaded.split.samples:
        own = []
        for i, job in enumerate(jobs):
            if sample.id in done[i]:
                continue
            edit = edits[i][sample.id]
            if edit.video is None:
                known = {info.name: _without_edit(info, sample, edit) for info in infos}
            else:
                known = cache.read(sample, edit, infos) | _without_weights(sample, infos, cache.weights)
            missing = [metric for metric in metrics if metric.info.name not in known]
            if missing:
                own.append(_Step(sample, job, edit, known, missing))
                continue
            if edit.video is not None:
                _checked_path(edit, job.edits_root)
            _keep(job, sample, metrics, known)
        if own:
            own[0] = replace(own[0], is_first=True)
            own[-1] = replace(own[-1], is_last=True)
            steps += own
        else:
            progress(sample.id)
    return steps


def _clips(steps: Sequence[_Step], loaded: LoadedSplit, device: str) -> Iterator[tuple[_Step, EditClip]]:
    """Decode edit by edit, the next one while one is scored; the edits of a sample share its arrays."""
    clip: SampleClip | None = None
    for step, (arrays, frames) in zip(steps, one_ahead(partial(_read_step, loaded), steps), strict=True):
        if arrays is not None:
            clip = SampleClip(step.sample, arrays.source, arrays.mask, arrays.reference, device)
        assert clip is not None
        yield step, EditClip(clip, frames)


def _compute_together(group: Sequence[tuple[_Step, EditClip]]) -> None:
    missing = {metric.info.name: metric for step, _ in group for metric in step.missing}
    try:
        compute_together([edited for _, edited in group], missing.values())
    except Exception:
        # Each metric tries again by itself and says in its cell what is wrong.
        log.warning("the features of %d clips could not be computed together", len(group), exc_info=True)


def _score_clip(metrics: Sequence[Metric], edited: EditClip) -> list[Score]:
    """Return one score a metric, in their order; beside a GPU's networks, the CPU computes the metrics without one."""
    if edited.sample.device == "cpu":  # its cores are busy: a further thread gains nothing
        return [_apply(metric, edited) for metric in metrics]
    with ThreadPoolExecutor(1) as beside:
        host = {m.info.name: beside.submit(_apply, m, edited) for m in metrics if m.info.needs_weights is None}
        scores = {m.info.name: _apply(m, edited) for m in metrics if m.info.name not in host}
        return [scores.get(m.info.name) or host[m.info.name].result() for m in metrics]


def _read_step(loaded: LoadedSplit, step: _Step) -> tuple[SampleArrays | None, Frames]:
    """Decode an edit, and before a sample's first one the sample."""
    arrays = loaded.read(step.sample) if step.is_first else None
    return arrays, _read_edit(step.sample, step.edit, step.job.edits_root)


def _read_edit(sample: Sample, edit: EditedClip, root: Path) -> Frames:
    path = _checked_path(edit, root)
    frames = read_video(path).frames
    check_shape(path, frames.shape[:3], (sample.frames, sample.height, sample.width), f"sample {sample.id}")
    return frames


def _checked_path(edit: EditedClip, root: Path) -> Path:
    """Return the path of an edit that is as it was recorded; raises `InputError`."""
    assert edit.video is not None
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
    return path


def _keep(job: ScoringJob, sample: Sample, metrics: Sequence[Metric], scores: Mapping[str, Score]) -> None:
    job.folder.add_scores(sample.id, [scores[metric.info.name] for metric in metrics])


def _finish(job: ScoringJob, source_videos: Mapping[str, str]) -> None:
    scores = job.folder.finish_scores(job.record.samples)
    job.record = job.record.model_copy(
        update={
            "status": "complete",
            "source_videos": tuple(source_videos[sample_id] for sample_id in job.record.samples),
            "summaries": summarise(scores, list(job.record.metrics), source_videos),
            "scores_sha256": job.folder.scores_sha256(),
        }
    )
    job.folder.write_record(job.record)
    # Only now: a kill before this line costs no score that was made.
    job.folder.drop_parts()


def score_edit(clip: SampleClip, edit: EditedClip, root: Path, metrics: Sequence[Metric]) -> list[Score]:
    """Return one score a metric for one edit, whose path is relative to `root`; raises `InputError` if it changed."""
    if edit.video is None:
        return [_without_edit(metric.info, clip.sample, edit) for metric in metrics]
    edited = EditClip(clip, _read_edit(clip.sample, edit, root))
    return _score_clip(metrics, edited)


def _apply(metric: Metric, clip: EditClip) -> Score:
    try:
        return metric(clip)
    except VividBenchError as error:
        reason = str(error)
    except Exception as error:
        # A bug in one metric must not take the others' figures with it; the cell says what happened.
        log.warning("%s failed on %s", metric.info.name, clip.sample_id, exc_info=True)
        reason = describe(error)
    return Score(sample_id=clip.sample_id, metric=metric.info.name, status="failed", reason=reason)


def _without_edit(info: MetricInfo, sample: Sample, edit: EditedClip) -> Score:
    return _without_reference(info, sample) or Score(
        sample_id=sample.id, metric=info.name, status="failed", reason=f"edit failed: {edit.error}"
    )


def _without_reference(info: MetricInfo, sample: Sample) -> Score | None:
    if info.needs_reference and sample.reference is None:
        return not_applicable(info, sample.id, "the sample has no reference")
    return None


def _without_weights(
    sample: Sample, infos: Sequence[MetricInfo], weights: Mapping[str, str | None]
) -> dict[str, Score]:
    """Return the scores of metrics whose weights are missing: they need no frames."""
    scores = {}
    for info in infos:
        if info.needs_weights and weights[info.needs_weights] is None:
            scores[info.name] = _without_reference(info, sample) or Score(
                sample_id=sample.id, metric=info.name, status="failed", reason=why_missing(info.needs_weights)
            )
    return scores


def summarise(
    scores: Sequence[Score], metrics: Sequence[str], source_videos: Mapping[str, str] | None = None
) -> dict[str, Summary]:
    """Return one summary a metric: the plain mean over scored clips, and how many of how many those are.

    With `source_videos`, sample id -> source video of all samples, each has the 95 % interval of its mean over videos.
    """
    intervals = _intervals(scores, metrics, source_videos) if source_videos else [None] * len(metrics)
    summaries = {}
    for name, interval in zip(metrics, intervals, strict=True):
        own = [score for score in scores if score.metric == name]
        values = [score.value for score in own if score.value is not None]
        summaries[name] = Summary(
            mean=sum(values) / len(values) if values else None,
            ci_low=interval.low if interval else None,
            ci_high=interval.high if interval else None,
            n_scored=len(values),
            n_expected=sum(score.status != "not_applicable" for score in own),
            n_exact=sum(score.status == "exact" for score in own),
        )
    return summaries


def _intervals(
    scores: Sequence[Score], metrics: Sequence[str], source_videos: Mapping[str, str]
) -> list[Interval | None]:
    rows = {sample_id: row for row, sample_id in enumerate(source_videos)}
    columns = {name: column for column, name in enumerate(metrics)}
    values = np.full((len(rows), len(columns)), np.nan)
    for score in scores:
        if score.value is not None and score.metric in columns:
            values[rows[score.sample_id], columns[score.metric]] = score.value
    return intervals_of_means(values, list(source_videos.values()))
