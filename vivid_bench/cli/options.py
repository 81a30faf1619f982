"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="NAME[,NAME…]|all",
        help="Method names, `all`, `path/to/adapter.py:Class`, or a `path/to/method.toml` that starts a program.",
    ),
]
TaskOption = Annotated[str, typer.Option("--task", metavar="add|modify|delete|all", help="What to edit.")]
SUITES = "mini|mini-long|folder|DATASET|PATH"
Suite = Annotated[str, typer.Option("--suite", metavar=SUITES, help="Which clips.")]
RunSuite = Annotated[
    str | None,
    typer.Option("--suite", metavar=SUITES, help="Which clips; by default the run's own."),
]
Data = Annotated[Path | None, typer.Option("--data", help="Clips of --suite folder or of a published set.")]
Device = Annotated[str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where methods and metrics run.")]
CompositeOption = Annotated[
    str,
    typer.Option("--composite", metavar="none|hard|feather", help="Paste the source back outside the mask."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N samples a task.")]
Keyframes = Annotated[
    str | None,
    typer.Option(
        "--keyframes",
        metavar="I[,J…]",
        help="Give the reference's frames at these indices to methods that take keyframes, and score the others.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed that every method gets.")]
Seeds = Annotated[
    int,
    typer.Option("--seeds", min=1, metavar="N", help="Runs a method, with seeds SEED, SEED + 1, …; controls get one."),
]
Out = Annotated[Path, typer.Option("--out", help="Where run folders go.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Redo runs that are there already.")]
WeightsFolder = Annotated[
    Path | None,
    typer.Option("--weights", metavar="DIR", help="Look for the metrics' weights in this folder first."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

DEFAULT_OUT = Path("runs")
