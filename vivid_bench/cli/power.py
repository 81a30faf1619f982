"""`vivid-bench power`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivid_bench.leaderboard.table import Row, Table

LEVEL = 0.95


@dataclass(frozen=True)
class _Differences:
    """The clip-wise differences of two methods in one metric, first - second, in its unit."""

    methods: tuple[str, str]
    suite: str
    task: str
    metric: str
    unit: str
    mean: float
    sd: float
    clips: int
    source_videos: int


def power(
    methods: Annotated[
        list[str] | None, typer.Argument(metavar="[METHOD OTHER]", help="Two methods with finished runs, or run keys.")
    ] = None,
    difference: Annotated[
        float | None, typer.Option("--difference", help="What to tell apart, in the unit that records hold.")
    ] = None,
    sd: Annotated[
        float | None, typer.Option("--sd", help="Standard deviation of the clip-wise differences, instead of methods.")
    ] = None,
    clips: Annotated[
        int | None, typer.Option("--clips", min=2, help="Clips there are; by default those of the runs.")
    ] = None,
    records: Annotated[Path, typer.Option("--records", help="Folder of run records.")] = Path("results"),
    suite: Annotated[str | None, typer.Option("--suite", help="Only this suite.")] = None,
    task: opt.TaskOption = "all",
    keyframes: Annotated[
        str | None,
        typer.Option("--keyframes", metavar="I[,J…]", help="The runs with these keyframes, not those without any."),
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="By default the one that ranks.")] = None,
    power: Annotated[float, typer.Option("--power", help="Probability of finding the difference.")] = 0.8,
    json: opt.Json = False,
) -> None:
    """Say how many clips tell two methods apart that differ by --difference, and what the present clips can tell.

    By a two-sided paired t-test at 5 %. How much two methods differ from clip to clip comes from their runs, or is
    given with --sd.
    """
    from dataclasses import asdict

    from vivid_bench.cli.console import out, print_json
    from vivid_bench.errors import VividBenchError
    from vivid_bench.stats import clips_needed, detectable_difference

    if bool(methods) == (sd is not None) or len(methods or ()) not in (0, 2):
        raise VividBenchError("name two methods with finished runs, or give --sd")
    if not methods and difference is None and clips is None:
        raise VividBenchError("give --difference, or --clips to see what they can tell apart")
    found = _differences((methods[0], methods[1]), records, suite, task, keyframes, metric) if methods else None
    if found:
        sd, clips = found.sd, clips or found.clips
    assert sd is not None
    try:
        needed = None if difference is None else clips_needed(sd, difference, power, LEVEL)
        detectable = None if clips is None else detectable_difference(sd, clips, power, LEVEL)
    except ValueError as error:
        raise VividBenchError(str(error)) from error
    if json:
        print_json(
            {
                "runs": asdict(found) if found else None,
                "sd": sd,
                "power": power,
                "level": LEVEL,
                "difference": difference,
                "clips_needed": needed,
                "clips": clips,
                "detectable_difference": detectable,
            }
        )
        return
    unit = f" {found.unit}" if found and found.unit else ""
    if found:
        out.print(_sentence(found, unit), soft_wrap=True)
    if needed is not None:
        out.print(f"{needed} clips find a difference of {difference:g}{unit} with a power of {power:g}")
    if detectable is not None:
        out.print(f"{clips} clips find a difference of {detectable:.4g}{unit} with a power of {power:g}")


def _sentence(found: _Differences, unit: str) -> str:
    return (
        f"{' - '.join(found.methods)}, {found.metric} on {found.suite} {found.task}: mean {found.mean:.4g}{unit}, "
        f"standard deviation {found.sd:.4g}{unit} over {found.clips} clips of {found.source_videos} source videos"
    )


def _differences(
    methods: tuple[str, str], records: Path, suite: str | None, task: str, keyframes: str | None, metric: str | None
) -> _Differences:
    """Read the runs; raises `VividBenchError` unless the two meet in exactly one table and their differences vary."""
    import numpy as np

    from vivid_bench.cli.measured import measured_tables
    from vivid_bench.errors import UnknownNameError, VividBenchError
    from vivid_bench.keyframes import parse_keyframes
    from vivid_bench.metrics import metric_info
    from vivid_bench.stats.power import sd_of_differences
    from vivid_bench.suites import parse_tasks

    tasks, given = parse_tasks(task), parse_keyframes(keyframes)
    found, _ = measured_tables(records)
    tables = [table for table in found if table.task in tasks and suite in (None, table.suite)]
    table, first, second = _meeting(tables, methods, given)
    metric = metric or table.main_metric
    if metric not in first.values:
        raise UnknownNameError("metric", metric, first.values)
    difference = first.values[metric] - second.values[metric]
    is_known = ~np.isnan(difference)
    clusters = first.record.clusters
    where = f"{metric} of {' and '.join(methods)}"
    try:
        sd = sd_of_differences(first.values[metric], second.values[metric], clusters)
    except ValueError as error:
        raise VividBenchError(f"{where}: {error}") from error
    if sd == 0:
        raise VividBenchError(f"{where} differs by the same on every clip: any number of clips tells them apart")
    return _Differences(
        methods=(first.record.method.name, second.record.method.name),
        suite=table.suite,
        task=table.task,
        metric=metric,
        unit=metric_info(metric).unit,
        mean=float(difference[is_known].mean()),
        sd=sd,
        clips=int(is_known.sum()),
        source_videos=len(set(np.array(clusters)[is_known])),
    )


def _meeting(
    tables: Sequence[Table], methods: tuple[str, str], keyframes: tuple[int, ...] | None
) -> tuple[Table, Row, Row]:
    """Return the one table that has both methods and these keyframes, and their rows; the keys of runs need no more."""
    from vivid_bench.errors import UnknownNameError, VividBenchError

    rows = [row for table in tables for row in table.rows]
    for name in methods:
        if not any(_is_named(row, name) for row in rows):
            raise UnknownNameError("method with a finished run", name, {row.record.method.name for row in rows})
    found = []
    for table in tables:
        ones, others = ([row for row in table.rows if _is_named(row, name)] for name in methods)
        is_asked = table.keyframes == keyframes or not any(row.record.method.name in methods for row in ones + others)
        found += [(table, one, other) for one in ones for other in others if is_asked]
    if not found:
        raise VividBenchError(f"{' and '.join(methods)} have no runs that may be compared")
    if len(found) > 1:
        raise VividBenchError(
            f"{' and '.join(methods)} meet {len(found)} times; choose with --suite, --task and --keyframes, "
            "or by the runs' keys: " + "; ".join(_place(*meeting) for meeting in found)
        )
    return found[0]


def _is_named(row: Row, name: str) -> bool:
    return row.record.method.name == name or any(record.run_key == name for record in row.records)


def _place(table: Table, one: Row, other: Row) -> str:
    from vivid_bench.leaderboard.table import keyframes_text

    keyframes = f", {keyframes_text(table.keyframes)}" if table.keyframes is not None else ""
    track = f"{table.suite} {table.task}, composite {table.composite}{keyframes}"
    return f"{one.record.run_key} {other.record.run_key} ({track})"
