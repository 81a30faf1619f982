"""`vivid-bench data fetch`: download a published set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vivid_bench.datasets.fetch_plan import Plan
    from vivid_bench.datasets.types import Card

ASK_FROM_BYTES = 1_000_000_000


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A set that `data list` shows.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where it goes; then `--data DIR` finds it.")],
    part: Annotated[
        str | None, typer.Option("--part", metavar="PART", help="One that `data list NAME` shows; else the first.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before more than 1 GB.")] = False,
) -> None:
    """Download a part of a set, check its hashes and unpack it; a download that was stopped goes on where it was.

    What it is, its licence and its size are said before anything comes.
    """
    from vivid_bench.cli.console import err, show_download
    from vivid_bench.datasets.fetch import fetch as fetch_planned
    from vivid_bench.datasets.fetch import record_of
    from vivid_bench.datasets.fetch_plan import choose, plan_fetch
    from vivid_bench.datasets.readers import load_reader
    from vivid_bench.downloads import check_room

    card = load_reader(name).CARD
    _introduce(card)
    chosen, _ = choose(card, part)
    record = record_of(to, name, chosen)
    if record.is_file():
        err.print(f"{name} {chosen}: here, {to}; remove {record} to fetch it again")
        return
    plan = plan_fetch(card, chosen, to)
    check_room(to, plan.bytes_needed)
    _agree(plan, yes)
    fetch_planned(plan, to, show_download)
    err.print(f"{name} {chosen}: here, {to}; `vivid-bench data check {name} --data {to}` reads it through")


def _introduce(card: Card) -> None:
    from vivid_bench.cli.console import err

    err.print(f"{card.title}, {card.homepage}\nlicence: {card.licence}\ncite: {card.citation}")


def _agree(plan: Plan, yes: bool) -> None:
    """Say how much comes, and ask where it is much or nobody knows how much."""
    from vivid_bench.cli.console import err, size_text
    from vivid_bench.errors import VividBenchError

    known = plan.bytes_to_come is not None
    size = f"{size_text(plan.bytes_to_come)} to download" if known else "its server does not say how much comes"
    err.print(f"{plan.name} {plan.part}: {plan.source}, {size}")
    if yes or (plan.bytes_to_come is not None and plan.bytes_to_come <= ASK_FROM_BYTES):
        return
    if not sys.stdin.isatty():
        raise VividBenchError(f"{plan.name} {plan.part}: {size}; give --yes to agree")
    typer.confirm(f"{size}; go on?", abort=True, err=True)
