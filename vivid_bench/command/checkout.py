"""A user's checkout of a method's repository, and its environment: what is there and what is missing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vivid_bench.files import sha256_text
from vivid_bench.method_card import CheckoutFacts, MethodCard

State = Literal["ok", "missing", "warning"]

_IMPORT_SECONDS = 300
_GIT_SECONDS = 30


@dataclass(frozen=True)
class Check:
    """One line of the checklist.

    Attributes:
        blocks: whether nothing can be set up without it.
    """

    what: str
    state: State
    text: str
    blocks: bool = False


def usable_settings(card: MethodCard) -> tuple[str, ...]:
    """Return which settings the method can be given; all but `python` must be, see `is_set_up`."""
    if card.checkout is None or card.command is None:
        return ("weights",)
    return ("repo", "python", "weights") if card.command.uses("weights") else ("repo", "python")


def is_set_up(card: MethodCard, settings: Mapping[str, str]) -> bool:
    """Whether the settings name all that the method cannot do without."""
    return all(key in settings for key in usable_settings(card) if key != "python")


def weights_paths(card: MethodCard, settings: Mapping[str, str]) -> list[Path]:
    """Return where the program looks for its weights: where it is told, else in its checkout."""
    assert card.checkout is not None
    if "weights" in usable_settings(card):
        return [Path(settings["weights"])]
    return [Path(settings["repo"]) / name for name in card.checkout.weights]


def missing_files(card: MethodCard, settings: Mapping[str, str]) -> list[Path]:
    """Return which of the repository's files and weights are not there."""
    assert card.checkout is not None
    wanted = [Path(settings["repo"]) / name for name in card.checkout.files]
    return [path for path in (*wanted, *weights_paths(card, settings)) if not path.exists()]


def revision(repo: Path) -> str | None:
    """Return a checkout's commit, with `+changes.` and a mark of them where it was changed; None when git has none."""
    if shutil.which("git") is None:
        return None

    def git(*arguments: str) -> bytes:
        return subprocess.run(
            ["git", "-C", str(repo), *arguments], capture_output=True, check=True, timeout=_GIT_SECONDS
        ).stdout

    try:
        if Path(os.fsdecode(git("rev-parse", "--show-toplevel").rstrip(b"\n"))).resolve() != repo.resolve():
            return None
        # Whatever the user's configuration says of how to show them: it may even start programs.
        changes = git("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "--full-index")
        mark = f"+changes.{hashlib.sha256(changes).hexdigest()[:12]}" if changes else ""
        return git("rev-parse", "HEAD").decode().strip() + mark
    except (OSError, subprocess.SubprocessError):
        return None


def packages(python: Path) -> str | None:
    """Return an environment's packages in a line: torch's version, how many there are, and a mark of all names and
    versions; None where the Python does not lie in an environment of its own. Nothing is started.
    """
    # Not resolved: an environment's python is often a link to the system's.
    installed = sorted(path.stem for path in python.parent.parent.glob("lib/python3*/site-packages/*.dist-info"))
    if not installed:
        return None
    torch = next((name.replace("-", " ") for name in installed if name.startswith("torch-")), "no torch")
    return f"{torch}, {len(installed)} packages {sha256_text(' '.join(installed))[:12]}"


def checklist(card: MethodCard, settings: Mapping[str, str]) -> Iterator[Check]:
    """Yield what is there and what is missing of a method's checkout, weights and environment.

    The environment's Python is started, to import the modules that the card names; nothing else is run.
    """
    checkout, command = card.checkout, card.command
    assert checkout is not None
    repo = Path(settings["repo"])
    for name in checkout.files:
        there = (repo / name).exists()
        yield Check("file", "ok" if there else "missing", str(repo / name), blocks=not there)
    if not any((repo / name).exists() for name in checkout.files):
        return
    yield _revision_check(checkout, repo)
    for path in weights_paths(card, settings):
        yield Check("weights", "ok" if path.exists() else "missing", str(path))
    yield from _python_checks(Path(settings.get("python", sys.executable)), checkout)
    if command and command.needs_gpu:
        here = shutil.which("nvidia-smi") is not None
        yield Check("GPU", "ok" if here else "missing", "nvidia-smi is here" if here else "no nvidia-smi here")


def _revision_check(checkout: CheckoutFacts, repo: Path) -> Check:
    found = revision(repo)
    if found == checkout.revision:
        return Check("revision", "ok", found)
    wanted = f"the command line was read from {checkout.revision}"
    if found is None:
        return Check("revision", "warning", f"{repo} is no git checkout; {wanted}")
    return Check("revision", "warning", f"here {found}; {wanted}")


def _python_checks(python: Path, checkout: CheckoutFacts) -> Iterator[Check]:
    if not (python.is_file() and os.access(python, os.X_OK)):
        yield Check("Python", "missing", str(python), blocks=True)
        return
    yield Check("Python", "ok", str(python))
    for module in checkout.modules:
        try:
            done = subprocess.run(
                [python, "-c", f"import {module}"], capture_output=True, text=True, timeout=_IMPORT_SECONDS,
                errors="replace", cwd="/",
            )  # fmt: skip
            lines = done.stderr.strip().splitlines()
            problem = (lines[-1] if lines else f"exit code {done.returncode}") if done.returncode else ""
        except (OSError, subprocess.SubprocessError) as error:
            problem = str(error)
        yield Check("module", "missing" if problem else "ok", f"{module}: {problem}" if problem else module)
