from __future__ import annotations

import json
from pathlib import Path

import pytest
from clips import Command, DataFolder

from vivid_bench.records import find_runs


@pytest.fixture
def run_folder(vivid_bench: Command, data_folder: DataFolder, tmp_path: Path) -> Path:
    """A scored run of a control that leaves the holes grey."""
    for name in ("one", "two"):
        data_folder.add(name, seed=len(name), task="delete", hole="hidden")
    vivid_bench(
        "run", "--method", "telea", "--task", "delete", "--suite", "folder", "--data", data_folder.path, "--out",
        tmp_path / "runs",
    )  # fmt: skip
    (folder,) = [f.path for f in find_runs(tmp_path / "runs") if f.path.parent.name == "telea"]
    return folder


def test_presets_stand_beside_ours(vivid_bench: Command, data_folder: DataFolder, run_folder: Path) -> None:
    before = {name: (run_folder / name).read_bytes() for name in ("run.json", "scores.jsonl")}
    done = vivid_bench("compare-protocols", run_folder, "--data", data_folder.path, "--json")
    compared = json.loads(done.stdout)
    quantities = {q["quantity"]: q["figures"] for q in compared["quantities"]}
    names = [figure["name"] for figure in quantities["background PSNR"]]
    assert names == ["background_psnr", "videopainter-asis/masked_psnr", "five/psnr_unedit_part"]
    # A frame of 32x24 px goes through ProPainter's 432x240 too.
    assert [f["name"] for f in quantities["edit-region PSNR"]] == ["edit_psnr", "propainter/psnr"]
    # Our figures and theirs of a removal, too.
    assert "prove/rc_s" in [figure["name"] for figure in quantities["removal, in space"]]
    ours, videopainter = quantities["background PSNR"][:2]
    assert ours["mean"] == 100
    assert 0 < videopainter["mean"] < 30
    assert set(videopainter["clips"]) == {"one", "two"}
    assert videopainter["mean_over"] == "frames"
    assert all(figure["what_differs"] for figures in quantities.values() for figure in figures)
    # The record and the scores are as they were.
    assert before == {name: (run_folder / name).read_bytes() for name in before}
    assert {path.stem for path in (run_folder / "protocols").iterdir()} == {
        "videopainter-asis", "five", "propainter", "tgve", "prove", "vbench",
    }  # fmt: skip
    table = vivid_bench("compare-protocols", run_folder, "--data", data_folder.path)
    assert "background PSNR" in table.stdout
    assert "the full source against the edit with a black hole" in table.stdout


def test_a_submission_says_where_its_videos_are(vivid_bench: Command, data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("one", task="delete", hole="hidden")
    edits = tmp_path / "edits"
    edits.mkdir()
    (edits / "one.mkv").write_bytes((data_folder.path / "one" / "reference.mkv").read_bytes())
    data = "--suite", "folder", "--data", data_folder.path
    vivid_bench("score", "--edits", edits, "--name", "mine", *data, "--out", tmp_path / "runs")
    (folder,) = [f.path for f in find_runs(tmp_path / "runs") if f.path.parent.name == "mine"]
    refused = vivid_bench("score", folder, "--protocol", "propainter", *data, expect=2)
    assert "pass --edits DIR" in refused.stderr
    done = vivid_bench(
        "score", folder, "--protocol", "propainter", "--edits", edits, "--device", "cpu", *data, "--json"
    )
    psnr, ssim = json.loads(done.stdout)[0]["figures"]
    assert psnr["mean"] is None
    assert "infinite, as that code's own figure" in psnr["reasons"]["one"]
    assert ssim["mean"] == pytest.approx(1)


def test_what_cannot_be_compared(vivid_bench: Command, tmp_path: Path) -> None:
    assert "no runs here or below" in vivid_bench("compare-protocols", tmp_path, expect=2).stderr
    unknown = vivid_bench("score", tmp_path, "--protocol", "videopainter", expect=2).stderr
    assert 'did you mean "videopainter-asis"' in unknown
    assert "--protocol needs run folders" in vivid_bench("score", "--protocol", "five", expect=2).stderr
