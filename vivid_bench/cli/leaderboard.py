"""`vivid-bench leaderboard`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vivid_bench.cli import options as opt

DEFAULT_RECORDS = Path("results")


def leaderboard(
    records: Annotated[Path, typer.Option("--records", help="Folder of run records.")] = DEFAULT_RECORDS,
    json: opt.Json = False,
) -> None:
    """Print every finished run below a folder, a table a split."""
    from vivid_bench.cli.results import print_runs
    from vivid_bench.errors import InputError
    from vivid_bench.records import find_runs

    folders = find_runs(records)
    if not folders:
        raise InputError(
            records,
            expected="run records",
            found="none",
            fix="pass --records DIR, the --out of your runs (runs/)",
        )
    if not print_runs(folders, json):
        raise typer.Exit(1)
