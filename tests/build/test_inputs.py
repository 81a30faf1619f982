from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivid_bench.build.inputs import MAX_SLUG, clip_names, error_text, find_inputs, path_text
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.types import SAMPLE_ID_PATTERN


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_plain_videos_are_found_at_any_depth(tmp_path: Path) -> None:
    touch(tmp_path, "b.MP4", "deep/er/a.ts", "deep/c.wmv", "notes.pdf", ".hidden.mp4", ".git/d.mp4", "x.jpg")
    (tmp_path / "b.txt").write_text("  a dog\n\n in the   sand\n", encoding="utf-8-sig")
    (tmp_path / "deep" / "c.txt").write_text(" \n")
    found = find_inputs(tmp_path)
    assert [entry.name for entry in found] == ["b.MP4", "deep/c.wmv", "deep/er/a.ts"]
    assert [entry.caption for entry in found] == ["a dog in the sand", None, None]
    assert found[2].video == tmp_path / "deep" / "er" / "a.ts"
    assert all(entry.mask is None for entry in found)


def test_folders_with_source_and_mask(tmp_path: Path) -> None:
    touch(tmp_path, "one/source.mp4", "one/mask.mkv", "one/reference.mp4", "in/two/source/0.png", "in/two/mask.png")
    touch(tmp_path, "three/source.mov", "three/mask/000.png", "three/mask/001.png", "four/source.avi")
    (tmp_path / "one" / "caption.txt").write_text("a boat")
    found = {entry.name: entry for entry in find_inputs(tmp_path)}
    assert list(found) == ["four", "in/two", "one", "three"]
    assert (found["one"].video, found["one"].mask) == (tmp_path / "one/source.mp4", tmp_path / "one/mask.mkv")
    assert (found["in/two"].video, found["in/two"].mask) == (tmp_path / "in/two/source", tmp_path / "in/two/mask.png")
    assert found["three"].mask == tmp_path / "three/mask"
    assert found["four"].mask is None
    assert [found["one"].caption, found["four"].caption] == ["a boat", None]


def test_folders_of_frames(tmp_path: Path) -> None:
    touch(tmp_path, "walk/00000.png", "walk/00001.png", "run/f1.JPG", "pictures/cover.png", "v/a.mp4", "v/thumb1.jpg")
    (tmp_path / "walk.txt").write_text("a man")
    found = find_inputs(tmp_path)
    assert [(entry.name, entry.caption) for entry in found] == [("run", None), ("v/a.mp4", None), ("walk", "a man")]
    assert found[2].video == tmp_path / "walk"
    (alone,) = find_inputs(tmp_path / "walk")
    assert (alone.name, alone.video) == ("frames", tmp_path / "walk")


def test_every_unclear_folder_is_in_one_report(tmp_path: Path) -> None:
    touch(tmp_path, "a/source.mp4", "a/source.mkv", "b/source.mp4", "b/mask.png", "b/mask/0.png", "c/x.mp4")
    (tmp_path / "c" / "x.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputReportError) as caught:
        find_inputs(tmp_path)
    words = [str(error) for error in caught.value.errors]
    assert "expected one source, found source.mkv, source.mp4" in words[0]
    assert "expected one mask, found mask.png, mask" in words[1]
    assert "expected a caption in UTF-8" in words[2]


def test_no_video_of_a_sample_is_left_out_in_silence(tmp_path: Path) -> None:
    touch(tmp_path, "a/source.mp4", "a/masks.mkv", "b/source.mp4", "b/mask.mkv", "b/second_take.mp4")
    touch(tmp_path, "c/d/Source.MP4", "c/d/Mask.mkv", "c/d/reference.mp4", "c/d/thumb.jpg")
    with pytest.raises(InputReportError) as caught:
        find_inputs(tmp_path)
    words = [str(error) for error in caught.value.errors]
    assert "a: expected source.* and mask.* alone, found masks.mkv; rename it to mask.*" in words[0]
    assert "b: expected source.* and mask.* alone, found second_take.mp4" in words[1]
    assert len(words) == 2
    (only,) = find_inputs(tmp_path / "c")
    assert (only.name, only.mask) == ("d", tmp_path / "c" / "d" / "Mask.mkv")


@pytest.mark.parametrize("mark", ["card/card.json", "work/.lock"])
def test_what_an_earlier_build_made_is_no_input(tmp_path: Path, mark: str) -> None:
    touch(tmp_path, "a.mp4", f"first/{mark}", "first/clips/a/source.mkv", "work/b.mp4")
    assert [entry.name for entry in find_inputs(tmp_path)] == ["a.mp4", "work/b.mp4"]


def test_nothing_to_build_from(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder of videos, found none"):
        find_inputs(tmp_path / "nothing")
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=r"expected videos, found none; put videos there \(\.mkv, \.mp4"):
        find_inputs(tmp_path)


def test_names_that_are_safe_stay_as_they_are() -> None:
    names = ["beach.mp4", "day 1/beach.mp4", "v1.2_final.MOV", "id-7", "frames.dir"]
    assert list(clip_names(names).values()) == ["beach", "day-1-beach", "v1.2_final", "id-7", "frames.dir"]


def test_names_that_lose_or_share_characters_get_a_hash() -> None:
    names = ["été.mp4", "ete.mp4", "影.mp4", "--.mp4", "a/b.mp4", "a-b.mov", "A-B.mp4", "x" * 300 + ".mp4", "t\n.mp4"]
    slugs = clip_names(names)
    assert slugs["ete.mp4"] == "ete"
    assert re.fullmatch(r"ete-[0-9a-f]{8}", slugs["été.mp4"])
    assert re.fullmatch(r"[0-9a-f]{8}", slugs["影.mp4"])
    assert re.fullmatch(r"a-b-[0-9a-f]{8}", slugs["a/b.mp4"])
    assert len({slug.casefold() for slug in slugs.values()}) == len(names)
    assert len(slugs["x" * 300 + ".mp4"]) == MAX_SLUG
    # A name's slug does not hang on what else is there, unless it collides.
    assert clip_names(["été.mp4"])["été.mp4"] == slugs["été.mp4"]


def test_names_that_are_no_utf8() -> None:
    (slug,) = clip_names([b"\xe9t\xe9.mp4".decode("utf-8", "surrogateescape")]).values()
    assert re.fullmatch(r"t-[0-9a-f]{8}", slug)


@given(st.lists(st.text(min_size=1), unique=True, max_size=8))
def test_any_names_give_different_safe_slugs(names: list[str]) -> None:
    slugs = list(clip_names(names).values())
    assert len({slug.casefold() for slug in slugs}) == len(names)
    for slug in slugs:
        assert re.fullmatch(r"[A-Za-z0-9._-]+", slug)
        assert re.fullmatch(SAMPLE_ID_PATTERN, f"{slug}-c0000")
        assert len(slug) <= MAX_SLUG


def test_a_folder_that_is_built_into_is_no_input(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "own/clips/a-c0000/source.mkv", "own/work/clips/a-c0000/source.mkv", "other/b.mp4")
    names = [entry.name for entry in find_inputs(tmp_path, tmp_path / "other" / ".." / "own")]
    assert names == ["a.mp4", "other/b.mp4"]


def test_paths_and_errors_as_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xe9t\xe9.mkv")
    assert path_text(path, tmp_path) == r"\xe9t\xe9.mkv"
    error = InputError(path, expected="a", found="b", fix="c")
    assert error_text(error, tmp_path / "other.mkv", tmp_path) == r"\xe9t\xe9.mkv: expected a, found b; c"
    assert error_text(error, path, tmp_path) == "expected a, found b; c"


def test_captions_may_stand_in_a_list(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "source.mp4").touch()
    (tmp_path / "b" / "caption.txt").write_text("its own")
    (tmp_path / "clips.json").write_text('[{"id": "a", "caption": "listed"}, {"id": "b", "caption": "listed too"}]')
    assert [(entry.name, entry.caption) for entry in find_inputs(tmp_path)] == [("a", "listed"), ("b", "its own")]
