from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vivid_bench.build.work import Work, key_of
from vivid_bench.errors import InputError


def test_what_is_kept_is_read_again_under_its_key_alone(tmp_path: Path) -> None:
    work = Work(tmp_path)
    assert work.read("tracks", "a", "k1") is None
    work.write("tracks", "a", "k1", {"first": 0})
    assert work.read("tracks", "a", "k1") == {"first": 0}
    assert work.read("tracks", "a", "k2") is None
    work.forget("tracks", "a")
    assert work.read("tracks", "a", "k1") is None


def test_masks_come_back_to_the_bit(tmp_path: Path) -> None:
    masks = np.random.default_rng(0).random((3, 20, 30)) < 0.5
    work = Work(tmp_path)
    work.write_masks("tracks", "a", 1, masks, 24.0)
    assert np.array_equal(work.read_masks("tracks", "a", 1), masks)
    work.forget("tracks", "a")
    assert list(tmp_path.rglob("*.mkv")) == []


def test_a_key_changes_with_each_part() -> None:
    keys = {key_of("a", 1), key_of("a", 2), key_of("b", 1), key_of("a", 1, None), key_of(["a", 1])}
    assert len(keys) == 5
    assert all(len(key) == 16 for key in keys)


@pytest.mark.parametrize("change", ["half", "by hand", "no object", "mask", "no mask"])
def test_what_was_changed_since_is_not_done(tmp_path: Path, change: str) -> None:
    work = Work(tmp_path)
    mask = work.write_masks("tracks", "a", 0, np.ones((1, 8, 8), bool), 24.0)
    work.write("tracks", "a", "k", {"first": 0}, [mask])
    assert work.read("tracks", "a", "k") == {"first": 0}
    file = tmp_path / "work" / "tracks" / "a.json"
    if change == "mask":
        work.write_masks("tracks", "a", 0, np.zeros((1, 8, 8), bool), 24.0)
    elif change == "no mask":
        mask.unlink()
    else:
        text = file.read_text()
        file.write_text(
            {"half": text[:20], "by hand": text.replace('"first": 0', '"first": 1'), "no object": "[]"}[change]
        )
    assert work.read("tracks", "a", "k") is None


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "work" / "tracks" / "a.json").mkdir(parents=True)
    with pytest.raises(InputError, match=r"a\.json: expected what a stage left"):
        Work(tmp_path).read("tracks", "a", "k")


def test_what_is_being_replaced_is_not_done(tmp_path: Path) -> None:
    work = Work(tmp_path)
    work.write("clips", "a", "k", {})
    (tmp_path / "work" / "clips" / "a").mkdir()  # a clip of another video may be called so
    work.begin("clips", "a")
    assert work.read("clips", "a", "k") is None
    assert (tmp_path / "work" / "clips" / "a").is_dir()
