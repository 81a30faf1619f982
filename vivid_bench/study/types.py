"""What a study writes to disk: the sealed key, what a packet may know, and raters' answers."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from vivid_bench.types import NAME_PATTERN, SAMPLE_ID_PATTERN, Composite, SharedKeyframes, Task

Design = Literal["pairwise", "rating", "ranking"]
DESIGNS: tuple[Design, ...] = get_args(Design)
Question = Literal[
    "text-alignment", "visual-quality", "temporal-consistency", "background-preservation", "overall"
]  # fmt: skip
QUESTIONS: tuple[Question, ...] = get_args(Question)
ItemKind = Literal["training", "scored", "attention", "repeat"]

RATER_PATTERN = r"^r[0-9]{3,6}$"
ITEM_PATTERN = r"^i[0-9]{3,6}$"
STUDY_PATTERN = r"^[0-9a-f]{16}$"

Value = Literal["tie"] | Annotated[int, Field(ge=1, le=5, strict=True)] | tuple[Annotated[int, Field(ge=1)], ...]
"""An answer to one question. Pairwise: the place of the better clip, 1 or 2, from the left, or `tie`. Rating: 1 (worst)
to 5 (best). Ranking: the places of all clips, the best first, e.g. [2, 1, 3]."""


class _OnDisk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudySample(_OnDisk):
    """A clip that is shown: its edits are what raters compare.

    Attributes:
        mask_kind: how the mask was augmented, if known.
    """

    id: str = Field(pattern=SAMPLE_ID_PATTERN)
    suite: str
    task: Task
    prompt: str
    source_video: str
    mask_kind: str | None = None


class StudyRun(_OnDisk):
    """A finished run that takes part: one method on one suite and task.

    Attributes:
        scores: metric -> a value for each of the key's samples, None for those of other splits or without a figure.
    """

    suite: str
    task: Task
    method: str = Field(pattern=NAME_PATTERN)
    version: str
    run_key: str
    composite: Composite
    keyframes: SharedKeyframes | None = None
    scores: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)


class Item(_OnDisk):
    """One screen of a rater's packet.

    Attributes:
        id: what the packet calls it, numbered in the order shown.
        kind: `training` (with feedback, never analysed), `scored`, `attention` (one clip shown is broken, and must
            lose), or `repeat` (a scored item again, its places in reverse order).
        sample: index into the key's samples.
        shown: for each place from the left, an index into the key's runs; None is the broken clip.
        repeats: id of the item that a repeat shows again.
    """

    id: str = Field(pattern=ITEM_PATTERN)
    kind: ItemKind
    sample: int = Field(ge=0)
    shown: tuple[int | None, ...]
    repeats: str | None = None


class RaterPlan(_OnDisk):
    """What one rater is shown.

    Attributes:
        packet: sha256 of the packet's questions and items as the page holds them; answers carry it.
    """

    rater: str = Field(pattern=RATER_PATTERN)
    packet: str = Field(pattern=r"^[0-9a-f]{64}$")
    items: tuple[Item, ...]


class Rules(_OnDisk):
    """When a rater is excluded, set before anyone has answered.

    Attributes:
        failed_checks: excluded at so many failed attention items. One is failed when at least half of its questions
            are answered in favour of the broken clip (a tie counts as that; rating: above 2;
            ranking: not last).
        too_fast_share: excluded when more than this share of the scored items was answered in less time than its clip
            takes to play once.
        same_answer_share: excluded when at least this share of the scored answers is the same place, rating or order;
            a tie is none of these (only with `same_answer_min` scored items answered or more).
    """

    failed_checks: int = 2
    too_fast_share: float = 0.5
    same_answer_share: float = 0.95
    same_answer_min: int = 10


class StudyKey(_OnDisk):
    """The sealed key, `key.json`: who made which clip. It never enters a packet.

    Attributes:
        study: identifies the study; packets and answers carry it.
        ties: whether raters may call a pair a tie (pairwise only).
        deadline: the last day that answers count, ISO date in UTC; None: no end.
        clip_seconds: for each sample, how long its clip plays.
    """

    schema_version: Literal[1] = 1
    study: str = Field(pattern=STUDY_PATTERN)
    design: Design
    ties: bool
    questions: tuple[Question, ...]
    seed: int
    deadline: str | None
    samples: tuple[StudySample, ...]
    clip_seconds: tuple[float, ...]
    runs: tuple[StudyRun, ...]
    raters: tuple[RaterPlan, ...]
    rules: Rules = Rules()

    def plan(self, rater: str) -> RaterPlan | None:
        """Return a rater's plan, None for a rater of another study."""
        return next((plan for plan in self.raters if plan.rater == rater), None)


class PacketItem(_OnDisk):
    """What the page knows of an item. Nothing here tells an attention item or a repeat from a scored one.

    Attributes:
        source: media file of the source with the mask's outline.
        clips: media files, from the left.
        fps: frames a second of all of them, by which the page steps.
        correct: of the training item alone: the answer that its feedback calls right, to every question.
    """

    id: str = Field(pattern=ITEM_PATTERN)
    task: Task
    prompt: str
    source: str
    clips: tuple[str, ...]
    fps: float = Field(gt=0)
    correct: Value | None = None


class Packet(_OnDisk):
    """What one rater's page holds: the JSON inside `index.html`.

    Attributes:
        packet: as in `RaterPlan`.
        instructions, consent: plain text, a blank line between paragraphs.
        items: in the order shown; the first is the training item.
    """

    schema_version: Literal[1] = 1
    study: str = Field(pattern=STUDY_PATTERN)
    rater: str = Field(pattern=RATER_PATTERN)
    packet: str
    design: Design
    ties: bool
    questions: tuple[Question, ...]
    instructions: str
    consent: str
    deadline: str | None
    items: tuple[PacketItem, ...]


class Answer(_OnDisk):
    """One rater's answers to the questions of one item.

    Attributes:
        seconds: from the moment the item was on the screen until the answer was given, pauses of a closed tab left out.
        at: when it was given, ISO 8601 in UTC, by the rater's clock (served: the server's).
    """

    item: str = Field(pattern=ITEM_PATTERN)
    values: dict[Question, Value]
    seconds: float = Field(ge=0, allow_inf_nan=False)
    at: str


class RaterAnswers(_OnDisk):
    """Everything that one rater answered.

    Attributes:
        finished: whether the rater reached the end.
        simulated: made by `study simulate`; whatever is computed from such answers says so.
    """

    rater: str = Field(pattern=RATER_PATTERN)
    packet: str
    finished: bool
    simulated: bool = False
    answers: tuple[Answer, ...]


class AnswersPayload(_OnDisk):
    """The content of an answers file: one rater's from a static page, all raters' from the server."""

    study: str = Field(pattern=STUDY_PATTERN)
    raters: tuple[RaterAnswers, ...]


class AnswersFile(_OnDisk):
    """An answers file.

    Attributes:
        checksum: `crc32:` and 8 hex digits, of the payload's UTF-8 bytes. It shows corruption, not forgery: whoever
            changes the payload can compute it anew.
        payload: JSON text of an `AnswersPayload`.
    """

    format: Literal["vivid-bench-answers"] = "vivid-bench-answers"
    version: Literal[1] = 1
    checksum: str
    payload: str
