"""The measured tables that several commands begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vivid_bench.leaderboard.table import Table


def measured_tables(records: Path) -> tuple[list[Table], bool]:
    """Return the tables of all finished runs below a folder, and whether every run found could be read.

    What could not is said on standard error.

    Raises:
        InputError: a folder without run records.
    """
    from vivid_bench.cli.console import err
    from vivid_bench.errors import InputError
    from vivid_bench.leaderboard.load import load_rows
    from vivid_bench.leaderboard.table import build_tables
    from vivid_bench.records import find_runs

    folders = find_runs(records)
    if not folders:
        fix = "pass --records DIR, the --out of your runs (runs/)"
        raise InputError(records, expected="run records", found="none", fix=fix)
    loaded = load_rows(folders)
    for refused in loaded.refused:
        err.print(f"left out: {refused}", style="red")
    return build_tables(loaded.rows), not loaded.refused
