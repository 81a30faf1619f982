"""`vivid-bench report`, as a user types it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from clips import Command, DataFolder, box_mask, mask_video
from made_runs import write_run

from vivid_bench.suites import load_splits
from vivid_bench.video import write_lossless

HOSTILE = "<script>alert('1')</script>"
NAMED = "<b>bold"


@pytest.fixture
def run(data_folder: DataFolder, tmp_path: Path) -> Path:
    """A finished run on six clips, three with a small and three with a large mask, beside a control."""
    for number in range(6):
        name = NAMED if number == 0 else f"clip-{number}"
        folder = data_folder.add(name, seed=number, task="add", caption=HOSTILE)
        if number >= 3:
            write_lossless(folder / "mask.mkv", mask_video(box_mask(5, 24, 32, (0, 0, 30, 20))), 24.0)
    (loaded,) = load_splits("folder", ("add",), data_folder.path)
    records = tmp_path / "records"
    write_run(records, loaded.split, "copy-source", {"edit_psnr": [5.0] * 6}, kind="control")
    psnr = {sample.id: 10.0 + place for place, sample in enumerate(loaded.split.samples)}
    values = [psnr[sample.id] if sample.id != "clip-2" else None for sample in loaded.split.samples]
    return write_run(records, loaded.split, "mine", {"edit_psnr": values}).path


class Page(HTMLParser):
    """The tags of a page, its text, and all that a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(path: Path) -> tuple[Page, str]:
    page = Page(path.read_text(encoding="utf-8"))
    return page, re.sub(r"\s+", " ", " ".join(page.words))


def test_a_runs_page(vivid_bench: Command, data_folder: DataFolder, run: Path, tmp_path: Path) -> None:
    done = vivid_bench("report", run, "--data", data_folder.path, "--out", tmp_path / "pages")
    path = tmp_path / "pages" / f"mine-{run.name}.html"
    assert done.stdout.strip() == str(path)
    page, text = read(path)
    assert "script" not in page.tags
    assert HOSTILE in text
    assert NAMED in text
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in page.fetched)
    for words in (
        "By task", "add, suite folder", "copy-source", "By mask size", "too few clips for an interval", "5/6",
        "No figure for 1 of the clips", "clip-2: made to fail", "no picture of the edit", "source and mask",
    ):  # fmt: skip
        assert words in text
    assert "By hole" not in text  # one kind alone
    # Five clips with a figure, source and reference each, and the groups' plot.
    assert page.tags.count("img") == 5 * 2 + 1


def test_without_the_clips_the_page_says_so(vivid_bench: Command, run: Path, tmp_path: Path) -> None:
    vivid_bench("report", run.parent)
    page, text = read(tmp_path / "work" / "report" / "mine.html")
    assert "No groups: the clips of suite folder do not ship with vivid-bench: pass --data DIR" in text
    assert "img" not in page.tags
    assert "copy-source" in text


def test_what_is_no_run(vivid_bench: Command, run: Path, tmp_path: Path) -> None:
    done = vivid_bench("report", tmp_path / "nowhere", expect=2)
    assert "expected a run, or a method's runs, found none" in done.stderr
    done = vivid_bench("report", run.parents[1], expect=2)
    assert "expected one method's runs, found runs of copy-source, mine" in done.stderr
    (run / "scores.jsonl").write_text("")
    done = vivid_bench("report", run, expect=2)
    assert "changed after scoring" in done.stderr
    assert "Traceback" not in done.stderr
