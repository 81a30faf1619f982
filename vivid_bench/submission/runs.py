"""A submitted run against the suite of this machine: its record, its scores, its edits. Nothing is decoded here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from vivid_bench.errors import InputError, RecordError, UnknownNameError, VividBenchError
from vivid_bench.leaderboard.load import load_row
from vivid_bench.methods import known_methods
from vivid_bench.records import run_key
from vivid_bench.scoring import metric_versions, metric_weights, summarise
from vivid_bench.submission.method_file import SubmittedMethod
from vivid_bench.submission.names import METHOD_FILE, deceptive, shown
from vivid_bench.submission.run_edits import SubmittedRun, check_edits
from vivid_bench.suites import DATA_SUITES, LoadedSplit, load_splits, suite_folders
from vivid_bench.types import RunRecord, Score, Summary


class Suites:
    """The splits of this machine that submitted runs name, each loaded once.

    Args:
        suite: in place of the runs' own name, for a suite in a folder of its own.
        data: clips, for runs on `folder` or a published set.
    """

    def __init__(self, suite: str | None = None, data: Path | None = None) -> None:
        self._suite, self._data = suite, data
        self._loaded: dict[object, LoadedSplit] = {}

    def of(self, record: RunRecord) -> LoadedSplit:
        """Return the split that a run says it was made on; raises `VividBenchError` where there is none such."""
        key = record.task, record.keyframes
        if key not in self._loaded:
            self._loaded[key] = self._load(record)
        return self._loaded[key]

    def _load(self, record: RunRecord) -> LoadedSplit:
        known = (*suite_folders(), *DATA_SUITES)
        if self._suite is None and record.suite not in known:
            raise UnknownNameError("suite", shown(record.suite), known)
        suite = self._suite or record.suite
        (loaded,) = load_splits(suite, (record.task,), self._data)
        if isinstance(record.keyframes, tuple) and loaded.split.keyframes != record.keyframes:
            (loaded,) = load_splits(suite, (record.task,), self._data, None, record.keyframes)
        return loaded


def check_run(run: SubmittedRun, card: SubmittedMethod, suites: Suites) -> Iterator[VividBenchError]:
    """Yield every problem of a run, and fill in what of it can be re-scored."""
    is_in_order = True
    for problem in _run_problems(run, card, suites):
        is_in_order = False
        yield problem
    if is_in_order:
        try:
            load_row(run.folder)
        except RecordError as error:  # what the leaderboard refuses, intervals among it
            yield error


def _run_problems(run: SubmittedRun, card: SubmittedMethod, suites: Suites) -> Iterator[VividBenchError]:
    where = run.folder.path / "run.json"
    for expected, found in _identity_flaws(run.record, card):
        yield InputError(where, expected=expected, found=shown(found), fix="pack the runs of this method.toml")
    for key in deceptive(run.record.model_dump()):
        yield InputError(where, expected="printable text", found=f"control characters in {key}", fix="remove them")
    try:
        loaded = suites.of(run.record)
    except VividBenchError as error:
        yield error
        return
    differs = list(_protocol_flaws(run.record, loaded))
    for expected, found in differs:
        yield InputError(where, expected=expected, found=shown(found), fix="score again with this version and suite")
    if run.record.split_sha256 == loaded.split.sha256 and set(run.record.samples) <= _ids(loaded):
        run.loaded = loaded
        yield from check_edits(run, loaded)
        yield from _check_scores(run)


def _ids(loaded: LoadedSplit) -> set[str]:
    return {sample.id for sample in loaded.split.samples}


def _identity_flaws(record: RunRecord, card: SubmittedMethod) -> Iterator[tuple[str, str]]:
    """Yield what the record should say of its method, and what it says."""
    method = record.method
    shipped = {name for name, known in known_methods().items() if not known.code_files}
    if method.name in shipped:
        yield "a name of its own", f"{method.name}, a method that ships"
    if record.status != "complete":
        yield "a scored run", f"status {record.status}"
    stated: dict[str, object] = {"name": card.name, "kind": card.kind}
    if card.kind == "method":
        stated |= {"version": card.version, "parameters": card.parameters}
    for key, value in stated.items():
        if getattr(method, key) != value:
            yield f"{key} {value} (method.toml)", str(getattr(method, key))
    key = run_key(
        method, record.composite, record.seed, record.split_sha256, record.samples,
        record.keyframes, record.keyframes_given,
    )  # fmt: skip
    if record.run_key != key:
        yield f"the run key {key} of its method, seed, split and samples", record.run_key


def _protocol_flaws(record: RunRecord, loaded: LoadedSplit) -> Iterator[tuple[str, str]]:
    """Yield in what a run's protocol differs from this machine's."""
    split = loaded.split
    stated = {"suite": split.suite, "split version": split.version, "main metric": split.main_metric}
    found = {"suite": record.suite, "split version": record.split_version, "main metric": record.main_metric}
    stated["keyframes"], found["keyframes"] = str(split.keyframes), str(record.keyframes)
    if split.keyframes is None:
        stated["keyframes given"], found["keyframes given"] = "None", str(record.keyframes_given)
    for key, value in stated.items():
        if found[key] != value:
            yield f"{key} {value}", found[key]
    if record.split_sha256 != split.sha256:
        yield f"split {split.sha256[:12]}…", f"{record.split_sha256[:12]}…, another version or other clips"
    ids = tuple(sample.id for sample in split.samples)
    if record.samples != ids:
        there = set(record.samples)
        missing = [i for i in ids if i not in there]
        listed = f", without {', '.join(missing[:20])}{' …' if len(missing) > 20 else ''}" if missing else ""
        yield f"all {len(ids)} samples of the split, in its order", f"{len(record.samples)}{listed}"
    elif record.source_videos != (clusters := tuple(sample.source_video for sample in split.samples)):
        yield f"the split's {len(set(clusters))} source videos, which intervals resample", "others"
    here = metric_versions(loaded)
    for name in sorted(here.keys() | record.metrics.keys()):
        if here.get(name) != record.metrics.get(name):
            yield f"{name} of version {here.get(name, '(no such metric here)')}", f"{record.metrics.get(name, 'none')}"
    for name, sha256 in metric_weights(here).items():
        submitted = record.weights.get(name)
        # Weights that are missing here take nothing away from figures that were made with them elsewhere.
        if sha256 not in (None, submitted):
            yield f"weights {name} {sha256[:12]}…", f"{submitted[:12]}…" if submitted else "none: they were missing"


def _check_scores(run: SubmittedRun) -> Iterator[VividBenchError]:
    where, record = run.folder.path / "scores.jsonl", run.record
    if run.folder.scores_sha256() != record.scores_sha256:
        yield InputError(where, expected="the scores that run.json names", found="others", fix="score the run again")
    try:
        scores = run.folder.scores()
    except (RecordError, UnicodeDecodeError) as error:
        yield InputError(where, expected="a line for each score", found=shown(str(error)), fix="pack the run again")
        return
    for score in scores:
        pair = score.sample_id, score.metric
        if pair in run.scores:
            what = shown(f"{pair[1]} of {pair[0]}")
            yield InputError(where, expected=f"one {what}", found="two", fix="score the run again")
        run.scores[pair] = score
    wanted = {(sample_id, metric) for sample_id in record.samples for metric in record.metrics}
    for pair in sorted(wanted ^ run.scores.keys()):
        what = shown(f"{pair[1]} of {pair[0]}")
        expected, found = (what, "none") if pair in wanted else ("no such score", what)
        yield InputError(where, expected=expected, found=found, fix="score the run again")
    for key in deceptive([score.reason for score in scores if score.reason]):
        yield InputError(
            where, expected="printable text", found=f"control characters in reason {key}", fix="remove them"
        )
    yield from _summary_flaws(run, scores)


def _summary_flaws(run: SubmittedRun, scores: Sequence[Score]) -> Iterator[InputError]:
    """Yield an error for each summary that is not that of the scores; intervals are the leaderboard's own work."""
    for name, own in summarise(scores, list(run.record.metrics)).items():
        stated = run.record.summaries.get(name)
        if stated is None or _counts(stated) != _counts(own) or not _same_mean(stated.mean, own.mean):
            yield InputError(
                run.folder.path / "run.json", expected=f"the mean {name} of its scores, {own.mean}",
                found=f"{stated and stated.mean}", fix="score the run again",
            )  # fmt: skip


def _counts(summary: Summary) -> tuple[int, int, int]:
    return summary.n_scored, summary.n_expected, summary.n_exact


def _same_mean(one: float | None, other: float | None) -> bool:
    return one == other if one is None or other is None else math.isclose(one, other, rel_tol=1e-12)


def coverage_problems(
    card: SubmittedMethod, records: Sequence[RunRecord], left_out: Sequence[str]
) -> list[VividBenchError]:
    """Return an error for each declared task without a run, for a second run of one kind, and for a second suite."""
    problems: list[VividBenchError] = []
    for task in card.tasks:
        if not any(record.task == task for record in records):
            hint = f" (left out: {'; '.join(left_out)})" if left_out else ""
            problems.append(
                InputError(
                    METHOD_FILE,
                    expected=f"a finished run of the whole split for {task}",
                    found=f"none{hint}",
                    fix=f"run it, or take {task} out of tasks",
                )
            )
    if suites := sorted({shown(record.suite) for record in records})[1:]:
        problems.append(
            InputError(
                METHOD_FILE, expected="runs on one suite", found=f"{', '.join(suites)} too", fix="name the runs of one"
            )
        )
    kinds = [(record.task, record.composite, record.keyframes, record.seed) for record in records]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}, key=str):
        problems.append(
            InputError(
                METHOD_FILE,
                expected=f"one run of {kind[0]} with seed {kind[3]}",
                found=f"{kinds.count(kind)}",
                fix="name the one that counts",
            )
        )
    return problems
