"""`vivid-bench plot`, as a user types it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from clips import Command
from made_runs import made_split, write_run


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Two tasks; delete alone has a second metric, and no times."""
    folder = tmp_path / "made"
    write_run(folder, made_split(4, "add"), "mine", {"edit_psnr": [19.0, 20.0, 21.0, 24.0]})
    values = {"edit_psnr": [19.0, 20.0, 21.0, 24.0], "edit_ssim": [0.1, 0.2, 0.3, 0.4]}
    write_run(folder, made_split(4), "mine", values, seconds=None)
    return folder


def test_pictures_of_every_table(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    arguments = ("plot", "--records", records, "--y", "edit_ssim")
    done = vivid_bench(*arguments, "--out", tmp_path / "one")
    names = ["made-add-cost.svg", "made-add-intervals.svg", "made-delete-intervals.svg", "made-delete-scatter.svg"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    assert sorted(Path(line).name for line in done.stdout.splitlines()) == names
    assert 'made-add: no scatter plot, unknown metric "edit_ssim"' in done.stderr
    assert "made-delete: no cost plot, no row has the main metric's figure and a time" in done.stderr
    vivid_bench(*arguments, "--out", tmp_path / "two")
    for name in names:
        picture = (tmp_path / "one" / name).read_bytes()
        assert picture == (tmp_path / "two" / name).read_bytes()
        assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_png_of_one_task(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    vivid_bench("plot", "--records", records, "--task", "add", "--suite", "made", "--format", "png", "--out", "p")
    assert {path.name for path in (tmp_path / "work" / "p").iterdir()} == {
        "made-add-intervals.png",
        "made-add-cost.png",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--suite", "mad"), 'unknown suite among the records "mad": did you mean "made"?'),
        (("--task", "modify"), "no finished run of --task modify among the records"),
        (("--x", "edit_psn"), 'unknown metric among the records "edit_psn": did you mean "edit_psnr"?'),
        (("--format", "pdf"), 'unknown format "pdf"'),
    ],
)
def test_words_that_mean_nothing(vivid_bench: Command, records: Path, arguments: tuple[str, ...], words: str) -> None:
    done = vivid_bench("plot", "--records", records, "--out", "p", *arguments, expect=2)
    assert words in done.stderr
