"""The readers of published sets by name, imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

from vivid_bench.datasets.samples import read_candidates, unreadable
from vivid_bench.datasets.types import Reader, Report
from vivid_bench.errors import InputError, NoSamplesError, UnknownNameError
from vivid_bench.types import Task

DATASETS = ("vivid10m", "davis", "davis-edit", "vpbench", "five", "prove", "youtube-vos")
"""Each is read by the module of its name (`-` is `_`)."""


def load_reader(name: str) -> Reader:
    """Import a set's reader; raises `UnknownNameError`."""
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS)
    return cast(Reader, importlib.import_module(f"vivid_bench.datasets.{name.replace('-', '_')}"))


def read_dataset(
    name: str, data: Path, task: Task, limit: int | None = None, advance: Callable[[int], None] = lambda _: None
) -> Report:
    """Read a task's first `limit` clips of a set; what is missing, damaged or left over is in the report.

    Args:
        advance: takes 1 after each clip.

    Raises:
        UnknownNameError: no such set.
        NoSamplesError: the folder holds the set, or part of it, but no clips for the task.
        InputError: the folder does not hold the set, or the set has no clips for the task.
    """
    reader = load_reader(name)
    if task not in reader.CARD.tasks:
        found = f"only {' and '.join(reader.CARD.tasks)}"
        raise InputError(data, expected=f"{task} samples in {name}", found=found, fix="pass another --task")
    if not data.is_dir():
        raise InputError(data, expected=f"the folder of {name}", found="nothing", fix="check --data")
    report = Report()
    try:
        # Closed, so that what a limit ends early still says what it found missing.
        with closing(reader.find(data, task, report)) as candidates:
            read_candidates(data, candidates, report, limit, advance)
    except OSError as error:
        raise unreadable(Path(error.filename or data), error) from error
    if not (report.samples or report.problems):
        found = "; ".join(["none", *report.warnings])
        raise NoSamplesError(
            data, expected=f"{task} samples of {name}", found=found, fix=f"the layout:\n{reader.CARD.layout}"
        )
    return report
