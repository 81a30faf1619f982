"""`submission.json`, beside the `run.json` of an accepted run: who submitted it, and what was checked."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from vivid_bench.errors import RecordError
from vivid_bench.records import RunFolder
from vivid_bench.submission.method_file import SubmittedMethod

FILE = "submission.json"

Badge = Literal["self-reported", "re-scored", "re-run"]
"""What stands behind a submission's figures.

`self-reported`: files and protocol are in order, the figures are the authors' own. `re-scored`: a share of the edits,
drawn at random, was scored again and the figures agree. `re-run`: that share was made again with the method itself.
"""

WEAKEST_FIRST: tuple[Badge, ...] = get_args(Badge)
"""Badges in the order of what stands behind them."""


class SubmissionRecord(BaseModel):
    """The content of `submission.json`, beside the `run.json` of an accepted run.

    Attributes:
        checked_at: when, in UTC; `package_version` is that of the vivid-bench that checked.
        manifest_sha256: which submission this was.
        scores_sha256: hash of the scores that were checked: the badge stands behind no others.
        seed: what the clips were drawn with.
        checked: samples whose figures were made again; empty for `self-reported`.
        lossy: codecs of edits that are not lossless, e.g. `h264 yuv420p`.
        method: what the authors say of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    badge: Badge
    checked_at: str
    package_version: str
    manifest_sha256: str
    scores_sha256: str
    seed: int
    checked: tuple[str, ...]
    lossy: tuple[str, ...]
    method: SubmittedMethod


def read_submission(folder: RunFolder) -> SubmissionRecord | None:
    """Read the `submission.json` of a run; None where the run is no submission. Raises `RecordError`."""
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        return SubmissionRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecordError(f"{path}: no submission of schema version 1: {error}") from error
