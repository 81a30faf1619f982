from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_runs import made_split

from vivid_bench.leaderboard.grid import ScoreGrid
from vivid_bench.leaderboard.table import (
    Row,
    build_tables,
    direction,
    disagreements,
    format_cell,
    format_given,
    format_interval,
    heading,
    keyframes_text,
    label,
    shown_metrics,
)
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder, new_record
from vivid_bench.types import MethodRef, RunRecord, Split, Summary

LPIPS = "edit_lpips@alex"
MAIN = "edit_psnr"


@pytest.fixture
def split() -> Split:
    return made_split(8)


def record(split: Split, name: str, kind: str = "method", seed: int = 0, **update: object) -> RunRecord:
    method = MethodRef.model_validate({"name": name, "kind": kind, "version": "1"})
    made = new_record(method, split, "none", seed, "cpu")
    return made.model_copy(update={"metrics": {MAIN: "1"}, "status": "complete", **update})


def row(record: RunRecord, psnr: float | list[float | None] | None, **more: float | list[float | None] | None) -> Row:
    """A row with the given values, one for all clips or one a clip, of the record's metrics in their order."""
    n = len(record.samples)
    columns = [value if isinstance(value, list) else [value] * n for value in (psnr, *more.values())]
    values = np.array(columns, np.float64).T
    grid = ScoreGrid(tuple(record.metrics), values, np.ones(values.shape, bool), np.zeros(values.shape, bool))
    folder = RunFolder(Path("runs") / record.method.name / str(record.seed))
    return Row((folder,), (record,), grid, grid.summaries(record.clusters), 0.5, None)


def around(mean: float, noise: int) -> list[float | None]:
    return list(mean + np.random.default_rng(noise).normal(0, 0.5, 8))


def test_methods_are_ranked_and_controls_stand_apart(split: Split) -> None:
    (table,) = build_tables(
        [
            row(record(split, "low"), around(10.0, 0)),
            row(record(split, "control", "control"), around(90.0, 1)),
            row(record(split, "incomplete"), [None, *around(50.0, 2)[1:]]),
            row(record(split, "high", "baseline"), around(20.0, 3)),
            row(record(split, "high2", "submission"), around(20.0, 4)),
        ]
    )
    found = {r.record.method.name: (r.is_complete, r.is_ranked, r.rank, r.tied_with_best) for r in table.rows}
    assert found == {
        "high": (True, True, 1, True),
        "high2": (True, True, 1, True),
        "low": (True, True, 3, False),
        "incomplete": (False, False, None, False),
        "control": (True, False, None, False),
    }
    names = [r.record.method.name for r in table.rows]
    assert sorted(names[:2]) == ["high", "high2"]
    assert names[2:] == ["low", "incomplete", "control"]
    assert table.comparisons is not None
    assert table.comparisons.ranks == (1, 1, 3)


def test_one_method_alone_is_the_first_and_controls_alone_have_no_rank(split: Split) -> None:
    (table,) = build_tables([row(record(split, "one"), 1.0), row(record(split, "control", "control"), 2.0)])
    assert [(r.rank, r.tied_with_best) for r in table.rows] == [(1, True), (None, False)]
    assert table.comparisons is None


def test_methods_are_compared_on_the_clips_that_the_main_metric_applies_to(split: Split) -> None:
    rows = []
    for name, mean in (("high", 20.0), ("low", 10.0)):
        made = row(record(split, name), [None, None, *around(mean, len(name))[2:]])
        is_expected = made.grid.is_expected.copy()
        is_expected[:2] = False
        grid = ScoreGrid(made.grid.metrics, made.grid.values, is_expected, made.grid.is_exact)
        rows.append(Row(made.runs, made.records, grid, grid.summaries(made.record.clusters)))
    (table,) = build_tables(rows)
    assert table.comparisons is not None
    (pair,) = table.comparisons.pairs
    assert pair.difference == pytest.approx(float(np.nanmean(rows[0].values[MAIN] - rows[1].values[MAIN])))
    assert all(r.is_ranked for r in table.rows)


def test_seeds_of_a_method_are_one_row(split: Split) -> None:
    first, second = around(10.0, 0), around(11.0, 1)
    (table,) = build_tables(
        [row(record(split, "one", seed=7), second), row(record(split, "one"), first), row(record(split, "two"), 0.5)]
    )
    merged, other = table.rows
    assert [r.seed for r in merged.records] == [0, 7]
    assert [folder.path.name for folder in merged.runs] == ["0", "7"]
    assert merged.record.seed == 0
    np.testing.assert_allclose(merged.values[MAIN], (np.array(first) + np.array(second)) / 2)
    assert merged.main is not None
    assert merged.main.mean == pytest.approx(np.mean([first, second]))
    assert merged.seeds is not None
    assert merged.seeds.n_seeds == 2
    assert other.seeds is None
    assert [label(table, r) for r in table.rows] == ["one (2 seeds)", "two"]


def test_seeds_have_the_weakest_of_their_badges(split: Split) -> None:
    badges = ("re-run", "self-reported", None)
    rows = [replace(row(record(split, "one", seed=i), 1.0), badge=badge) for i, badge in enumerate(badges)]
    (table,) = build_tables(rows)
    assert [r.badge for r in table.rows] == ["self-reported"]


def test_a_run_that_leaves_clips_out_is_not_ranked_beside_others(split: Split) -> None:
    made = row(record(split, "choosy"), [None, *around(30.0, 0)[1:]])
    is_expected = made.grid.is_expected.copy()
    is_expected[0] = False
    grid = replace(made.grid, is_expected=is_expected)
    made = replace(made, grid=grid, summaries=grid.summaries(made.record.clusters))
    tables = build_tables([row(record(split, "one"), 1.0), row(record(split, "two"), 1.0), made])
    assert [[r.record.method.name for r in table.rows] for table in tables] == [["one", "two"], ["choosy"]]
    (message,) = disagreements(tables)
    assert message.endswith("(the table of 2 rows): other clips that metrics apply to")


def test_a_seed_with_a_gap_leaves_the_method_unranked(split: Split) -> None:
    gap = [None, *around(11.0, 1)[1:]]
    (table,) = build_tables([row(record(split, "one"), around(10.0, 0)), row(record(split, "one", seed=1), gap)])
    (merged,) = table.rows
    assert merged.main is not None
    assert (merged.main.n_scored, merged.main.n_expected) == (7, 8)
    assert merged.rank is None


def test_versions_and_parameters_of_a_method_are_told_apart(split: Split) -> None:
    base = record(split, "one")
    newer = base.model_copy(update={"method": base.method.model_copy(update={"version": "2"})})
    (table,) = build_tables([row(base, 1.0), row(newer, 2.0)])
    assert [label(table, r) for r in table.rows] == ["one v2", "one v1"]
    method = base.method.model_copy(update={"parameters": {"steps": 4}})
    other = base.model_copy(update={"method": method, "run_key": "abcdef012345"})
    (table,) = build_tables([row(base, 1.0), row(other, 2.0)])
    assert label(table, table.rows[0]) == "one abcdef"


def test_what_must_not_be_compared_stands_apart_and_is_said(split: Split) -> None:
    one, also = record(split, "one"), record(split, "also")
    others = {
        "version": {"metrics": {MAIN: "2"}},
        "split": {"split_sha256": "0" * 64},
        "samples": {"samples": split_ids(split)[:4], "source_videos": ()},
        "videos": {"source_videos": ()},
        "main": {"main_metric": "edit_ssim", "metrics": {MAIN: "1", "edit_ssim": "1"}},
        "weights": {"weights": {"alex": "1" * 64}},
    }
    changed = [record(split, name, **update) for name, update in others.items()]
    rows = [row(one, 1.0), row(also, 1.0), *(row(r, 1.0, **dict.fromkeys(tuple(r.metrics)[1:], 0.5)) for r in changed)]
    tables = build_tables(rows)
    assert len(tables) == 7
    said = dict(zip(others, disagreements(tables), strict=True))
    beside = "cannot stand beside runs/one/0/run.json (the table of 2 rows): "
    assert said["version"] == f"runs/version/0/run.json: {beside}metric versions: edit_psnr 2, not 1"
    assert said["split"].endswith(f"split sha256 000000000000, not {split.sha256[:12]}")
    assert said["samples"].endswith("4 samples, not 8; 0 source videos, not 8")
    assert said["videos"].endswith("0 source videos, not 8")
    assert said["main"].endswith("main metric edit_ssim, not edit_psnr; metric versions: edit_ssim 1, not none")
    assert said["weights"].endswith("weights: alex 111111111111, not none")
    assert disagreements(build_tables(rows[:2])) == []


def split_ids(split: Split) -> tuple[str, ...]:
    return tuple(sample.id for sample in split.samples)


def test_composites_are_never_mixed_and_may_stand_side_by_side(split: Split) -> None:
    tables = build_tables([row(record(split, "one"), 1.0), row(record(split, "one", composite="hard"), 1.0)])
    assert [table.composite for table in tables] == ["none", "hard"]
    assert disagreements(tables) == []


def test_a_metric_that_applies_to_no_row_is_left_out(split: Split) -> None:
    made = row(record(split, "one", metrics={MAIN: "1", "edit_ssim": "1"}), 1.0, edit_ssim=None)
    is_expected = made.grid.is_expected.copy()
    is_expected[:, 1] = False
    grid = ScoreGrid(made.grid.metrics, made.grid.values, is_expected, made.grid.is_exact)
    (table,) = build_tables([Row(made.runs, made.records, grid, grid.summaries(made.record.clusters))])
    assert [info.name for info in table.metrics] == [MAIN]


@pytest.mark.parametrize(
    ("metric", "summary", "cell"),
    [
        ("edit_psnr", Summary(mean=23.456, n_scored=2, n_expected=2), "23.46"),
        ("edit_psnr", Summary(mean=23.456, n_scored=1, n_expected=2), "23.46 (1/2)"),
        ("edit_psnr", Summary(n_scored=0, n_expected=2), "– (0/2)"),
        ("edit_psnr", Summary(n_scored=0, n_expected=0), "–"),
        ("background_psnr", Summary(mean=100.0, n_scored=2, n_expected=2, n_exact=2), "100.00\N{NO-BREAK SPACE}=2"),
        ("edit_ssim", Summary(mean=0.98765, n_scored=2, n_expected=2), "0.9877"),
    ],
)
def test_cells(metric: str, summary: Summary, cell: str) -> None:
    assert format_cell(metric_info(metric), summary) == cell


def test_intervals() -> None:
    psnr = Summary(mean=23.456, ci_low=21.001, ci_high=25.999, n_scored=9, n_expected=9)
    assert format_interval(metric_info("edit_psnr"), psnr) == "[21.00, 26.00]"
    assert format_interval(metric_info("edit_psnr"), Summary(mean=1.0, n_scored=2, n_expected=2)) == ""
    cosine = Summary(mean=0.5, ci_low=-0.012, ci_high=0.6, n_scored=9, n_expected=9)
    assert format_interval(metric_info("clip_text_full@mini-clip"), cosine) == "[-1.20, 60.00]"


def test_headings_show_the_direction_and_the_factor() -> None:
    assert heading(metric_info("edit_psnr")) == "edit psnr ↑"
    warp = metric_info("background_warp_error")
    assert heading(warp) == f"background warp error ↓ ×{warp.shown_times:g}"
    long = metric_info("clip_text_full@ViT-B-32/laion2b_s34b_b79k")
    assert heading(long) == "clip text full @ViT-B-32/laion2b_s34b_b79k ↑ ×100"
    assert direction(long) == "↑ ×100"


def test_keyframes_have_tables_of_their_own_after_the_plain_ones(split: Split) -> None:
    def keyframed(name: str, given: bool | None) -> Row:
        return row(record(split, name, keyframes=(0, 8), keyframes_given=given), 1.0)

    other = row(record(split, "other", task="add"), 1.0)
    runs = [keyframed("takes", True), other, row(record(split, "plain"), 1.0), keyframed("ignores", False)]
    tables = build_tables([*runs, keyframed("videos", None)])
    assert [(t.task, t.keyframes) for t in tables] == [("delete", None), ("delete", (0, 8)), ("add", None)]
    with_keyframes = tables[1]
    assert with_keyframes.keyframes is not None
    assert keyframes_text(with_keyframes.keyframes) == "keyframes 0, 8"
    assert keyframes_text("by sample") == "keyframes by sample"
    assert {r.record.method.name: format_given(r) for r in with_keyframes.rows} == {
        "takes": "yes", "ignores": "no", "videos": "?",
    }  # fmt: skip


@pytest.mark.parametrize("metric", ["edit_psnr", "edit_mse"])
def test_a_row_without_the_main_figure_is_last_and_unranked(split: Split, metric: str) -> None:
    update = {"metrics": {metric: "1"}, "main_metric": metric}
    rows = [row(record(split, "none", **update), None), row(record(split, "some", **update), 1.0)]
    (table,) = build_tables(rows)
    assert [(r.record.method.name, r.is_ranked) for r in table.rows] == [("some", True), ("none", False)]


def with_weights(split: Split, name: str, sha256: str | None) -> Row:
    made = record(split, name, metrics={MAIN: "1", LPIPS: "1"}, weights={"alex": sha256})
    return row(made, 1.0, lpips=None if sha256 is None else 0.1)


def test_weights_are_never_mixed(split: Split) -> None:
    rows = [with_weights(split, "one", "1" * 64), with_weights(split, "two", "2" * 64), with_weights(split, "3", None)]
    tables = build_tables(rows)
    assert len(tables) == 3
    assert disagreements(tables)[1].endswith("weights: alex none, not 111111111111")


def test_what_lacks_weights_is_not_shown_and_costs_no_rank(split: Split) -> None:
    (table,) = build_tables([with_weights(split, "one", None)])
    assert [info.name for info in table.metrics] == [MAIN]
    assert table.missing_weights == ("alex",)
    assert table.rows[0].is_ranked


def test_what_has_weights_is_shown_and_the_main_metric_comes_first(split: Split) -> None:
    made = with_weights(split, "one", "1" * 64)
    assert [info.name for info in shown_metrics(build_tables([made])[0])] == [MAIN, LPIPS]
    renamed = record(split, "one", metrics={"edit_mse": "1", LPIPS: "1", MAIN: "1"}, weights={"alex": "1" * 64})
    (table,) = build_tables([row(renamed, 0.1, lpips=0.2, main=0.3)])
    assert [info.name for info in shown_metrics(table)] == [MAIN, LPIPS], "measures that say the same stay hidden"
    ranked = record(split, "one", metrics={"edit_ssim": "1", "edit_mse": "1"}, main_metric="edit_mse")
    (table,) = build_tables([row(ranked, 0.1, mse=0.2)])
    assert [info.name for info in shown_metrics(table)] == ["edit_mse", "edit_ssim"], "but never what ranks"
