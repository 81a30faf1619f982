"""`vivid-bench study`: a user study from finished runs, its answers, and what they say."""

from __future__ import annotations

import typer

from vivid_bench.cli.study.analyze import analyze
from vivid_bench.cli.study.build import build
from vivid_bench.cli.study.serve import serve
from vivid_bench.cli.study.simulate import simulate

study = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Build, serve, rehearse and analyse a blinded user study."
)
study.command()(build)
study.command()(serve)
study.command()(simulate)
study.command()(analyze)
