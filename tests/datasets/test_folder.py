from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from clips import DataFolder, box_mask, mask_video, moving_clip

from vivid_bench.datasets.folder import read_folder
from vivid_bench.errors import InputError
from vivid_bench.types import DELETE_PROMPT
from vivid_bench.video import write_lossless, write_preview


def test_a_folder_without_a_list(data_folder: DataFolder) -> None:
    data_folder.add("b")
    folder = data_folder.add("a", with_reference=False)
    (folder / "caption.txt").write_text("  a red\n\n ball \n")
    report = read_folder(data_folder.path, "delete")
    assert report.problems == []
    assert report.warnings == []
    a, b = report.samples
    assert (a.id, a.task, a.prompt, a.hole, a.reference) == ("a", "delete", "a red ball", "visible", None)
    assert (b.id, b.prompt, b.frames, b.height, b.width, b.fps) == ("b", DELETE_PROMPT, 5, 24, 32, 24.0)
    assert b.reference is not None
    assert b.reference.path == "b/reference.mkv"


def test_the_list_gives_task_caption_and_hole(data_folder: DataFolder) -> None:
    data_folder.add("a", task="add", caption="a cat", hole="hidden", frames=5)
    data_folder.add("d", task="delete", with_reference=False, source_video="v1", licence="CC0")
    samples = read_folder(data_folder.path, None).samples
    assert [(s.id, s.task, s.prompt, s.hole) for s in samples] == [
        ("a", "add", "a cat", "hidden"),
        ("d", "delete", DELETE_PROMPT, "visible"),
    ]
    assert (samples[1].source_video, samples[1].licence) == ("v1", "CC0")
    assert [s.id for s in read_folder(data_folder.path, "add").samples] == ["a"]


def test_a_source_that_is_its_own_reference_has_a_hidden_hole(data_folder: DataFolder) -> None:
    data_folder.add("a", task="modify", caption="a dog", reference="source.mkv")
    sample = read_folder(data_folder.path, None).samples[0]
    assert sample.hole == "hidden"
    assert sample.reference == sample.source


def test_such_a_source_with_a_visible_hole_is_refused(data_folder: DataFolder) -> None:
    data_folder.add("a", task="modify", caption="a dog", reference="source.mkv", hole="visible")
    (problem,) = read_folder(data_folder.path, None).problems
    assert "expected a hidden hole" in str(problem)


@pytest.mark.parametrize(("declared", "warned"), [(None, True), ("hidden", False)])
def test_a_reference_that_is_the_source_in_another_codec(
    data_folder: DataFolder, declared: str | None, warned: bool
) -> None:
    entry = {"hole": declared} if declared else {}
    folder = data_folder.add("a", task="delete", with_reference=False, **entry)
    write_lossless(folder / "reference.mkv", np.maximum(moving_clip(), 3), 24.0)
    report = read_folder(data_folder.path, None)
    assert report.problems == []
    assert report.samples[0].hole == (declared or "visible")
    assert any("methods see the answer" in warning for warning in report.warnings) == warned


def test_a_lossless_copy_of_the_source_as_reference_hides_the_hole(data_folder: DataFolder) -> None:
    folder = data_folder.add("a", with_reference=False)
    write_lossless(folder / "reference.mkv", moving_clip(), 24.0, compact=True)
    assert (folder / "reference.mkv").read_bytes() != (folder / "source.mkv").read_bytes()
    assert read_folder(data_folder.path, "delete").samples[0].hole == "hidden"


def test_text_that_is_not_utf8_and_names_that_cannot_be_files(data_folder: DataFolder) -> None:
    (data_folder.add("a") / "caption.txt").write_bytes(b"\xff\xfe")
    data_folder.add("b\nc")
    data_folder.add("good")
    report = read_folder(data_folder.path, "delete")
    assert [s.id for s in report.samples] == ["good"]
    assert sorted(str(p).partition("expected ")[2].partition(",")[0] for p in report.problems) == [
        "plain folder names",
        "readable files",
    ]


def test_two_sources(data_folder: DataFolder) -> None:
    folder = data_folder.add("a")
    write_preview(folder / "source.mp4", moving_clip(), 24.0)
    (problem,) = read_folder(data_folder.path, "delete").problems
    assert "expected one video source, found source.mkv, source.mp4" in str(problem)


def test_folders_of_frames(data_folder: DataFolder) -> None:
    folder = data_folder.path / "a"
    clip, mask = moving_clip(), box_mask(5, 24, 32)
    for name, frames in (("source", clip), ("mask", mask_video(mask))):
        (folder / name).mkdir(parents=True)
        for i, frame in enumerate(frames):
            cv2.imwrite(str(folder / name / f"{i:03}.png"), frame[..., ::-1])
    sample = read_folder(data_folder.path, "delete").samples[0]
    assert (sample.source.path, sample.mask.path, sample.frames) == ("a/source", "a/mask", 5)


def test_a_lossy_mask_is_cut_at_half_and_said_so(data_folder: DataFolder) -> None:
    folder = data_folder.add("a")
    (folder / "mask.mkv").unlink()
    soft = np.clip(mask_video(box_mask(5, 24, 32)).astype(int) - 100, 0, 255).astype(np.uint8)
    write_lossless(folder / "mask.mkv", soft, 24.0)
    report = read_folder(data_folder.path, "delete")
    # 12 x 10 of 24 x 32 pixels have the value 155.
    assert report.samples[0].mask_grey_share == pytest.approx(120 / 768, abs=1e-6)
    assert "15.6% of the mask is mid-grey" in report.warnings[0]


def test_an_inverted_mask_is_a_warning(data_folder: DataFolder) -> None:
    folder = data_folder.add("a")
    (folder / "mask.mkv").unlink()
    write_lossless(folder / "mask.mkv", mask_video(~box_mask(5, 24, 32, (0, 0, 4, 4))), 24.0)
    report = read_folder(data_folder.path, "delete")
    assert "98% of the mask is white; white means edit: is it inverted?" in report.warnings[0]
    assert report.problems == []


def test_every_problem_is_in_one_report(data_folder: DataFolder) -> None:
    add = data_folder.add
    (add("no-mask") / "mask.mkv").unlink()
    (add("no-source") / "source.mkv").unlink()
    for name, mask in (
        ("empty", np.zeros((5, 24, 32), bool)),
        ("short", box_mask(4, 24, 32)),
        ("small", box_mask(5, 16, 32)),
    ):
        write_lossless(add(name) / "mask.mkv", mask_video(mask), 24.0)
    cut = add("cut") / "source.mkv"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    add("good")
    report = read_folder(data_folder.path, "delete")
    assert [s.id for s in report.samples] == ["good"]
    words = {str(p).split(": expected")[0].rsplit("data/")[-1]: str(p) for p in report.problems}
    assert "found an empty mask in all frames" in words["empty/mask.mkv"]
    assert "expected 5 frames (as the source), found 4" in words["short/mask.mkv"]
    assert "expected 32x24 (the source's size), found 32x16" in words["small/mask.mkv"]
    assert "truncated" in words["cut/source.mkv"]
    assert "mask.mp4" in words["no-mask"]
    assert "source.mp4" in words["no-source"]


@pytest.mark.parametrize("task", ["add", "modify"])
def test_add_and_modify_need_a_caption(data_folder: DataFolder, task: str) -> None:
    data_folder.add("a", task=task)
    (problem,) = read_folder(data_folder.path, None).problems
    assert f"expected a caption ({task} needs one), found none" in str(problem)


def test_a_wrong_frame_count_in_the_list(data_folder: DataFolder) -> None:
    data_folder.add("a", task="delete")
    data_folder.entries[0]["frames"] = 6
    (data_folder.path / "clips.json").write_text(json.dumps(data_folder.entries))
    (problem,) = read_folder(data_folder.path, None).problems
    assert "expected 6 frames, as listed, found 5" in str(problem)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "expected a list of clips"),
        ("[]", "expected at least one clip, found an empty list"),
        ('[{"id": "a", "captoin": "x"}]', "captoin"),
        ('[{"id": "../a"}]', "String should match pattern"),
        ('[{"id": "a"}, {"id": "a"}]', "expected each id once, found a again"),
    ],
)
def test_a_broken_list(data_folder: DataFolder, content: str, words: str) -> None:
    (data_folder.path / "clips.json").write_text(content)
    with pytest.raises(InputError, match=words.replace("[", r"\[")):
        read_folder(data_folder.path, "delete")


def test_a_reference_outside_its_folder_is_refused(data_folder: DataFolder) -> None:
    data_folder.add("b")
    data_folder.add("a", task="delete", reference="../b/reference.mkv")
    (problem,) = read_folder(data_folder.path, "delete").problems
    assert "expected the reference reference.mkv" in str(problem)


def test_a_task_that_no_clip_has(data_folder: DataFolder) -> None:
    data_folder.add("a", task="modify", caption="x")
    with pytest.raises(InputError, match="expected delete samples, found only modify samples"):
        read_folder(data_folder.path, "delete")


def test_clips_without_a_task_need_one(data_folder: DataFolder) -> None:
    data_folder.add("a")
    (problem,) = read_folder(data_folder.path, None).problems
    assert "pass --task add, modify or delete" in str(problem)


def test_folders_that_the_list_leaves_out(data_folder: DataFolder) -> None:
    data_folder.add("a", task="delete")
    data_folder.add("z")
    report = read_folder(data_folder.path, "delete")
    assert [s.id for s in report.samples] == ["a"]
    assert "not in clips.json, so left out: z" in report.warnings[0]


def test_an_empty_and_a_missing_folder(data_folder: DataFolder) -> None:
    with pytest.raises(InputError, match="found no folders"):
        read_folder(data_folder.path, "delete")
    with pytest.raises(InputError, match="expected a data folder, found nothing"):
        read_folder(data_folder.path / "none", "delete")


def test_limit(data_folder: DataFolder) -> None:
    for name in "abc":
        data_folder.add(name)
    assert [s.id for s in read_folder(data_folder.path, "delete", limit=2).samples] == ["a", "b"]


def test_a_lossy_source_video_is_read(data_folder: DataFolder) -> None:
    folder = data_folder.add("a", with_reference=False)
    (folder / "source.mkv").unlink()
    write_preview(folder / "source.mp4", moving_clip(), 24.0)
    assert read_folder(data_folder.path, "delete").samples[0].source.path == "a/source.mp4"


def test_an_id_that_reads_as_a_member_of_a_shard(data_folder: DataFolder) -> None:
    data_folder.add("a::b")
    report = read_folder(data_folder.path, "delete")
    assert "expected an id without ::" in str(report.problems[0])


def test_a_caption_and_a_list_with_a_byte_order_mark(data_folder: DataFolder) -> None:
    folder = data_folder.add("a", with_reference=False)
    (folder / "caption.txt").write_bytes(b"\xef\xbb\xbfa dog\r\n")
    assert read_folder(data_folder.path, "modify").samples[0].prompt == "a dog"
    (data_folder.path / "clips.json").write_bytes(b'\xef\xbb\xbf[{"id": "a", "caption": "a cat"}]')
    assert read_folder(data_folder.path, "modify").samples[0].prompt == "a cat"


@pytest.mark.parametrize("blank", ["", "   ", "\t\n"])
def test_a_blank_caption_counts_as_none(data_folder: DataFolder, blank: str) -> None:
    folder = data_folder.add("a", task="modify", caption=blank, with_reference=False)
    (problem,) = read_folder(data_folder.path, None).problems
    assert "expected a caption (modify needs one), found none" in str(problem)
    (folder / "caption.txt").write_text("a red ball")
    assert read_folder(data_folder.path, None).samples[0].prompt == "a red ball"


def test_a_blank_caption_of_a_delete_is_the_one_prompt(data_folder: DataFolder) -> None:
    folder = data_folder.add("a", task="delete", caption=" ")
    (folder / "caption.txt").write_text(" \n\t\n")
    assert read_folder(data_folder.path, None).samples[0].prompt == DELETE_PROMPT


def test_what_macos_leaves_behind(data_folder: DataFolder) -> None:
    folder = data_folder.add("a")
    (folder / "._source.mkv").write_bytes(b"x")
    (data_folder.path / "__MACOSX" / "a").mkdir(parents=True)
    report = read_folder(data_folder.path, "delete")
    assert ([s.id for s in report.samples], report.problems, report.warnings) == (["a"], [], [])
    data_folder.add("b", task="delete")
    assert read_folder(data_folder.path, "delete").warnings == [
        f"{data_folder.path}: not in clips.json, so left out: a"
    ]


def test_a_suffix_in_mixed_case(data_folder: DataFolder) -> None:
    folder = data_folder.add("a")
    (folder / "source.mkv").rename(folder / "source.Mkv")
    assert read_folder(data_folder.path, "delete").samples[0].source.path == "a/source.Mkv"


def test_values_of_another_type_are_said_plainly(data_folder: DataFolder) -> None:
    (data_folder.path / "clips.json").write_text('[{"id": "a", "caption": ["x"]}]')
    with pytest.raises(InputError) as raised:
        read_folder(data_folder.path, "modify")
    assert raised.value.found == "0.caption: Input should be a valid string"
    assert "pydantic" not in str(raised.value)
