"""`vivid-bench report`: one method's page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder, or a method's (…/<suite>/<task>/<method>): all tasks.")
    ],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The clips, for a suite that does not ship.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the page goes.")] = Path("report"),
) -> None:
    """Write one method's page: strengths and weaknesses, its worst clips as pictures, controls for scale."""
    from vivid_bench.cli.console import err
    from vivid_bench.cli.console import out as console
    from vivid_bench.files import write_text
    from vivid_bench.report.page import render
    from vivid_bench.report.subject import find_subject

    subject = find_subject(run)
    path = out / f"{'-'.join(filter(None, (subject.method, subject.run_key)))}.html"
    write_text(path, render(subject, data))
    for refused in subject.refused:
        err.print(f"left out: {refused}", style="red")
    console.print(str(path), soft_wrap=True)
    if subject.refused:
        raise typer.Exit(1)
