from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import Values, made_split, read_tables, write_run

from vivid_bench.leaderboard.table import Row, Table
from vivid_bench.metrics import metric_info
from vivid_bench.report.standing import standing

PSNR, L1 = metric_info("edit_psnr"), metric_info("edit_l1")


def made(records: Path, own: Values, **controls: Values) -> tuple[Table, Row]:
    split = made_split(len(next(iter(own.values()))))
    write_run(records, split, "mine", own)
    for name, values in controls.items():
        write_run(records, split, name, values, kind="control")
    (table,) = read_tables(records)
    return table, next(row for row in table.rows if not row.is_control)


def test_by_hand(tmp_path: Path) -> None:
    table, row = made(
        tmp_path,
        {"edit_psnr": [20.0, 22.0, 24.0, 26.0, 28.0, 30.0, 25.0, 25.0]},
        low={"edit_psnr": [10.0] * 8},
        high={"edit_psnr": [19.0, 19.0, 19.0, 21.0, 21.0, 21.0, 20.0, 20.0]},
        partial={"edit_psnr": [*[90.0] * 7, None]},
    )
    whole = standing(table, row, PSNR)
    assert (whole.n_clips, whole.n_scored, whole.n_videos) == (8, 8, 8)
    assert (whole.mean, whole.control, whole.control_mean, whole.lead) == (25.0, "high", 20.0, 5.0)
    assert whole.interval is not None
    assert whole.interval.low < 25.0 < whole.interval.high
    # On its own five clips the control that lacks the last is the best one.
    some = standing(table, row, PSNR, [0, 1, 2, 3, 4])
    assert (some.mean, some.control, some.lead) == (24.0, "partial", 24.0 - 90.0)


def test_few_videos_have_a_mean_and_no_interval(tmp_path: Path) -> None:
    table, row = made(tmp_path, {"edit_psnr": [20.0, 22.0, 24.0, 26.0, 28.0, 20.0, 22.0, 24.0]})
    few = standing(table, row, PSNR, [0, 1, 2, 3])
    assert (few.mean, few.interval, few.control, few.lead) == (23.0, None, None, None)
    assert few.against(100.0, PSNR) is None
    assert standing(table, row, PSNR).interval is not None


def test_lower_is_better(tmp_path: Path) -> None:
    own = {"edit_psnr": [1.0] * 8, "edit_l1": [0.1, 0.2, 0.1, 0.2, 0.15, 0.15, 0.1, 0.2]}
    table, row = made(tmp_path, own, c={"edit_psnr": [1.0] * 8, "edit_l1": [0.4] * 8},
                      d={"edit_psnr": [1.0] * 8, "edit_l1": [0.3] * 8})  # fmt: skip
    whole = standing(table, row, L1)
    assert whole.control == "d"
    assert whole.lead == pytest.approx(0.15)
    assert whole.against(0.3, L1) == "better"
    assert whole.against(0.01, L1) == "worse"
    assert whole.against(0.15, L1) is None
    assert whole.against(0.01, PSNR) == "better"


def test_clips_without_a_figure(tmp_path: Path) -> None:
    table, row = made(tmp_path, {"edit_psnr": [None, 22.0, None]}, c={"edit_psnr": [1.0, 2.0, 3.0]})
    assert standing(table, row, PSNR).n_scored == 1
    nothing = standing(table, row, PSNR, [0, 2])
    assert (nothing.n_clips, nothing.n_scored, nothing.mean, nothing.control) == (2, 0, None, None)
