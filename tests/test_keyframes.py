from __future__ import annotations

from pathlib import Path

import pytest

from vivid_bench.errors import VividBenchError
from vivid_bench.keyframes import keyframe_problems, parse_keyframes, with_keyframes
from vivid_bench.types import FileRef, Sample

FILE = FileRef(path="clip.mkv", sha256="0" * 64)


def sample(sample_id: str, keyframes: tuple[int, ...] | None, frames: int = 5, *, reference: bool = True) -> Sample:
    return Sample(
        id=sample_id, task="delete", source=FILE, mask=FILE, reference=FILE if reference else None, keyframes=keyframes,
        prompt="a test", frames=frames, height=8, width=8, fps=24, hole="visible", source_video="scene",
    )  # fmt: skip


@pytest.mark.parametrize(("text", "indices"), [(None, None), ("0", (0,)), ("16, 0,8", (0, 8, 16))])
def test_parsing(text: str | None, indices: tuple[int, ...] | None) -> None:
    assert parse_keyframes(text) == indices


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected frame indices from 0 up"),
        ("first", "expected frame indices from 0 up"),
        ("-1", "expected frame indices from 0 up"),
        ("0,", "expected frame indices from 0 up"),
        ("1.5", "expected frame indices from 0 up"),
        ("²", "expected frame indices from 0 up"),
        ("0,3,0", "an index is there twice"),
    ],
)
def test_what_is_no_list_of_indices(text: str, words: str) -> None:
    with pytest.raises(VividBenchError, match=f'--keyframes "{text}": {words}'):
        parse_keyframes(text)


def test_given_keyframes_replace_pinned_ones_and_none_keeps_them() -> None:
    pinned = [sample("a", (1,)), sample("b", None)]
    assert with_keyframes(pinned, None) == pinned
    assert [s.keyframes for s in with_keyframes(pinned, (0, 2))] == [(0, 2), (0, 2)]


def test_without_keyframes_nothing_is_wrong() -> None:
    assert keyframe_problems(Path("suite"), [sample("a", None, reference=False)]) == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            sample("bad", (0,), reference=False),
            "expected a reference, whose frames are the keyframes, found none for s",
        ),
        (sample("bad", (0, 5)), "expected keyframes below 5, the frames of sample bad, found 0, 5"),
        (sample("bad", (0,), frames=1), "expected a frame left to score in sample bad, found a keyframe at every one"),
        (sample("bad", (2, 1)), "expected rising keyframes from 0 up"),
        (sample("bad", (1, 1)), "expected rising keyframes from 0 up"),
        (sample("bad", (-1,)), "expected rising keyframes from 0 up"),
        (sample("bad", ()), "expected keyframes, as other samples have, found none for sample bad"),
        (sample("bad", None), "expected keyframes, as other samples have, found none for sample bad"),
    ],
)
def test_every_sample_must_be_able_to_give_its_keyframes(broken: Sample, words: str) -> None:
    (problem,) = keyframe_problems(Path("suite"), [sample("good", (0,)), broken])
    assert words in str(problem)
    assert "bad" in str(problem)
    assert str(problem).startswith("suite/clip.mkv: ")
