"""`vivid-bench data`: the field's data sets, how to get them and check a copy; and suites built from raw video."""

from __future__ import annotations

import typer

from vivid_bench.cli.data.build import build
from vivid_bench.cli.data.check import check
from vivid_bench.cli.data.fetch import fetch
from vivid_bench.cli.data.list import list_

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, download and check the field's data sets, and build new ones.",
)
data.command("list")(list_)
data.command()(fetch)
data.command()(check)
data.command()(build)
