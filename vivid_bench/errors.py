"""Every error that vivid-bench raises on purpose, in one tree.

VividBenchError
├── UnknownNameError    a method, task, suite or metric that does not exist
├── InputError          a file or folder that is not as it must be: names it, expected, found, fix
│   ├── InputReportError     several of them, found in one pass
│   └── NoSamplesError       a copy of a data set that has none for a task
├── MissingWeightsError weights of a metric that are not on this machine
├── DownloadError       weights or a data set that could not be downloaded
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


class NoSamplesError(InputError):
    """A copy of a data set that has no samples for a task; where several tasks are asked for, that one is left out."""


class MissingWeightsError(VividBenchError):
    """Weights that are not on this machine; nothing downloads unless asked.

    The message names no folder of this machine: it is kept beside scores, which are the same wherever they are made.

    Args:
        name: of the weights.
        file: where they lie inside a folder of weights, e.g. `alex/alexnet-owt-7be5be79.pth`; None: they ship.
    """

    def __init__(self, name: str, file: str | None = None) -> None:
        looked = (
            "looked in the package, VIVID_BENCH_WEIGHTS, and the caches of vivid-bench, huggingface_hub, torch.hub "
            "and open_clip"
        )
        fix = "they ship with vivid-bench: install it again"
        if file:
            fix = (
                f"`vivid-bench weights fetch {name}` gets them; on a machine without a network set "
                f"VIVID_BENCH_WEIGHTS=DIR, or give --weights DIR, where DIR holds {file}"
            )
        super().__init__(f"weights {name} are not on this machine ({looked}); {fix}")
        self.name = name


class DownloadError(VividBenchError):
    """Weights or data that could not be downloaded; what has come is kept, and the same command goes on from there."""


class MethodError(VividBenchError):
    """A method that cannot be loaded or that returned something unusable."""


class RecordError(VividBenchError):
    """A run folder that cannot be read, resumed or compared."""


class RunLockedError(VividBenchError):
    """Another process is at work in the same run folder."""
