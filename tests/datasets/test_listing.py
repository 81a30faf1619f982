from __future__ import annotations

from pathlib import Path

import pytest

from vivid_bench.datasets.listing import content, folders, is_leftover, visible


@pytest.mark.parametrize(
    ("name", "left"),
    [(".DS_Store", True), ("._a.mp4", True), ("__MACOSX", True), ("a", False), ("__macosx__", False), ("a.mp4", False)],
)
def test_leftovers(name: str, left: bool) -> None:
    assert is_leftover(name) == left


def test_a_folder_is_listed_without_leftovers(tmp_path: Path) -> None:
    for name in ("b", "a", "__MACOSX", ".git"):
        (tmp_path / name).mkdir()
    for name in ("c.mp4", "._c.mp4"):
        (tmp_path / name).touch()
    assert [path.name for path in visible(tmp_path)] == ["a", "b", "c.mp4"]
    assert folders(tmp_path) == ["a", "b"]
    assert content(tmp_path) == "3 (a, b, c.mp4)"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    assert (visible(nowhere), folders(nowhere), content(nowhere)) == ([], [], "nothing")
