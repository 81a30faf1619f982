from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_runs import made_split, read_tables, write_run

from vivid_bench.tables.blocks import Block, PaperTable, as_printed
from vivid_bench.tables.kive_cost import kive_cost
from vivid_bench.tables.main_table import main_table
from vivid_bench.tables.printed import published_block
from vivid_bench.tables.published import Figures, Published, load_published
from vivid_bench.tables.removal import removal
from vivid_bench.tables.user_study import user_study


@pytest.fixture
def published() -> Published:
    return load_published()


@pytest.fixture
def transcribed(tmp_path: Path) -> Published:
    """What a user gives who copied the paper's table of add and its study. The figures are made up."""
    path = tmp_path / "paper.json"
    columns = ["edit_psnr", "their own", "background_warp_error"]
    figures = {"columns": columns, "higher_is_better": [True, False, False], "rows": {"mine": [21.5, 3, 0.0007]}}
    study = {"columns": ["preferred"], "rows": {"VIVID": [0.625]}}
    paper = {"source": "the paper", "status": "copied in part", "tasks": {"add": figures}, "user_study": study}
    path.write_text(json.dumps({"vivid_paper_tables": paper}))
    return load_published(path)


def write_runs(records: Path) -> None:
    """Two add clips: a method whose mean PSNR is 20 and two controls, 12 and 14."""
    split = made_split(2, "add")
    write_run(records, split, "mine", {"edit_psnr": [19.0, 21.0], "background_warp_error": [0.002, 0.004]})
    for name, psnr, warp in (("copy-source", 12.0, 0.001), ("grey-fill", 14.0, 0.002)):
        values = {"edit_psnr": [psnr, psnr], "background_warp_error": [warp, warp]}
        write_run(records, split, name, values, kind="control")


def by_name(table: PaperTable) -> dict[object, dict[str, object]]:
    return {figure["name"]: dict(figure) for figure in table.figures}


def test_kive_cost(published: Published) -> None:
    table = kive_cost(published)
    rows = by_name(table)
    assert list(rows) == ["video edit", "keyframe edit", "naive session, 2 rounds", "KIVE session, 2 rounds"]
    video, keyframe, naive, kive = (float(str(row["measured_pflops"])) for row in rows.values())
    assert video == pytest.approx(17.1, abs=0.1)
    assert naive == pytest.approx(2 * video)
    assert kive == pytest.approx(2 * keyframe + video)
    assert [row["published_pflops"] for row in rows.values()] == [17.1, 1.5, 34.2, 20.1]
    assert all("project page" in str(row["published_by"]) for row in rows.values())
    assert table.blocks[0].rows[0][2] == "17.1"


def test_sessions_of_other_lengths_were_not_published(published: Published) -> None:
    table = kive_cost(published, rounds=5)
    rows = by_name(table)
    video, keyframe = (float(str(rows[name]["measured_pflops"])) for name in ("video edit", "keyframe edit"))
    kive = rows["KIVE session, 5 rounds"]
    assert kive["measured_pflops"] == pytest.approx(5 * keyframe + video)
    assert kive["published_pflops"] is None
    assert kive["published_missing"] == "sessions were published for two rounds only"
    assert table.blocks[0].rows[3][2] == "–"
    assert "–: sessions were published for two rounds only" in table.notes


def test_removal_keeps_published_rows_in_blocks_of_their_own(published: Published, tmp_path: Path) -> None:
    write_runs(tmp_path)  # of add: no row of it may appear
    split = made_split(2, "delete")
    write_run(tmp_path, split, "mine", {"edit_psnr": [20.0, 22.0], "edit_l1": [0.1, 0.1]})
    write_run(tmp_path, split, "copy-source", {"edit_psnr": [10.0, None], "edit_l1": [0.2, 0.2]}, kind="control")
    table = removal(read_tables(tmp_path), published)
    own, davis, prove_m, prove_h = table.blocks
    assert own.title == "measured here: delete, suite made, 2 clips"
    assert own.columns == ("method", "edit psnr ↑")
    assert own.rows == (("mine", "21.00"), ("copy-source (control)", "10.00 (1/2)"))
    for block, start in ((davis, "MiniMax-Remover"), (prove_m, "PROVE"), (prove_h, "PROVE")):
        assert block.title.startswith(f"published by {start}")
        assert "mine" not in {row[0] for row in block.rows}
    assert davis.columns == ("method", "ssim", "psnr", "tc")
    assert ("COCOCO", "0.8863", "32.10", "0.9511") in davis.rows
    assert prove_m.columns[3] == "lpips ↓"
    assert {f["origin"] for f in table.figures} == {"measured", "published"}
    assert all(f.get("published_by") for f in table.figures if f["origin"] == "published")


def test_main_without_published_figures_says_why(published: Published, tmp_path: Path) -> None:
    write_runs(tmp_path)
    table = main_table(read_tables(tmp_path), published)
    add, modify, delete = table.blocks
    assert add.columns[-1] == "published"
    assert add.rows == (
        ("mine", "edit psnr ↑", "20.00", "14.00 (grey-fill)", "–"),
        ("mine", "background warp error ↓ ×1000", "3.00", "1.00 (copy-source)", "–"),
    )
    assert modify.notes == ("no finished run of modify among the records",)
    assert delete.rows == ()
    assert any("published: – for add, modify, delete: arXiv 2411.15260 v2" in note for note in table.notes)
    psnr, _ = table.figures
    assert (psnr["value"], psnr["best_control_value"], psnr["published"]) == (20.0, 14.0, None)
    assert "not transcribed" in str(psnr["published_missing"])


def test_main_with_published_figures_marks_them(transcribed: Published, tmp_path: Path) -> None:
    write_runs(tmp_path)
    table = main_table(read_tables(tmp_path), transcribed)
    own, theirs, *_ = table.blocks
    assert [row[-1] for row in own.rows] == ["21.5", "0.7"], "as our own is printed, times 1000"
    headings = ("method", "edit_psnr ↑", "their own ↓", "background_warp_error ↓")
    assert theirs == Block("published by the paper", headings, (("mine", "21.5", "3", "0.0007"),))
    psnr, warp = table.figures[:2]
    assert (psnr["published"], psnr["published_by"]) == (21.5, "the paper")
    assert (warp["value"], warp["published"]) == (pytest.approx(0.003), 0.0007)
    assert [f["value"] for f in table.figures if f["origin"] == "published"] == [21.5, 3.0, 0.0007]
    assert any("published: – for modify, delete: the paper: copied in part" in note for note in table.notes)


def test_main_without_controls_or_methods(published: Published, tmp_path: Path) -> None:
    split = made_split(2, "add")
    write_run(tmp_path / "alone", split, "mine", {"edit_psnr": [19.0, 21.0]})
    (add, *_) = main_table(read_tables(tmp_path / "alone"), published).blocks
    assert add.rows == (("mine", "edit psnr ↑", "20.00", "–", "–"),)
    write_run(tmp_path / "controls", split, "grey-fill", {"edit_psnr": [19.0, 21.0]}, kind="control")
    (add, *_) = main_table(read_tables(tmp_path / "controls"), published).blocks
    assert (add.rows, add.notes) == ((), ("no method among the rows, controls alone",))


def test_user_study_is_empty_with_reasons(published: Published) -> None:
    table = user_study(published)
    assert {(row[1], row[2]) for row in table.blocks[0].rows} == {("–", "–")}
    assert {figure["measured"] for figure in table.figures} == {None}
    assert {figure["measured_missing"] for figure in table.figures} == {"no study was given"}
    assert all("not transcribed" in str(figure["published_missing"]) for figure in table.figures)


def test_a_published_study_is_shown_apart(transcribed: Published) -> None:
    table = user_study(transcribed)
    assert table.blocks[1] == Block("published by the paper", ("method", "preferred"), (("VIVID", "0.625"),))
    assert table.notes == ("measured: –: no study was given",)


def test_small_and_large_published_figures_keep_their_digits() -> None:
    printed = [as_printed(value) for value in (0.00005, 1e-9, 17.0, 20.0, 34.6, 123456789012.5, -0.25, None)]
    assert printed == ["0.00005", "0.000000001", "17", "20", "34.6", "123456789012.5", "-0.25", "–"]
    figures = Figures(columns=("warp", "psnr"), rows={"a": (0.00005, 20.0), "b": (0.0012, 34.6)})
    assert published_block(figures, "S").rows == (("a", "0.00005", "20.0"), ("b", "0.00120", "34.6"))
