from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_runs import Values, made_split, read_tables, write_run
from matplotlib.axes import Axes

from vivid_bench.errors import UnknownNameError
from vivid_bench.leaderboard.plots import (
    axis_label,
    cost_plot,
    file_stem,
    find_metric,
    intervals_plot,
    save,
    scatter_plot,
    second_metric,
)
from vivid_bench.leaderboard.table import Table
from vivid_bench.metrics import metric_info

VALUES: Values = {
    "edit_psnr": [20.0, 21.0, 22.0, 25.0],
    "edit_ssim": [0.5, 0.6, None, 0.9],
    "background_warp_error": [0.001, 0.002, 0.003, 0.004],
}


def table_of(records: Path, methods: int = 1, seconds: float | None = 0.5) -> Table:
    split = made_split(4)
    for number in range(methods):
        write_run(records, split, f"method-{number}", VALUES, seconds=seconds)
    write_run(records, split, "copy-source", VALUES, kind="control", seconds=seconds)
    (table,) = read_tables(records)
    return table


def test_every_shown_metric_has_a_panel_and_every_row_a_line(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    axes = intervals_plot(table).axes
    assert [axis.get_title() for axis in axes] == ["edit psnr (dB) ↑", "edit ssim ↑", "background warp error ↓ ×1000"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["method-0", "copy-source"]
    assert means(axes[0]) == [22.0, 22.0]
    intervals = [
        line.get_xdata() for line in axes[0].lines if line.get_marker() == "None" and len(line.get_xdata()) == 2
    ]
    assert all(low < 22.0 < high for low, high in intervals[:2])
    # Shown as the table shows it, times 1000; hollow where a clip has no figure.
    assert means(axes[2]) == [2.5, 2.5]
    faces = [{line.get_markerfacecolor() for line in axis.lines if line.get_marker() == "o"} for axis in axes]
    assert "white" not in faces[0]
    assert faces[1] == {"white"}


def means(axis: Axes) -> list[float]:
    """Where a panel's dots stand."""
    return [x for line in axis.lines if line.get_marker() == "o" for x in line.get_xdata()]


def test_a_row_without_a_figure_says_so(tmp_path: Path) -> None:
    split = made_split(3)
    write_run(tmp_path, split, "a", {"edit_psnr": [1.0, 2.0, 3.0], "edit_ssim": [0.1, 0.2, 0.3]})
    write_run(tmp_path, split, "b", {"edit_psnr": [1.0, 2.0, 3.0], "edit_ssim": [None] * 3})
    (table,) = read_tables(tmp_path)
    axes = intervals_plot(table).axes
    assert [text.get_text() for text in axes[1].texts] == ["no figure"]
    # Neither the first row nor the last lies on the frame.
    assert axes[0].get_ylim() == pytest.approx((1.6, -0.6))


def test_the_scatter_has_a_point_a_clip_with_both_figures(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    x, y = find_metric(table, "edit_psnr"), find_metric(table, "edit_ssim")
    figure = scatter_plot(table, x, y)
    assert figure is not None
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("edit psnr (dB) ↑", "edit ssim ↑")
    for line in axis.lines:
        np.testing.assert_array_equal(line.get_xdata(), [20.0, 21.0, 25.0])
        np.testing.assert_array_equal(line.get_ydata(), [0.5, 0.6, 0.9])


def test_a_scatter_without_a_clip_that_has_both(tmp_path: Path) -> None:
    write_run(tmp_path, made_split(2), "a", {"edit_psnr": [1.0, None], "edit_ssim": [None, 0.2]})
    (table,) = read_tables(tmp_path)
    assert scatter_plot(table, find_metric(table, "edit_psnr"), find_metric(table, "edit_ssim")) is None


def test_quality_against_time(tmp_path: Path) -> None:
    figure = cost_plot(table_of(tmp_path))
    assert figure is not None
    (axis,) = figure.axes
    assert axis.get_xscale() == "log"
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines if len(line.get_xdata()) == 1]
    assert points == [(0.1, 22.0)] * 2  # 0.5 s for 5 frames
    assert cost_plot(table_of(tmp_path / "untimed", seconds=None)) is None


def test_methods_beyond_the_palette_share_grey(tmp_path: Path) -> None:
    table = table_of(tmp_path, methods=9)
    figure = cost_plot(table)
    assert figure is not None
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [*(row.record.method.name for row in table.rows[:7]), "other methods", "controls"]


def test_second_metric(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    assert second_metric(table) == metric_info("edit_ssim")
    write_run(tmp_path / "one", made_split(2), "a", {"edit_psnr": [1.0, 2.0]})
    (alone,) = read_tables(tmp_path / "one")
    assert second_metric(alone) is None
    with pytest.raises(UnknownNameError, match="edit_psnr"):
        find_metric(alone, "edit_ssim")


def test_labels_and_names(tmp_path: Path) -> None:
    assert axis_label(metric_info("edit_lpips@alex")) == "edit lpips @alex ↓"
    table = table_of(tmp_path)
    assert file_stem(table) == "made-delete"
    assert file_stem(replace(table, composite="hard", keyframes=(0, 8))) == "made-delete-hard-keyframes-0-8"
    assert file_stem(replace(table, keyframes="by sample")) == "made-delete-keyframes-by-sample"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_table_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    table = table_of(tmp_path)
    for name in ("first", "second"):
        save(intervals_plot(table), tmp_path / f"{name}.{kind}")
    first = (tmp_path / f"first.{kind}").read_bytes()
    assert first == (tmp_path / f"second.{kind}").read_bytes()
    assert b"date" not in first.lower()
