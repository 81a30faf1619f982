"""A submission, checked by somebody who trusts none of it: every problem in one report, and the badge it earns."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from vivid_bench.errors import InputError, RecordError, VividBenchError
from vivid_bench.methods import find_method
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder, find_runs
from vivid_bench.run import Reporter
from vivid_bench.submission.accept import accept, taken
from vivid_bench.submission.archive import Unpacked, unpack
from vivid_bench.submission.manifest import Manifest, manifest_problems, protocol_of, read_manifest, recipe_of
from vivid_bench.submission.method_file import SubmittedMethod, read_method_file
from vivid_bench.submission.names import MANIFEST, METHOD_FILE, RECORDS, shown
from vivid_bench.submission.record import Badge
from vivid_bench.submission.rescore import choose, rerun, rescore
from vivid_bench.submission.run_edits import SubmittedRun, hash_problems
from vivid_bench.submission.runs import Suites, check_run, coverage_problems
from vivid_bench.weights import why_missing


@dataclass(frozen=True)
class CheckOptions:
    """How a submission is checked.

    Attributes:
        seed: what the clips to re-score are drawn with.
        every: re-score all clips, not a tenth.
        rerun: a method of this machine, reviewed by whoever names it, that makes the clips' edits again.
        into: folder of records that an accepted submission's runs are copied to.
    """

    suites: Suites = field(default_factory=Suites)
    device: str = "cpu"
    seed: int = field(default_factory=lambda: secrets.randbelow(2**32))
    every: bool = False
    rerun: str | None = None
    into: Path | None = None


@dataclass
class CheckReport:
    """What a check found.

    Attributes:
        badge: what the submission earns; None with any problem.
        checked: samples whose figures were made again, by run key.
        accepted: the run folders that were copied.
    """

    seed: int
    badge: Badge | None = None
    card: SubmittedMethod | None = None
    runs: list[SubmittedRun] = field(default_factory=list)
    checked: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    accepted: list[RunFolder] = field(default_factory=list)


def check(source: Path, options: CheckOptions, reporter: Reporter) -> CheckReport:
    """Check an archive, or the folder of an unpacked one; nothing of it is executed or imported.

    Raises:
        InputError: it cannot be read at all. Everything else is in the report.
    """
    report = CheckReport(options.seed)
    with TemporaryDirectory(prefix="vivid-bench-") as folder:
        root = Path(folder).resolve()

        def note(error: VividBenchError) -> None:
            report.problems.append(shown(str(error).replace(f"{root}/", "")))

        unpacked = unpack(source, root)
        for problem in (*unpacked.problems, *_inside(root, unpacked, report, options, reporter)):
            note(problem)
        report.warnings += _warnings(report)
        if not report.problems and report.card:
            report.badge = _earned(report, options)
            if options.into:
                manifest = unpacked.files[MANIFEST].sha256
                report.accepted = accept(
                    report.runs, options.into, report.card, report.badge, manifest, options.seed, report.checked
                )
    return report


def _earned(report: CheckReport, options: CheckOptions) -> Badge:
    """Return the badge of a submission in order; where what ranks it could not be scored here, that is its own word."""
    main = {metric_info(run.record.main_metric).needs_weights for run in report.runs}
    if not report.checked or any(weights and why_missing(weights) for weights in main):
        return "self-reported"
    return "re-run" if options.rerun else "re-scored"


def _inside(
    root: Path, unpacked: Unpacked, report: CheckReport, options: CheckOptions, reporter: Reporter
) -> Iterator[VividBenchError]:
    manifest: Manifest | None = None
    try:
        manifest = read_manifest(root)
        yield from manifest_problems(manifest, unpacked.files)
    except InputError as error:
        yield error
    is_recipe = manifest is not None and manifest.recipes is not None
    for folder in find_runs(root / RECORDS):
        try:
            report.runs.append(_submitted(root, folder, is_recipe))
        except (RecordError, InputError) as error:
            yield error
    try:
        card = report.card = read_method_file(root / METHOD_FILE)
    except InputError as error:
        yield error
        return
    yield from coverage_problems(card, [run.record for run in report.runs], [])
    if manifest:
        yield from _manifest_disagrees(manifest, report)
    for run in report.runs:
        yield from check_run(run, card, options.suites)
        yield from hash_problems(run, unpacked.files)
    if options.into:
        yield from taken(options.into, report.runs, card)
    yield from _figures(root, report, options, reporter)


def _submitted(root: Path, folder: RunFolder, is_recipe: bool) -> SubmittedRun:
    record = folder.record()
    assert record is not None
    expected = RunFolder.of(root / RECORDS, record).path
    if folder.path != expected:
        raise InputError(
            folder.path, expected=f"the folder {expected}, as its run.json says", found="another",
            fix="pack the runs again",
        )  # fmt: skip
    own_root = folder.edits_dir if record.method.kind == "submission" else folder.path
    return SubmittedRun(folder, record, None if is_recipe else own_root)


def _manifest_disagrees(manifest: Manifest, report: CheckReport) -> Iterator[VividBenchError]:
    """Yield an error where the manifest says other than the records and the card that it lists."""
    records = [run.record for run in report.runs]
    stated = sorted(manifest.protocols, key=lambda protocol: protocol.run_key)
    if stated != sorted(map(protocol_of, records), key=lambda protocol: protocol.run_key):
        yield InputError(MANIFEST, expected="the protocols of its runs", found="others", fix="pack the runs again")
    if manifest.recipes is not None and report.card:
        try:
            recipes = [recipe_of(record, report.card) for record in records]
        except InputError as error:
            yield error
            return
        if sorted(manifest.recipes, key=lambda r: r.run_key) != sorted(recipes, key=lambda r: r.run_key):
            yield InputError(MANIFEST, expected="the recipes of its runs", found="others", fix="pack the runs again")


def _figures(root: Path, report: CheckReport, options: CheckOptions, reporter: Reporter) -> Iterator[VividBenchError]:
    """Score, or make and score, clips drawn at random again; what was found wrong before is not drawn."""
    for run in report.runs:
        chosen = choose(run, options.seed, every=options.every) if run.loaded else []
        if run.loaded and not chosen:
            yield RecordError(f"{run.folder.path}: no edit of it can be scored again")
        if chosen and run.edits_root:
            with reporter.stage(f"{run.record.task}: re-scoring", len(chosen)) as progress:
                yield from rescore(run, chosen, options.device, progress)
            report.checked[run.record.run_key] = chosen
        if chosen and options.rerun:
            known = find_method(options.rerun)
            with reporter.stage(f"{run.record.task}: re-running {known.card.name}", len(chosen)) as progress:
                yield from rerun(run, chosen, known, root / "rerun", options.device, progress)
            report.checked[run.record.run_key] = chosen


def _warnings(report: CheckReport) -> Iterator[str]:
    """Yield what a maintainer should know of a submission that is in order."""
    for run in report.runs:
        name = f"{run.record.task}, run {run.record.run_key}"
        if run.lossy:
            yield f"{name}: edits that are not lossless: {', '.join(sorted(run.lossy))}"
        if run.record.n_failed:
            yield f"{name}: {run.record.n_failed} clips failed, so its row is not ranked"
        if run.record.code_dirty:
            yield f"{name}: made with uncommitted changes to vivid-bench"
        for weights in sorted(run.record.weights):
            if run.loaded and why_missing(weights):
                yield f"{name}: not re-scored for want of weights: the metrics that need {weights}"
