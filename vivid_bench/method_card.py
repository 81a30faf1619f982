"""What a method says of itself: the content of its `method.toml`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vivid_bench.errors import InputError
from vivid_bench.types import NAME_PATTERN, MethodKind, Task

Handover = Literal["frames", "mp4", "mkv"]
PLACEHOLDERS = {
    "any": frozenset({"repo", "python", "weights", "device", "here"}),
    "batch": frozenset({"requests", "edits"}),
    "sample": frozenset({"source", "mask", "out", "prompt", "seed", "width", "height", "frames", "fps"}),
}
"""Names that the words of a `[command]` may hold in braces."""


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SubmissionFacts(_Card):
    """What authors say of a method that they submit; the table `[submission]` of `method.toml`.

    Attributes:
        training_data: what the method was trained on; "none" for one without training.
        hardware: what the edits were made on; `seconds_per_clip` is the mean time of one edit there.
        code: where others find the adapter.
        weights_repository, weights_revision: where they find the weights, and which of them.
    """

    authors: tuple[str, ...] = Field(min_length=1, max_length=100)
    training_data: str = Field(min_length=1)
    hardware: str = Field(min_length=1)
    seconds_per_clip: float = Field(gt=0, allow_inf_nan=False)
    code: str | None = None
    weights_repository: str | None = None
    weights_revision: str | None = None


class WeightsFacts(_Card):
    """Weights that a user gets elsewhere; an entry of `[[card.weights]]`.

    Attributes:
        where: hub repository (`owner/name`), or the address of a file.
        revision: of the repository, as far as it is known; None: not pinned, the reason in `note`.
        licence: as its authors state it; "not stated" where nothing does.
        gigabytes: size on disk, where stated.
        gated: whether its owner must accept a request first.
    """

    where: str
    revision: str | None = None
    licence: str = "not stated"
    gigabytes: float | None = None
    gated: bool = False
    note: str = ""


class CardFacts(_Card):
    """What a reader wants to know before running a method; the table `[card]`. "not stated" where nothing says it.

    Attributes:
        size: number of the network's parameters, e.g. `1.3 B`; "none" for a method without a network.
        resolution: e.g. `832x480; sides multiples of 16`.
        frames: e.g. `4k+1, 81 at native length`.
        environment: `vivid-bench's own`, or what it needs beside it.
        memory: of the GPU, with who measured it on what.
        state: what was done with it here; no row claims more.
        record: for `ran here`: a run folder in the repository, e.g. `results/mini/delete/telea`.
        code: the method's own repository.
    """

    size: str
    resolution: str
    frames: str
    environment: str
    memory: str
    state: Literal["ran here", "adapter tested with random weights", "contract tested with a stand-in", "card only"]
    record: str | None = None
    code: str | None = None
    weights: tuple[WeightsFacts, ...] = ()


class CommandFacts(_Card):
    """How a method of another environment is started; the table `[command]`. See docs/methods/contract.md.

    Attributes:
        run: the command's words. In each, `{repo}` (its working folder), `{python}`, `{weights}` and `{device}` are
            replaced, `{here}` by the card's folder, and by `per` further names.
        per: `batch`: one process for many samples, by the contract (`{requests}`, `{edits}`); `sample`: a process a
            sample, for programs that know nothing of the contract (`{source}`, `{mask}`, `{out}`, `{prompt}`,
            `{seed}`, `{width}`, `{height}`, `{frames}`, `{fps}`).
        source, mask: as what `per = "sample"` hands them over, named `source` and `mask`; with `batch`, `frames` adds
            folders of frames to the videos.
        output: for `sample`: where below `{out}` the edit lies, a video or a folder of frames; `*` may stand for part
            of a name.
        size_multiple, min_side, frame_step, frame_offset, min_frames, max_frames, height, width: what sizes and
            lengths the program takes, as in `fitting.ClipRule`; clips are brought to them, and edits back.
        mask_growth: pixels that the program itself grows the mask by, in words for the record.
        composites: whether the program pastes the source back outside its mask by itself.
        needs_gpu: whether it cannot do without a GPU.
        clip_minutes: without a finished clip for so long, it is stopped.
    """

    run: tuple[str, ...] = Field(min_length=1)
    per: Literal["batch", "sample"]
    source: Handover = "mkv"
    mask: Handover = "mkv"
    output: str | None = None
    size_multiple: int = Field(default=1, ge=1)
    min_side: int = Field(default=1, ge=1)
    frame_step: int = Field(default=1, ge=1)
    frame_offset: int = Field(default=0, ge=0)
    min_frames: int = Field(default=1, ge=1)
    max_frames: int | None = None
    height: int | None = None
    width: int | None = None
    mask_growth: str = "none"
    composites: bool = False
    needs_gpu: bool = False
    clip_minutes: float = Field(default=30, gt=0)

    def uses(self, name: str) -> bool:
        """Whether `{name}` stands in one of the command's words."""
        return any(f"{{{name}}}" in word for word in self.run)

    @model_validator(mode="after")
    def _says_where(self) -> CommandFacts:
        if self.per == "sample" and not self.output:
            raise ValueError('per = "sample" needs output: where the edit of a sample lies')
        if self.output and (self.output.startswith("/") or ".." in self.output.split("/")):
            raise ValueError("output must lie below {out}, without ..")
        if (self.height is None) != (self.width is None):
            raise ValueError("height and width belong together")
        known = PLACEHOLDERS["any"] | PLACEHOLDERS[self.per]
        used = {name for word in (*self.run, self.output or "") for name in re.findall(r"\{(\w+)\}", word)}
        if unknown := sorted(used - known):
            raise ValueError(f'no such name with per = "{self.per}": {unknown}; known: {sorted(known)}')
        if self.per == "batch" and (missing := sorted(PLACEHOLDERS["batch"] - used)):
            raise ValueError(f'per = "batch" needs {missing} in run')
        return self


class CheckoutFacts(_Card):
    """The method's own repository, as `vivid-bench methods setup` checks it; the table `[checkout]`.

    Attributes:
        revision: 40 hex digits of the commit that the command line was read from.
        files: that must be there, relative to the checkout.
        weights: files or folders that must be there, relative to the checkout.
        modules: that its Python must be able to import.
    """

    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    files: tuple[str, ...] = Field(min_length=1)
    weights: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


class MethodCard(_Card):
    """What a method says of itself; the content of `method.toml`.

    Attributes:
        adapter: `module:Class`; none for a method with a `[command]`, nor for one that is a card only.
        keyframes: True when the method takes keyframes.
        needs_keyframes: True when it can do nothing without them, and so runs on the keyframe track alone.
        weights: file or folder beside the card; its hash enters the run record.
        parameters: keyword arguments of the class that decide figures.
        submission: what a submission has to say beside the rest.
        card: what a reader wants to know; every method that ships has it.
        command: for methods that run as a program of their own.
        checkout: of their repository, for those.
    """

    name: str = Field(pattern=NAME_PATTERN)
    version: str
    kind: MethodKind
    tasks: tuple[Task, ...]
    adapter: str = ""
    keyframes: bool = False
    needs_keyframes: bool = False
    summary: str = ""
    licence: str = "not stated"
    paper: str | None = None
    weights: str | None = None
    parameters: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    submission: SubmissionFacts | None = None
    card: CardFacts | None = None
    command: CommandFacts | None = None
    checkout: CheckoutFacts | None = None

    @model_validator(mode="after")
    def _takes_what_it_needs(self) -> MethodCard:
        if self.needs_keyframes and not self.keyframes:
            raise ValueError("needs_keyframes is true, so keyframes must be true as well")
        if self.command and self.keyframes:
            raise ValueError("a command is handed no keyframes, so keyframes must be false")
        if self.command and self.adapter:
            raise ValueError("adapter and [command] exclude each other")
        if self.command and not self.checkout and (self.command.uses("repo") or self.command.uses("weights")):
            raise ValueError("{repo} and {weights} need a table [checkout], so that `methods setup` can be told them")
        if self.kind != "submission" and not (self.adapter or self.command or self.is_card_only):
            raise ValueError("adapter is missing: `module:Class`, or `file.py:Class`")
        return self

    @property
    def is_card_only(self) -> bool:
        """Whether nothing here can run it."""
        return self.card is not None and self.card.state == "card only"


def read_card(path: Path) -> MethodCard:
    """Read a `method.toml`; raises `InputError` naming every wrong key."""
    try:
        return MethodCard(**tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(path, expected="a method card", found=str(error), fix="see CONTRIBUTING.md") from error
