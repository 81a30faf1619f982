"""`vivid-bench data list`: the published sets that can be read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.datasets.types import Card, Download


def list_(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show all that is known of one set.")] = None,
    json: opt.Json = False,
) -> None:
    """List the published data sets, or say all that is known of one: layout, licence, citation, parts to fetch.

    A layout is certain where it was read off the makers' own files or code, else it is read tolerantly.
    """
    from vivid_bench.cli.console import print_json, print_rows
    from vivid_bench.datasets.readers import DATASETS, load_reader

    cards = [load_reader(wanted).CARD for wanted in ([name] if name else DATASETS)]
    if json:
        found = [asdict(card) for card in cards]
        print_json(found[0] if name else found)
    elif name:
        _print_card(cards[0])
    else:
        columns = ("name", "title", "tasks", "licence", "layout", "fetch")
        rows = [[c.name, c.title, ", ".join(c.tasks), c.licence, _state(c), _parts(c)] for c in cards]
        print_rows(None, columns, rows)


def download_text(download: Download) -> str:
    """Return where a part comes from and how large it is, or what to do by hand."""
    if download.by_hand:
        return f"by hand: {download.by_hand}"
    size = "size not stated" if download.gigabytes is None else f"about {download.gigabytes:g} GB"
    return f"{download.url or f'https://huggingface.co/datasets/{download.hub}'}, {size}"


def _parts(card: Card) -> str:
    texts = []
    for part, download in card.downloads.items():
        size = "size not stated" if download.gigabytes is None else f"{download.gigabytes:g} GB"
        texts.append(f"{part} by hand" if download.by_hand else f"{part} ({size})")
    return ", ".join(texts) or "–"


def _state(card: Card) -> str:
    return "certain" if card.certain else "tolerant"


def _print_card(card: Card) -> None:
    from vivid_bench.cli.console import out

    how = "read off its makers' files or code" if card.certain else "not known for certain, so read tolerantly"
    lines = [
        f"{card.name}: {card.title}", f"homepage: {card.homepage}", f"tasks: {', '.join(card.tasks)}",
        f"licence: {card.licence}", f"citation: {card.citation}", "", f"layout ({_state(card)}: {how}):",
        *(f"  {line}" for line in card.layout.splitlines()), f"learnt from: {card.source}", "",
    ]  # fmt: skip
    if card.downloads:
        lines.append(f"parts (vivid-bench data fetch {card.name} --part PART --to DIR; the first where none is named):")
        lines += [f"  {part}: {download_text(download)}" for part, download in card.downloads.items()]
    else:
        lines.append(f"no download is known; see {card.homepage}")
    lines.append(f"to use it: vivid-bench run --suite {card.name} --task {card.tasks[0]} --data DIR --method NAME")
    out.print("\n".join(lines), soft_wrap=True)
