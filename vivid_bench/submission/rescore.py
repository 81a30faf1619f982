"""A random share of a submission's clips, scored again here and compared figure by figure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vivid_bench.errors import MethodError, RecordError, VividBenchError
from vivid_bench.foreign import describe
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import KnownMethod
from vivid_bench.metrics import Metric, load_metric
from vivid_bench.metrics.sample_clip import SampleClip
from vivid_bench.scoring import metric_versions, score_edit
from vivid_bench.submission.names import shown
from vivid_bench.submission.run_edits import SubmittedRun
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, Score
from vivid_bench.weights import why_missing

SHARE, AT_LEAST = 10, 2
"""One clip in so many is re-scored, and at least so many of each run."""


@dataclass(frozen=True)
class Tolerance:
    """How far two figures of the same thing may lie apart: the larger of a share and an absolute difference."""

    name: str
    relative: float
    absolute: float

    def allows(self, one: float, other: float) -> bool:
        """Whether two figures agree."""
        return math.isclose(one, other, rel_tol=self.relative, abs_tol=self.absolute)

    def __str__(self) -> str:
        return f"{self.name} ({self.relative:g} of the figure, or {self.absolute:g})"


PIXELS = Tolerance("pixels", 1e-4, 1e-6)
"""Metrics without a network, on equal pixels: other processors and versions of NumPy and OpenCV."""

NETWORKS = Tolerance("networks", 2e-3, 2e-3)
"""Metrics with one: half precision on a GPU moves a cosine by up to 1e-3."""

RERUN = Tolerance("re-run", 1e-2, 2e-3)
"""Edits made again: another GPU's rounding grows inside a network that makes pixels."""


def choose(run: SubmittedRun, seed: int, *, every: bool = False) -> list[str]:
    """Return the samples to score again, in the split's order: a tenth of those edited, at least two.

    Which ones depends on the seed and the run alone, so that a report can be made again.
    """
    edited = [sample_id for sample_id in run.record.samples if (edit := run.edits.get(sample_id)) and edit.video]
    n = len(edited) if every else min(len(edited), max(AT_LEAST, -(-len(edited) // SHARE)))
    chosen = set(random.Random(f"{seed} {run.record.task} {run.record.run_key}").sample(edited, n))
    return [sample_id for sample_id in edited if sample_id in chosen]


def rescore(
    run: SubmittedRun, chosen: Sequence[str], device: str, progress: Callable[[str], None]
) -> Iterator[VividBenchError]:
    """Score the run's own edits of these samples again; yields an error for each figure that differs."""
    assert run.loaded is not None
    assert run.edits_root is not None
    yield from _compare(run, run.loaded, chosen, run.edits, run.edits_root, device, progress)


def rerun(
    run: SubmittedRun, chosen: Sequence[str], known: KnownMethod, folder: Path, device: str,
    progress: Callable[[str], None],
) -> Iterator[VividBenchError]:  # fmt: skip
    """Make these samples' edits again with a method of this machine, into a folder, and compare their figures.

    The method has to be the submitted one: the same version, parameters, weights and code.
    """
    assert run.loaded is not None
    if (here := known.ref().model_copy(update={"kind": run.record.method.kind})) != run.record.method:
        differs = [k for k, v in here.model_dump().items() if v != getattr(run.record.method, k)]
        yield MethodError(f"{run.folder.path}: --rerun {known.card.name} differs in {', '.join(differs)}")
        return
    split = run.loaded.split
    samples = tuple(sample for sample in split.samples if sample.id in set(chosen))
    few = LoadedSplit(split.model_copy(update={"samples": samples}), run.loaded.root)
    made, record = new_run(folder, known, few, run.record.composite, run.record.seed, device)
    with made.lock():
        generate(made, record, known, few, lambda _: None)
    yield from _compare(run, few, chosen, made.edits(), made.path, device, progress)


def _compare(
    run: SubmittedRun,
    loaded: LoadedSplit,
    chosen: Sequence[str],
    edits: dict[str, EditedClip],
    root: Path,
    device: str,
    progress: Callable[[str], None],
) -> Iterator[VividBenchError]:
    same = [name for name, version in metric_versions(loaded).items() if run.record.metrics.get(name) == version]
    metrics = [metric for metric in map(load_metric, same) if _has_weights(metric)]
    made_again = edits is not run.edits
    for sample in loaded.split.samples:
        if sample.id not in chosen:
            continue
        try:
            arrays = loaded.read(sample)
            clip = SampleClip(sample, arrays.source, arrays.mask, arrays.reference, device)
            scores = score_edit(clip, edits[sample.id], root, metrics)
        except VividBenchError as error:
            yield error
            continue
        except Exception as error:
            # A stranger's video can make a decoder raise anything; that is one clip's problem.
            yield RecordError(f"{run.folder.path}: {sample.id} cannot be scored: {describe(error)}")
            continue
        for metric, score in zip(metrics, scores, strict=True):
            allowed = RERUN if made_again else NETWORKS if metric.info.needs_weights else PIXELS
            stated = run.scores.get((sample.id, metric.info.name))
            if stated is not None and not _agree(stated, score, allowed):
                yield RecordError(
                    f"{run.folder.path / 'scores.jsonl'}: {metric.info.name} of {sample.id} is said to be "
                    f"{_figure(stated)}, {'re-run' if made_again else 're-scored'} it is {_figure(score)}; "
                    f"tolerance {allowed}"
                )
        progress(sample.id)


def _has_weights(metric: Metric) -> bool:
    name = metric.info.needs_weights
    return name is None or why_missing(name) is None


def _agree(stated: Score, found: Score, allowed: Tolerance) -> bool:
    if stated.value is None or found.value is None:
        return stated.value is found.value and stated.status == found.status
    return allowed.allows(stated.value, found.value)


def _figure(score: Score) -> str:
    return f"{score.value:.6g}" if score.value is not None else f"none ({score.status}: {shown(score.reason or '')})"
