"""A preset's figures for one run: computed where missing, kept in the run folder as `protocols/<name>.jsonl`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from vivid_bench.compat import load_preset
from vivid_bench.compat.preset import Pooling, PresetMetric, pooled_mean
from vivid_bench.errors import RecordError
from vivid_bench.files import write_text
from vivid_bench.metrics.sample_clip import SampleClip
from vivid_bench.records import RunFolder
from vivid_bench.scoring import score_edit, summarise
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, MetricInfo, Sample, Score, Summary
from vivid_bench.weights import weights_sha256, why_missing


class ProtocolScore(Score):
    """A preset's score of one clip.

    Attributes:
        version: of the measure.
        edit_sha256: of the edit that was scored; None where there is none.
        weights_sha256: of the weights; None where it needs none, or they were not on the machine.
    """

    version: str
    edit_sha256: str | None = None
    weights_sha256: str | None = None


@dataclass(frozen=True)
class Figure:
    """One figure of a run, whose clips are averaged as its suite does.

    Attributes:
        quantity: what it measures, one of `vivid_bench.compat.preset.OURS`.
        pooling: what the mean is over.
        differs: one line on how it is computed.
    """

    info: MetricInfo
    quantity: str
    pooling: Pooling
    differs: str
    summary: Summary
    scores: tuple[Score, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why clips have no figure, each said once."""
        return tuple(dict.fromkeys(score.reason for score in self.scores if score.reason))


def protocol_path(folder: RunFolder, name: str) -> Path:
    """Return where a preset's figures of a run are kept."""
    return folder.path / "protocols" / f"{name}.jsonl"


def score_protocol(
    folder: RunFolder,
    loaded: LoadedSplit,
    name: str,
    edits_root: Path,
    device: str,
    progress: Callable[[str], None],
    *,
    overwrite: bool = False,
) -> list[Figure]:
    """Compute what has not been computed of a preset's figures for a run, and return all that apply to its task.

    What was made of the same edit with the same weights is kept, and also where the weights are no longer here. The
    file is written after every sample, so a kill loses one. The run's record and scores are not touched.

    Args:
        edits_root: the folder that the run's edits lie in, or a submission's videos.
        overwrite: compute everything again.

    Raises:
        UnknownNameError: there is no such preset.
        RecordError: the run is not one of this split, or its edits are not finished.
        InputError: an edit is missing or has changed.
        RunLockedError: another process is at work in the run.
    """
    metrics = [metric for metric in load_preset(name).metrics if loaded.split.task in metric.info.tasks]
    versions = {metric.info.name: metric.info.version for metric in metrics}
    weights = metric_weights(metrics)
    path = protocol_path(folder, name)
    with folder.lock():
        _, edits = folder.finished(loaded.split)
        done = {} if overwrite else _usable(path, versions, edits, weights)
        for sample in loaded.split.samples:
            edit = edits[sample.id]
            missing = [metric for metric in metrics if (sample.id, metric.info.name) not in done]
            if missing:
                for score in _scores(sample, edit, loaded, edits_root, device, missing):
                    name = score.metric
                    done[sample.id, name] = ProtocolScore(
                        **score.model_dump(),
                        version=versions[name],
                        edit_sha256=_sha256(edit),
                        weights_sha256=weights[name],
                    )
                _write(path, [done[key] for key in _order(loaded, metrics) if key in done])
            progress(sample.id)
    return [_figure(metric, [done[s.id, metric.info.name] for s in loaded.split.samples]) for metric in metrics]


def metric_weights(metrics: Sequence[PresetMetric]) -> dict[str, str | None]:
    """Return metric -> sha256 of its weights, None where it needs none or they are not on this machine."""

    def digest(needed: str | None) -> str | None:
        return None if needed is None or why_missing(needed) else weights_sha256(needed)

    return {metric.info.name: digest(metric.info.needs_weights) for metric in metrics}


def _usable(
    path: Path, versions: dict[str, str], edits: dict[str, EditedClip], weights: dict[str, str | None]
) -> dict[tuple[str, str], ProtocolScore]:
    def is_usable(score: ProtocolScore) -> bool:
        edit, here = edits.get(score.sample_id), weights.get(score.metric)
        same = edit is not None and score.edit_sha256 == _sha256(edit) and score.version == versions.get(score.metric)
        return same and here in (None, score.weights_sha256)

    return {(score.sample_id, score.metric): score for score in _read(path) if is_usable(score)}


def _scores(
    sample: Sample,
    edit: EditedClip,
    loaded: LoadedSplit,
    edits_root: Path,
    device: str,
    metrics: Sequence[PresetMetric],
) -> list[Score]:
    lacking = {m.info.name: why for m in metrics if m.info.needs_weights and (why := why_missing(m.info.needs_weights))}
    scores = [
        Score(sample_id=sample.id, metric=name, status="failed", reason=reason) for name, reason in lacking.items()
    ]
    computable = [metric for metric in metrics if metric.info.name not in lacking]
    if computable:  # else nothing has to be decoded
        arrays = loaded.read(sample)
        clip = SampleClip(sample, arrays.source, arrays.mask, arrays.reference, device)
        scores += score_edit(clip, edit, edits_root, computable)
    return scores


def _sha256(edit: EditedClip) -> str | None:
    return None if edit.video is None else edit.video.sha256


def _order(loaded: LoadedSplit, metrics: Sequence[PresetMetric]) -> list[tuple[str, str]]:
    return [(sample.id, metric.info.name) for sample in loaded.split.samples for metric in metrics]


def _figure(metric: PresetMetric, scores: Sequence[ProtocolScore]) -> Figure:
    measure = metric.measure
    (summary,) = summarise(scores, [metric.info.name]).values()
    summary = summary.model_copy(update={"mean": pooled_mean(scores, measure.pooling)})
    return Figure(metric.info, measure.quantity, measure.pooling, measure.differs, summary, tuple(scores))


def _write(path: Path, scores: Sequence[ProtocolScore]) -> None:
    write_text(path, "".join(f"{score.model_dump_json()}\n" for score in scores))


def _read(path: Path) -> list[ProtocolScore]:
    if not path.is_file():
        return []
    try:
        # Not splitlines(): an id or a reason may hold a character that it takes for a line's end.
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return [ProtocolScore.model_validate_json(line) for line in lines]
    except (ValidationError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: no protocol scores ({error}); --overwrite makes them again") from error
