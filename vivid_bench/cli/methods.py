"""`vivid-bench methods`: methods that need a checkout, an environment or weights of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from vivid_bench.methods import KnownMethod

methods = typer.Typer(no_args_is_help=True, help="Set up methods that need a checkout, an environment or weights.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `list methods` shows, or path/to/method.toml.")]


@methods.command()
def setup(
    name: _Name,
    repo: Annotated[Path | None, typer.Option("--repo", metavar="DIR", help="Your checkout of its repository.")] = None,
    python: Annotated[
        Path | None,
        typer.Option("--python", metavar="PATH", help="The Python of its environment; by default vivid-bench's own."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="DIR", help="Its weights, where they lie elsewhere.")
    ] = None,
) -> None:
    """Check a checkout, its environment and weights, say what is missing, and remember where they are.

    Nothing is cloned or downloaded. Exit code 1 where something is missing; the settings are kept unless the checkout
    or the Python is not there at all.
    """
    import sys

    from vivid_bench import method_settings
    from vivid_bench.cli.console import out
    from vivid_bench.command.checkout import usable_settings
    from vivid_bench.errors import MethodError
    from vivid_bench.machine import has_nvidia_driver

    known = _to_set_up(name)
    given = {"repo": repo, "python": python, "weights": weights}
    # A virtual environment's Python is a link: followed, it would be another one.
    new = {key: str(path.expanduser().absolute()) for key, path in given.items() if path is not None}
    settings = method_settings.load(known.card.name) | new
    usable = usable_settings(known.card)
    if useless := [key for key in given if given[key] is not None and key not in usable]:
        raise MethodError(
            f"method {known.card.name} has no use for --{', --'.join(useless)}: it can be given --{', --'.join(usable)}"
        )
    for needed in usable:
        if needed != "python" and needed not in settings:
            raise MethodError(f"method {known.card.name}: name its {needed} with --{needed} DIR")
    if known.card.checkout:
        settings.setdefault("python", sys.executable)
    missing, blocks = _print_checks(known, settings)
    if blocks:
        out.print("nothing was kept: mend what is missing and give the same command again", style="red")
        raise typer.Exit(1)
    out.print(f"kept in {method_settings.save(known.card.name, settings)}", soft_wrap=True)
    # torch would know better, and take seconds to say so.
    if reason := known.why_not_here("cuda" if has_nvidia_driver() else "cpu"):
        out.print(f"cannot run here: {reason}", soft_wrap=True)
    if missing:
        raise typer.Exit(1)


@methods.command()
def check(name: _Name, device: opt.Device = "auto") -> None:
    """Check what `methods setup` kept, and say whether the method can run here; exit code 1 where it cannot."""
    from vivid_bench import method_settings
    from vivid_bench.cli.console import out
    from vivid_bench.command.checkout import is_set_up
    from vivid_bench.machine import resolve_device

    known = _to_set_up(name)
    settings = method_settings.load(known.card.name)
    missing = is_set_up(known.card, settings) and _print_checks(known, settings)[0]
    reason = known.why_not_here(resolve_device(device))
    out.print(f"cannot run here: {reason}" if reason else "can run here", soft_wrap=True)
    if missing or reason:
        raise typer.Exit(1)


def _to_set_up(name: str) -> KnownMethod:
    from vivid_bench.errors import MethodError
    from vivid_bench.methods import find_method

    known = find_method(name)
    if known.card.is_card_only:
        raise MethodError(f"method {known.card.name} is a card only: nothing here runs it")
    if known.card.checkout is None and not (known.card.card and known.card.card.weights):
        raise MethodError(f"method {known.card.name} needs no setting up")
    return known


def _print_checks(known: KnownMethod, settings: dict[str, str]) -> tuple[bool, bool]:
    """Print the checklist; return whether something is missing, and whether so much that nothing can be kept."""
    from vivid_bench.cli.console import out
    from vivid_bench.command.checkout import Check, checklist

    styles = {"ok": "green", "missing": "red", "warning": "yellow"}
    if known.card.checkout:
        checks = checklist(known.card, settings)
    else:
        there = Path(settings["weights"]).is_dir()
        checks = iter([Check("weights", "ok" if there else "missing", settings["weights"], blocks=not there)])
    found = []
    for item in checks:  # one by one: importing a module takes a while
        out.print(f"{item.state:8} {item.what:9} {item.text}", style=styles[item.state], soft_wrap=True)
        found.append(item)
    return any(item.state == "missing" for item in found), any(item.blocks for item in found)
