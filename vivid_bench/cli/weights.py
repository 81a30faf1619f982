"""`vivid-bench weights`: the networks that metrics compute with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.weights import Weights

weights = typer.Typer(no_args_is_help=True, help="List, check and download the weights that metrics compute with.")

_NAMES_HELP = "Names that `weights list` shows, or <architecture>/<pretrained tag> of open_clip."


@weights.command("list")
def list_(folder: opt.WeightsFolder = None, json: opt.Json = False) -> None:
    """List the weights with their size, hash, licence, the metrics that use them, and where they are."""
    from vivid_bench.cli.console import print_json, print_rows, size_text
    from vivid_bench.weights import catalogue, use_folder

    use_folder(folder)
    found = [(entry, _place(entry.name)) for entry in catalogue().values()]
    if json:
        print_json([_as_json(entry, place) for entry, place in found])
        return
    columns = ("name", "size", "sha256", "licence", "used by", "where")
    rows = [
        [e.name, size_text(_size(e, place)), _published_sha256(e)[:8] or "–", e.licence, ", ".join(e.used_by),
         str(place or "not here")]
        for e, place in found
    ]  # fmt: skip
    print_rows(None, columns, rows)


@weights.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help=_NAMES_HELP)] = None,
    folder: opt.WeightsFolder = None,
    json: opt.Json = False,
) -> None:
    """Read the weights that are here and compare their hashes; exit code 1 where one is wrong, or named and missing.

    Without a name, all of the list are checked.
    """
    from vivid_bench.cli.console import err, print_json, print_rows
    from vivid_bench.weights import catalogue, use_folder

    use_folder(folder)
    rows = [_checked(name) for name in names or catalogue()]
    failed = [row for row in rows if row.state == "wrong" or (names and row.state == "missing")]
    if json:
        print_json([row._asdict() for row in rows])
    else:
        print_rows(None, ("name", "state", "where"), [(row.name, row.state, row.path or "–") for row in rows])
        for row in failed:
            err.print(f"{row.state}: {row.problem}", style="red")
    if failed:
        raise typer.Exit(1)


@weights.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help=_NAMES_HELP)],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Put them in this folder, to copy to a machine without a network."),
    ] = None,
) -> None:
    """Download weights to vivid-bench's cache, or to a folder; a download that was stopped goes on where it was."""
    from vivid_bench.cli.console import err, show_download, size_text
    from vivid_bench.weights import find
    from vivid_bench.weights_fetch import fetch as fetch_one

    # A typing mistake in the last name must show before gigabytes are fetched for the first.
    entries = [find(name) for name in names]
    for entry in entries:
        size = f", {size_text(entry.size)}" if entry.size else ""
        err.print(f"{entry.name}: {entry.source}{size}, licence: {entry.licence}")
        err.print(f"{entry.name}: here, {fetch_one(entry, to, show_download)}")
    if to:
        err.print(f"to use them on another machine: copy {to} there and set VIVID_BENCH_WEIGHTS to it")


class _Checked(NamedTuple):
    name: str
    state: Literal["ok", "missing", "wrong"]
    path: str | None
    problem: str | None


def _place(name: str) -> Path | None:
    from vivid_bench.errors import MissingWeightsError
    from vivid_bench.weights import locate

    try:
        return locate(name)
    except MissingWeightsError:
        return None


def _checked(name: str) -> _Checked:
    from vivid_bench.errors import InputError, MissingWeightsError
    from vivid_bench.weights import locate
    from vivid_bench.weights_check import check_path

    try:
        path = locate(name)
    except MissingWeightsError as error:
        return _Checked(name, "missing", None, str(error))
    try:
        check_path(path, name)
    except InputError as error:
        return _Checked(name, "wrong", str(path), str(error))
    return _Checked(name, "ok", str(path), None)


def _as_json(entry: Weights, place: Path | None) -> dict[str, object]:
    return {
        "name": entry.name,
        "kind": entry.kind,
        "source": entry.source,
        "revision": entry.revision,
        "file": entry.file,
        "size": _size(entry, place),
        "sha256": _published_sha256(entry) or None,
        "licence": entry.licence,
        "used_by": entry.used_by,
        "path": str(place) if place else None,
    }


def _published_sha256(entry: Weights) -> str:
    from vivid_bench.weights_check import known_sha256

    return known_sha256(Path(entry.file), entry) or "" if entry.file else ""


def _size(entry: Weights, place: Path | None) -> int | None:
    from vivid_bench.weights import content_files

    return sum(file.stat().st_size for file in content_files(place, entry)) if place else entry.size
