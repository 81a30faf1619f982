"""Samples on their way through a program: brought to its size and length, written for it, and their edits read."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from vivid_bench.command.contract import read_edit, safe_name
from vivid_bench.errors import MethodError
from vivid_bench.fitting import ClipRule, FittedClip, fit_clip
from vivid_bench.method_card import CommandFacts
from vivid_bench.types import Edited, EditRequest


@dataclass(frozen=True)
class Outcome:
    """How a sample ended.

    Attributes:
        problem: why there is no edit; None when the program says that there is one.
        seconds: from the end of the sample before it, or the program's start, to its own end.
        peak_bytes: the largest resident memory of the program and its children so far; None where nobody can know.
        tail: the end of the program's log then.
    """

    problem: str | None = None
    seconds: float | None = None
    peak_bytes: int | None = None
    tail: str = ""


@dataclass
class Clip:
    """A sample as a program gets it.

    Attributes:
        name: of its files, and what progress lines call it.
        folder: holds its input and nothing else.
        fitted: how its edit is brought back; the pixels themselves are not kept.
        line: its line of `requests.jsonl`.
        values: for `per = "sample"`: what the names in braces stand for.
        sent: when the program was told of it.
    """

    name: str
    folder: Path
    fitted: FittedClip | None = None
    line: str = ""
    values: dict[str, str] = field(default_factory=dict)
    sent: float = 0.0
    outcome: Outcome | None = None


class Prepare(Protocol):
    """Makes a `Clip` of a numbered request; what cannot be made has its outcome already."""

    def __call__(self, numbered: tuple[int, EditRequest]) -> Clip:
        """Write the request for the program."""
        ...


def preparer(work: Path, facts: CommandFacts, write: Callable[[Clip, EditRequest], None]) -> Prepare:
    """Return what fits each request to the facts and then writes it with `write`."""
    rule = ClipRule(
        frame_step=facts.frame_step, frame_offset=facts.frame_offset, min_frames=facts.min_frames,
        max_frames=facts.max_frames, size_multiple=facts.size_multiple, min_side=facts.min_side,
        height=facts.height, width=facts.width,
    )  # fmt: skip

    def prepare(numbered: tuple[int, EditRequest]) -> Clip:
        index, request = numbered
        name = safe_name(index, request.sample_id)
        clip = Clip(name, work / name)
        try:
            fitted = fit_clip(request.frames, request.mask, rule)
        except MethodError as error:
            clip.outcome = Outcome(problem=str(error))
            return clip
        write(clip, replace(request, frames=fitted.frames, mask=fitted.mask))
        # Dozens of clips may wait on disk: in memory only their shape is needed.
        empty = np.broadcast_to(np.uint8(0), fitted.frames.shape)
        clip.fitted = replace(fitted, frames=empty, mask=np.broadcast_to(np.False_, fitted.mask.shape))
        return clip

    return prepare


def collect(clip: Clip, find: Callable[[Clip], Path], facts: CommandFacts) -> Edited | MethodError:
    """Read a finished clip's edit, bring it back to the sample's size and length, and remove its files."""
    outcome = clip.outcome
    assert outcome is not None
    if outcome.problem is not None:
        shutil.rmtree(clip.folder, ignore_errors=True)
        return MethodError(outcome.problem)
    try:
        assert clip.fitted is not None
        found = find(clip)
        edited = clip.fitted.back(read_edit(found))
    except MethodError as error:
        return MethodError(f"{error}; {outcome.tail}")
    finally:
        shutil.rmtree(clip.folder, ignore_errors=True)
    _remove(found)
    return Edited(edited, (*clip.fitted.notes, *_habits(facts)), outcome.seconds, outcome.peak_bytes)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _habits(facts: CommandFacts) -> Iterator[str]:
    if facts.mask_growth != "none":
        yield f"the program grows the mask: {facts.mask_growth}"
    if facts.composites:
        yield "the program pastes the source back outside its mask"
