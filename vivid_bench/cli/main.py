"""The `vivid-bench` command. Nothing heavy is imported here, so that `--help` answers at once."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

import vivid_bench
from vivid_bench.cli.check import check
from vivid_bench.cli.compare_protocols import compare_protocols
from vivid_bench.cli.data import data
from vivid_bench.cli.doctor import doctor
from vivid_bench.cli.edit import edit
from vivid_bench.cli.init import init
from vivid_bench.cli.leaderboard import leaderboard
from vivid_bench.cli.list import list_
from vivid_bench.cli.methods import methods
from vivid_bench.cli.plot import plot
from vivid_bench.cli.power import power
from vivid_bench.cli.report import report
from vivid_bench.cli.run import generate, run
from vivid_bench.cli.score import score
from vivid_bench.cli.study import study
from vivid_bench.cli.submit import submit
from vivid_bench.cli.tables import tables
from vivid_bench.cli.train import train
from vivid_bench.cli.weights import weights

# Without rich markup, help does not load rich: half the time.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
for command in (edit, run, generate, score, check, doctor, leaderboard, power, init, train, tables, plot, report):
    app.command()(command)
app.command("list")(list_)
app.command("compare-protocols")(compare_protocols)
app.add_typer(data, name="data")
app.add_typer(weights, name="weights")
app.add_typer(methods, name="methods")
app.add_typer(submit, name="submit")
app.add_typer(study, name="study")


_INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vivid-bench {vivid_bench.__version__}")
        raise typer.Exit


@app.callback()
def root(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks of methods that fail.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """The benchmark for video local editing: add, modify or delete an entity inside a video's mask sequence."""
    from vivid_bench.cli.console import set_up_logging

    set_up_logging(verbose)


def main() -> None:
    """Run the command; an error raised on purpose is one message and exit code 2."""
    from vivid_bench.errors import VividBenchError

    # As Ctrl-C does, so that no program that a method started outlives us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except VividBenchError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            again = "runs, builds and training go on from there when the same command is given again"
            typer.echo(f"stopped; {again}", err=True)
        raise
