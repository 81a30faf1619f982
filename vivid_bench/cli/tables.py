"""`vivid-bench tables`: the paper's tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli.leaderboard import DEFAULT_RECORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vivid_bench.leaderboard.table import Table
    from vivid_bench.study.results import StudyAnalysis
    from vivid_bench.tables.blocks import PaperTable
    from vivid_bench.tables.published import Published

NAMES = ("kive-cost", "removal", "main", "user-study")
FORMATS = ("table", "md", "csv", "json", "latex")


def tables(
    name: Annotated[str | None, typer.Argument(metavar="|".join(NAMES), help="By default all of them.")] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="Folder of run records.  [default: results, if there]")
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            "--published", metavar="FILE", help="More published figures, e.g. the paper's (see BENCHMARK.md)."
        ),
    ] = None,
    study: Annotated[
        Path | None, typer.Option("--study", metavar="ANALYSIS", help="For user-study: a study's analysis.json.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds of the sessions of kive-cost.")] = 2,
    format_: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How to print.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file instead.")] = None,
) -> None:
    """Print the paper's tables: figures measured here beside published ones, each marked as what it is."""
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.study.saved import read_analysis
    from vivid_bench.tables.published import load_published

    if name not in (None, *NAMES):
        raise UnknownNameError("table", str(name), NAMES)
    if format_ not in FORMATS:
        raise UnknownNameError("format", format_, FORMATS)
    wanted = (name,) if name else NAMES
    figures = load_published(published)
    analysis = read_analysis(study) if study else None
    measured, all_read = _measured(records) if {"removal", "main"} & set(wanted) else ([], True)
    made = [_table(each, figures, measured, rounds, analysis) for each in wanted]
    _write(made, format_, out, alone=name is not None)
    if not all_read:
        raise typer.Exit(1)


def _measured(records: Path | None) -> tuple[list[Table], bool]:
    """Return the measured tables; none where no folder is named and there is none: the published rows remain."""
    from vivid_bench.cli.measured import measured_tables

    if records is None and not DEFAULT_RECORDS.is_dir():
        return [], True
    return measured_tables(records or DEFAULT_RECORDS)


def _table(
    name: str, published: Published, measured: Sequence[Table], rounds: int, analysis: StudyAnalysis | None
) -> PaperTable:
    # Only what is asked for: counting the cost imports the model.
    if name == "kive-cost":
        from vivid_bench.tables.kive_cost import kive_cost

        return kive_cost(published, rounds)
    if name == "removal":
        from vivid_bench.tables.removal import removal

        return removal(measured, published)
    if name == "main":
        from vivid_bench.tables.main_table import main_table

        return main_table(measured, published)
    from vivid_bench.tables.user_study import user_study

    return user_study(published, analysis)


def _write(tables: Sequence[PaperTable], format_: str, out: Path | None, *, alone: bool) -> None:
    import sys

    from vivid_bench.cli.console import wide
    from vivid_bench.files import write_text
    from vivid_bench.tables import formats
    from vivid_bench.tables.text import as_text

    if format_ == "table":
        text = as_text(tables, wide().width)
    elif format_ == "json":
        text = formats.as_json(tables, alone=alone)
    else:
        text = {"md": formats.as_markdown, "csv": formats.as_csv, "latex": formats.as_latex}[format_](tables)
    if out:
        write_text(out, text)
    else:
        sys.stdout.write(text)
