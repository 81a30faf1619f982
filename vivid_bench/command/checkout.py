"""A user's checkout of a method's repository, and its environment: what is there and what is missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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


def missing_files(checkout: CheckoutFacts, settings: Mapping[str, str]) -> list[Path]:
    """Return which of the repository's files and weights are not there; with weights elsewhere, their folder alone."""
    repo = Path(settings["repo"])
    wanted = [repo / name for name in checkout.files]
    wanted += [Path(settings["weights"])] if "weights" in settings else [repo / name for name in checkout.weights]
    return [path for path in wanted if not path.exists()]


def revision(repo: Path) -> str | None:
    """Return a checkout's commit, with `+changes` where files of it were changed; None when git does not say."""
    if shutil.which("git") is None:
        return None

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(repo), *arguments], capture_output=True, text=True, check=True, timeout=_GIT_SECONDS
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != repo.resolve():
            return None
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


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
    weights = [Path(settings["weights"])] if "weights" in settings else [repo / name for name in checkout.weights]
    for path in weights:
        yield Check("weights", "ok" if path.exists() else "missing", str(path))
    yield from _python_checks(Path(settings["python"]), checkout)
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
    if not python.is_file():
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
