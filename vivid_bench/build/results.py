"""What a build found for each clip, as it is stored, counted and shown on the data card."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from vivid_bench.types import Sample


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reject(_Stored):
    """Something that became no sample.

    Attributes:
        stage: where it fell out, e.g. `clips`, `add`.
        name: of the video, clip or entity.
        reason: one of few phrases, so that they can be counted.
        detail: figures and circumstances.
    """

    stage: str
    name: str
    reason: str
    detail: str = ""


class BuiltSample(_Stored):
    """A sample and what is known of its mask.

    Attributes:
        measures: see `filters.Measures`.
        label: what a detector called the entity.
        captions: short, medium, long.
    """

    sample: Sample
    measures: dict[str, float]
    label: str | None = None
    captions: tuple[str, str, str] | None = None


class ClipResult(_Stored):
    """A clip's samples and rejects.

    Attributes:
        notes: what was done to its video on the way in.
    """

    clip: str
    video: str
    notes: tuple[str, ...] = ()
    samples: tuple[BuiltSample, ...] = ()
    rejects: tuple[Reject, ...] = ()
