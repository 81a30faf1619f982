from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from clips import DataFolder

from vivid_bench.errors import RecordError
from vivid_bench.leaderboard.table import (
    Row,
    build_tables,
    direction,
    format_cell,
    format_given,
    heading,
    keyframes_text,
    label,
    load_row,
    shown_metrics,
    table_json,
)
from vivid_bench.methods import find_method
from vivid_bench.metrics import metric_info
from vivid_bench.records import new_record
from vivid_bench.run import RunOptions, run_methods
from vivid_bench.suites import load_splits
from vivid_bench.types import MethodRef, RunRecord, Split, Summary


@pytest.fixture
def split(data_folder: DataFolder) -> Split:
    data_folder.add("a")
    data_folder.add("b", seed=1)
    return load_splits("folder", ("delete",), data_folder.path)[0].split


def record(split: Split, name: str, psnr: float | None, kind: str = "method", scored: int = 2) -> RunRecord:
    method = MethodRef.model_validate({"name": name, "kind": kind, "version": "1"})
    summary = Summary(mean=psnr, n_scored=scored, n_expected=2)
    update = {"metrics": {"edit_psnr": "1"}, "summaries": {"edit_psnr": summary}, "status": "complete"}
    return new_record(method, split, "none", 0, "cpu").model_copy(update=update)


def rows(*records: RunRecord) -> list[Row]:
    return [Row(r, 0.5, None) for r in records]


def test_methods_are_ranked_and_controls_stand_apart(split: Split) -> None:
    (table,) = build_tables(
        rows(
            record(split, "low", 10.0),
            record(split, "control", 90.0, "control"),
            record(split, "incomplete", 50.0, scored=1),
            record(split, "high", 20.0, "baseline"),
        )
    )
    assert [row.record.method.name for row in table.rows] == ["high", "low", "incomplete", "control"]
    assert [row.is_ranked for row in table.rows] == [True, True, False, True]
    ranked = [row["ranked"] for row in table_json(table)["rows"]]  # type: ignore[attr-defined]
    assert ranked == [True, True, False, False]


def test_splits_and_metric_versions_are_never_mixed(split: Split) -> None:
    one = record(split, "one", 1.0)
    other_version = record(split, "two", 2.0).model_copy(update={"metrics": {"edit_psnr": "2"}})
    other_split = record(split, "three", 3.0).model_copy(update={"split_sha256": "0" * 64})
    assert len(build_tables(rows(one, other_version, other_split))) == 3


def test_a_metric_that_applies_to_no_row_is_left_out(split: Split) -> None:
    summary = Summary(n_scored=0, n_expected=0)
    r = record(split, "one", 1.0)
    r = r.model_copy(
        update={
            "metrics": {"edit_psnr": "1", "edit_ssim": "1"},
            "summaries": {**r.summaries, "edit_ssim": summary},
        }
    )
    (table,) = build_tables(rows(r))
    assert [info.name for info in table.metrics] == ["edit_psnr"]


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


def test_headings_show_the_direction_and_the_factor() -> None:
    assert heading(metric_info("edit_psnr")) == "edit psnr ↑"
    warp = metric_info("background_warp_error")
    assert heading(warp) == f"background warp error ↓ ×{warp.shown_times:g}"


def test_composites_are_never_mixed_and_twins_are_told_apart(split: Split) -> None:
    one = record(split, "one", 1.0)
    hard = one.model_copy(update={"composite": "hard"})
    assert len(build_tables(rows(one, hard))) == 2
    seeded = one.model_copy(update={"seed": 1})
    (table,) = build_tables(rows(one, seeded, record(split, "two", 0.5)))
    assert [label(table, row) for row in table.rows] == ["one seed 0", "one seed 1", "two"]


def test_keyframes_have_tables_of_their_own_after_the_plain_ones(split: Split) -> None:
    def keyframed(name: str, given: bool | None) -> RunRecord:
        update = {"keyframes": (0, 8), "keyframes_given": given}
        return record(split, name, 1.0).model_copy(update=update)

    other = record(split, "other", 1.0).model_copy(update={"task": "add"})
    runs = [keyframed("takes", True), other, record(split, "plain", 1.0), keyframed("ignores", False)]
    tables = build_tables(rows(*runs, keyframed("videos", None)))
    assert [(t.task, t.keyframes) for t in tables] == [("delete", None), ("delete", (0, 8)), ("add", None)]
    with_keyframes = tables[1]
    assert with_keyframes.keyframes is not None
    assert keyframes_text(with_keyframes.keyframes) == "keyframes 0, 8"
    assert keyframes_text("by sample") == "keyframes by sample"
    assert {r.record.method.name: format_given(r) for r in with_keyframes.rows} == {
        "takes": "yes", "ignores": "no", "videos": "?",
    }  # fmt: skip
    shown = table_json(with_keyframes)
    assert shown["keyframes"] == (0, 8)
    assert [row["keyframes_given"] for row in shown["rows"]] == [True, False, None]  # type: ignore[attr-defined]


@pytest.mark.parametrize("metric", ["edit_psnr", "edit_mse"])
def test_a_row_without_the_main_figure_is_last_and_unranked(split: Split, metric: str) -> None:
    def with_main(name: str, mean: float | None) -> RunRecord:
        summary = Summary(mean=mean, n_scored=int(mean is not None), n_expected=int(mean is not None))
        update = {"metrics": {metric: "1"}, "summaries": {metric: summary}, "main_metric": metric}
        return record(split, name, 1.0).model_copy(update=update)

    (table,) = build_tables(rows(with_main("none", None), with_main("some", 1.0)))
    assert [(row.record.method.name, row.is_ranked) for row in table.rows] == [("some", True), ("none", False)]


class Quiet:
    def say(self, text: str) -> None: ...

    def stage(self, title: str, total: int):  # type: ignore[no-untyped-def]
        from contextlib import nullcontext

        return nullcontext(lambda _: None)


def test_rows_of_real_runs(data_folder: DataFolder, adapter: Callable[[str, str], str], tmp_path: Path) -> None:
    data_folder.add("a")
    splits = load_splits("folder", ("delete",), data_folder.path)
    known = find_method(adapter("Copy", "return request.frames"))
    (folder,) = run_methods([known], splits, RunOptions(tmp_path / "out"), Quiet()).folders
    row = load_row(folder)
    assert row is not None
    assert row.seconds_per_frame is not None
    assert row.seconds_per_frame > 0
    (table,) = build_tables([row])
    assert "edit_psnr" in {info.name for info in shown_metrics(table)}
    assert "edit_mse" not in {info.name for info in shown_metrics(table)}


def test_unfinished_runs_have_no_row_and_changed_scores_are_refused(
    data_folder: DataFolder, adapter: Callable[[str, str], str], tmp_path: Path
) -> None:
    data_folder.add("a")
    splits = load_splits("folder", ("delete",), data_folder.path)
    known = find_method(adapter("Copy", "return request.frames"))
    options = RunOptions(tmp_path / "out")
    (folder,) = run_methods([known], splits, options, Quiet(), scored=False).folders
    assert load_row(folder) is None
    run_methods([known], splits, options, Quiet())
    scores = folder.path / "scores.jsonl"
    scores.write_text(scores.read_text().replace('"value": 100.0', '"value": 99.0'))
    with pytest.raises(RecordError, match="changed after scoring"):
        load_row(folder)
    run_methods([known], splits, options, Quiet())
    assert load_row(folder) is not None
    run = folder.path / "run.json"
    text = run.read_text()
    run.write_text(text.replace('"mean": 100.0', '"mean": 99.9'))
    with pytest.raises(RecordError, match=r"its summaries are not those of scores\.jsonl"):
        load_row(folder)
    for before, after in (
        ('"seed": 0', '"seed": 5'),
        ('"keyframes": null', '"keyframes": [0]'),
        ('"keyframes_given": null', '"keyframes_given": true'),
    ):
        run.write_text(text.replace(before, after))
        with pytest.raises(RecordError, match="its run key is not that of"):
            load_row(folder)
    run.write_text(text.replace('"main_metric": "edit_psnr"', '"main_metric": "edit_psnrs"'))
    with pytest.raises(RecordError, match=r'run\.json: unknown metric "edit_psnrs"'):
        load_row(folder)


LPIPS = "edit_lpips@alex"


def with_weights(record: RunRecord, sha256: str | None) -> RunRecord:
    scored = 0 if sha256 is None else 2
    summary = Summary(mean=None if sha256 is None else 0.1, n_scored=scored, n_expected=2)
    update = {
        "metrics": {**record.metrics, LPIPS: "1"},
        "summaries": {**record.summaries, LPIPS: summary},
        "weights": {"alex": sha256},
    }
    return record.model_copy(update=update)


def test_weights_are_never_mixed(split: Split) -> None:
    first, second, without = (
        with_weights(record(split, name, 1.0), sha256)
        for name, sha256 in (("one", "1" * 64), ("two", "2" * 64), ("three", None))
    )
    assert len(build_tables(rows(first, second, without))) == 3


def test_what_lacks_weights_is_not_shown_and_costs_no_rank(split: Split) -> None:
    (table,) = build_tables(rows(with_weights(record(split, "one", 1.0), None)))
    assert [info.name for info in table.metrics] == ["edit_psnr"]
    assert table.missing_weights == ("alex",)
    assert table.rows[0].is_ranked
    assert table_json(table)["weights"] == {"alex": None}


def test_what_has_weights_is_shown_with_their_name(split: Split) -> None:
    (table,) = build_tables(rows(with_weights(record(split, "one", 1.0), "1" * 64)))
    assert [info.name for info in shown_metrics(table)] == ["edit_psnr", LPIPS]
    assert heading(metric_info(LPIPS)) == "edit lpips @alex ↓"
    long = metric_info("clip_text_full@ViT-B-32/laion2b_s34b_b79k")
    assert heading(long) == "clip text full @ViT-B-32/laion2b_s34b_b79k ↑ ×100"
    assert direction(long) == "↑ ×100"
    assert table.missing_weights == ()
