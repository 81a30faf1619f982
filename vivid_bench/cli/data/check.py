"""`vivid-bench data check`: read a copy of a published set through, and report all that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.datasets.types import Report
    from vivid_bench.types import Task

INDEXED = "vivid10m"


def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A set that `data list` shows.")],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Where it lies.")],
    task: opt.TaskOption = "all",
    limit: opt.Limit = None,
    index: Annotated[
        bool, typer.Option("--index", help=f"{INDEXED}: first write an index of its lists, so that runs start fast.")
    ] = False,
    json: opt.Json = False,
) -> None:
    """Decode a set's clips and report the readable ones, problems and warnings of each task; nothing is changed.

    What several tasks share is said with the first and counted with each. Exit code 1 where there are problems.
    """
    from shlex import quote

    from vivid_bench.cli.console import print_findings, print_json
    from vivid_bench.errors import VividBenchError
    from vivid_bench.suites import FOLDER, parse_tasks

    if name == FOLDER:
        command = f"vivid-bench check --data {quote(str(data))}"
        raise VividBenchError(f"{FOLDER} is no published set; `{command}` checks your own clips")
    tasks = parse_tasks(task)
    if index:
        _write_index(name, data)
    reports = read_tasks(name, data, tasks, limit)
    if json:
        print_json({"name": name, "data": str(data), "tasks": {t: _as_json(r) for t, r in reports.items()}})
    else:
        said: set[str] = set()
        for one, report in reports.items():
            print_findings(len(report.samples), report.problems, report.warnings, f"{name}, {one}: ", said)
            said |= {*map(str, report.problems), *report.warnings}
    if any(report.problems for report in reports.values()):
        raise typer.Exit(1)


def read_tasks(name: str, data: Path, tasks: tuple[Task, ...], limit: int | None) -> dict[Task, Report]:
    """Read a set's clips of those tasks that it can be used for, each task on its own.

    Of several tasks, one that has no clips in this copy is left out with a warning.

    Raises:
        UnknownNameError: no such set.
        InputError: no such folder, or it has no clips for the tasks asked for.
    """
    from vivid_bench.cli.console import show_count
    from vivid_bench.datasets.fetch import unfinished
    from vivid_bench.datasets.readers import load_reader, read_dataset
    from vivid_bench.datasets.types import Report
    from vivid_bench.errors import InputError, NoSamplesError

    suited = [task for task in tasks if task in load_reader(name).CARD.tasks]
    reports: dict[Task, Report] = {}
    none = []
    for task in suited or tasks[:1]:
        try:
            with show_count(f"{name}, {task}", "clips read") as advance:
                reports[task] = read_dataset(name, data, task, limit, advance)
        except NoSamplesError as error:
            if len(tasks) == 1:
                raise
            none.append(error)
        except InputError as error:
            if not (suited and data.is_dir()):
                raise
            reports[task] = Report(problems=[error])
    if not reports:
        raise none[0]
    next(iter(reports.values())).warnings += [f"a task left out: {error}" for error in none]
    next(iter(reports.values())).warnings += unfinished(data)
    return reports


def _write_index(name: str, data: Path) -> None:
    from vivid_bench.cli.console import err, show_count
    from vivid_bench.errors import VividBenchError

    if name != INDEXED:
        raise VividBenchError(f"--index is for {INDEXED}; the lists of {name} are read as they are")
    from vivid_bench.datasets.vivid10m_index import write_index

    with show_count("index", "samples") as advance:
        shown = 0

        def show(count: int) -> None:
            nonlocal shown
            advance(count - shown)
            shown = count

        path = write_index(data, show)
    err.print(f"index: {path}")


def _as_json(report: Report) -> dict[str, object]:
    return {
        "n_samples": len(report.samples),
        "problems": [str(problem) for problem in report.problems],
        "warnings": report.warnings,
    }
