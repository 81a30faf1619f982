"""What readers of data sets say of a set and of its clips. No input or output happens here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from vivid_bench.errors import VividBenchError
from vivid_bench.types import Hole, Sample, Span, Task

Finding = TypeVar("Finding", str, VividBenchError)


@dataclass(frozen=True)
class Download:
    """Where a set can be had.

    Attributes:
        hub: `owner/name` of a data set on the Hugging Face hub.
        url: of an archive.
        sha256: of that archive, where its makers or we know it.
        gigabytes: about how much comes, None where it is not known.
        by_hand: what to do where neither serves (a form to fill in, a drive), in one sentence.
        zip_shards: whether the reader reads the hub's `.zip` files as they are; else they are unpacked where they lie.
    """

    hub: str | None = None
    url: str | None = None
    sha256: str | None = None
    gigabytes: float | None = None
    by_hand: str | None = None
    zip_shards: bool = False


@dataclass(frozen=True)
class Card:
    """What a set is.

    Attributes:
        tasks: those that the set can be used for here.
        licence: as the set's makers state it.
        layout: the tree that the reader expects below `--data`, a line each.
        certain: whether that layout was read off the makers' own files or code; False: it is read tolerantly.
        source: where the layout was learnt, e.g. a repository's file and revision.
        downloads: by part, e.g. `2017-480p`; the first is what `data fetch` gets when none is named.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    tasks: tuple[Task, ...]
    layout: str
    certain: bool
    source: str
    downloads: dict[str, Download] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A clip that a set lists, before its files are decoded; paths are relative to the data folder, as in `Sample`.

    Attributes:
        hole: None: hidden where the source is its own reference under the mask, else visible.
        fps: of folders of images, which have none; None: the video's own.
        frames: how many the clip has; None: as many as its files.
    """

    id: str
    task: Task
    source: str
    mask: str
    prompt: str
    hole: Hole | None = None
    reference: str | None = None
    negative_prompt: str | None = None
    span: Span | None = None
    labels: tuple[int, ...] | None = None
    frames: int | None = None
    fps: float | None = None
    source_video: str | None = None
    licence: str | None = None
    mask_kind: str | None = None


@dataclass
class Report:
    """What a pass over a data folder found: usable samples, problems that stop a run, and warnings."""

    samples: list[Sample] = field(default_factory=list)
    problems: list[VividBenchError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Return problems or warnings, each once by its words: the tasks of a set are read one by one, from the same files.

    Example:
        >>> distinct(["no list", "no mask", "no list"])
        ['no list', 'no mask']
    """
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(str(finding), finding)
    return list(first.values())


class Reader(Protocol):
    """A reader: a module of `datasets/` with these two names."""

    CARD: Card

    find: Callable[[Path, Task, Report], Generator[Candidate]]
    """Yield a task's clips below a data folder, lazily and always in the same order, without decoding.

    What is missing goes to the report's problems, what is there and not in the set's lists to its warnings: one line a
    kind, with a count and the first names. Raises `InputError` when the folder does not hold the set at all, and
    `NoSamplesError` where it is known before reading that it has none for the task.
    """
