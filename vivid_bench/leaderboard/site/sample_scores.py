"""A run's scores of the samples that have a page, per-frame values included."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from vivid_bench.leaderboard.grid import SCORE_COLUMNS, read_lines
from vivid_bench.records import RunFolder


@dataclass(frozen=True)
class SampleScore:
    """One metric's value for one sample of a run, or why there is none."""

    value: float | None
    status: str
    reason: str | None
    per_frame: list[float | None] | None


def read_sample_scores(folder: RunFolder, samples: Collection[str]) -> dict[tuple[str, str], SampleScore]:
    """Return the scores of some samples by sample and metric; the file was checked when the run was loaded."""
    lines = read_lines(folder.path / "scores.jsonl", SCORE_COLUMNS).select(SCORE_COLUMNS.names)
    wanted = lines.filter(pc.is_in(lines["sample_id"], value_set=pa.array(sorted(samples), pa.string())))
    return {
        (line["sample_id"], line["metric"]): SampleScore(
            line["value"], line["status"], line["reason"], line["per_frame"]
        )
        for line in wanted.to_pylist()
    }
