"""Every error that vivid-bench raises on purpose, in one tree.

VividBenchError
├── UnknownNameError    a method, task, suite or metric that does not exist
├── InputError          a file or folder that is not as it must be: names it, expected, found, fix
│   └── InputReportError     several of them, found in one pass
├── MethodError         a method that cannot be loaded, or returned something unusable
├── RecordError         a run folder that cannot be read, resumed or compared
└── RunLockedError      another process is at work in the same run folder

The command line prints the message of any of these and exits with 2; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from os import PathLike


class VividBenchError(Exception):
    """Base of all errors raised on purpose."""


class UnknownNameError(VividBenchError):
    """A name that no registry, suite or task list holds; the message suggests the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        choices = sorted(known)
        near = get_close_matches(name.lower(), choices, n=1, cutoff=0.5)
        hint = f'did you mean "{near[0]}"? ' if near else ""
        super().__init__(f'unknown {kind} "{name}": {hint}known: {", ".join(choices) or "none"}')
        self.suggestion = near[0] if near else None


class InputError(VividBenchError):
    """One thing on disk that is not as it must be.

    Args:
        path: the file or folder at fault.
        expected: what it had to be.
        found: what it is.
        fix: what the user can do about it.
    """

    def __init__(self, path: str | PathLike[str], *, expected: str, found: str, fix: str) -> None:
        super().__init__(f"{path}: expected {expected}, found {found}; {fix}")
        self.path = str(path)
        self.expected = expected
        self.found = found
        self.fix = fix


class InputReportError(InputError):
    """Several input errors found in one pass, one a line."""

    def __init__(self, path: str | PathLike[str], errors: Sequence[VividBenchError]) -> None:
        self.errors = tuple(errors)
        VividBenchError.__init__(
            self, f"{path}: {len(self.errors)} problems:\n" + "\n".join(f"  - {e}" for e in self.errors)
        )
        self.path = str(path)


class MethodError(VividBenchError):
    """A method that cannot be loaded or that returned something unusable."""


class RecordError(VividBenchError):
    """A run folder that cannot be read, resumed or compared."""


class RunLockedError(VividBenchError):
    """Another process is at work in the same run folder."""
