from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from frame_folders import label_map, write_binary, write_frames, write_masks
from PIL import Image

from vivid_bench.datasets.davis import CARD, find
from vivid_bench.datasets.readers import read_dataset
from vivid_bench.datasets.types import Report
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.suites import load_splits
from vivid_bench.types import DELETE_PROMPT

ONE = label_map((1, 4))
TWO = label_map((1, 4), (2, 20))


def add(data: Path, name: str, frames: int = 3, masks: int = 3, resolution: str = "480p") -> None:
    """Write a sequence with DAVIS 2017's palette masks of two objects."""
    write_frames(data / "JPEGImages" / resolution / name, range(frames))
    write_masks(data / "Annotations" / resolution / name, range(masks), TWO)


def write_list(data: Path, path: str, *lines: str) -> None:
    file = data / "ImageSets" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))


def test_all_objects_of_2017_are_the_mask(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    (loaded,) = load_splits("davis", ("delete",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.id, sample.prompt, sample.frames, sample.height, sample.width) == ("bear", DELETE_PROMPT, 3, 24, 32)
    assert (sample.hole, sample.reference, sample.fps, sample.span) == ("visible", None, 24.0, None)
    assert (loaded.split.main_metric, loaded.warnings) == ("background_psnr", ())
    arrays = loaded.read(sample)
    assert np.array_equal(arrays.mask, np.repeat((TWO > 0)[None], 3, axis=0))
    assert arrays.mask.sum() == 3 * 2 * 40


def test_an_object_that_comes_later_is_in_the_mask_and_void_is_not(tmp_path: Path) -> None:
    write_frames(tmp_path / "JPEGImages/480p/a", range(3))
    write_masks(tmp_path / "Annotations/480p/a", range(3), [label_map(), ONE, label_map((1, 4), (7, 20), (255, 28))])
    (loaded,) = load_splits("davis", ("delete",), tmp_path)
    mask = loaded.read(loaded.split.samples[0]).mask
    assert mask.sum(axis=(1, 2)).tolist() == [0, 40, 80]


@pytest.mark.parametrize("kind", ["grey 0/255", "grey 0/1", "colour", "soft"])
def test_masks_of_2016_and_of_copies(tmp_path: Path, kind: str) -> None:
    white = ONE * np.uint8(255)
    soft = white.copy()
    soft[3, 4:8] = 20  # an edge blurred by resizing
    soft[14, 4:8] = 200
    masks = {"grey 0/255": white, "grey 0/1": ONE, "colour": np.stack([white] * 3, axis=-1), "soft": soft}
    write_frames(tmp_path / "JPEGImages/480p/a", range(2))
    write_binary(tmp_path / "Annotations/480p/a", range(2), masks[kind])
    (loaded,) = load_splits("davis", ("delete",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.labels is None) == (kind != "grey 0/1")
    # Of the soft mask the row of 200 counts as white, the row of 20 does not.
    assert loaded.read(sample).mask.sum() == 2 * (44 if kind == "soft" else 40)


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("2017/val.txt", ("cow", "bear", "")),
        ("2016/val.txt", ("cow", "bear")),
        (
            "480p/val.txt",
            tuple(
                f"/JPEGImages/480p/{name}/{i:05}.jpg /Annotations/480p/{name}/{i:05}.png"
                for name in ("cow", "bear")
                for i in (0, 1)
            ),
        ),
    ],
)
def test_the_list_gives_sequences_and_order(tmp_path: Path, path: str, lines: tuple[str, ...]) -> None:
    for name in ("bear", "cow", "dog", "mine"):
        add(tmp_path, name)
    write_list(tmp_path, path, *lines)
    write_list(tmp_path, str(Path(path).parent / "train.txt"), "dog")
    report = read_dataset("davis", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["cow", "bear"]
    assert report.problems == []
    # `dog` is in another list of the set: nothing is left over but `mine`.
    (warning,) = report.warnings
    assert f"no list in ImageSets/{Path(path).parent} names them: 1 (mine)" in warning


def test_2017_comes_before_2016_and_without_lists_all_are_read(tmp_path: Path) -> None:
    for name in ("bear", "cow"):
        add(tmp_path, name)
    (tmp_path / "JPEGImages/480p/.hidden").mkdir()
    (tmp_path / "JPEGImages/480p/bear/.DS_Store").write_text("x")
    (tmp_path / "JPEGImages/480p/bear/Thumbs.db").write_text("x")
    (tmp_path / "Annotations/480p/bear/._00000.png").write_text("x")
    assert [s.id for s in read_dataset("davis", tmp_path, "delete").samples] == ["bear", "cow"]
    write_list(tmp_path, "2016/val.txt", "cow")
    write_list(tmp_path, "2017/val.txt", "bear")
    assert [s.id for s in read_dataset("davis", tmp_path, "delete").samples] == ["bear"]


def test_resolutions(tmp_path: Path) -> None:
    add(tmp_path, "bear", resolution="Full-Resolution")
    report = read_dataset("davis", tmp_path, "delete")
    assert (report.samples[0].source.path, report.warnings) == ("JPEGImages/Full-Resolution/bear", [])
    add(tmp_path, "bear")
    add(tmp_path, "bear", resolution="1080p")
    report = read_dataset("davis", tmp_path, "delete")
    assert report.samples[0].mask.path == "Annotations/480p/bear"
    (warning,) = report.warnings
    assert warning.endswith("resolutions not read (480p is): 2 (1080p, Full-Resolution)")


def test_an_archive_unpacked_as_it_is_and_sequences_without_a_resolution(tmp_path: Path) -> None:
    add(tmp_path / "DAVIS", "bear")
    assert read_dataset("davis", tmp_path, "delete").samples[0].source.path == "DAVIS/JPEGImages/480p/bear"
    flat = tmp_path / "flat"
    write_frames(flat / "JPEGImages/bear", range(2))
    write_masks(flat / "Annotations/bear", range(2), ONE)
    assert read_dataset("davis", flat, "delete").samples[0].source.path == "JPEGImages/bear"


def test_what_is_missing_is_told_once_a_kind(tmp_path: Path) -> None:
    add(tmp_path, "good")
    for name in ("a", "b", "c", "d", "e", "f"):
        write_frames(tmp_path / "JPEGImages/480p" / name, range(2))
    (tmp_path / "Annotations/480p/a").mkdir()
    add(tmp_path, "first-only", frames=3, masks=1)
    add(tmp_path, "half-there", frames=1, masks=3)
    add(tmp_path, "gap")
    (tmp_path / "Annotations/480p/gap/00001.png").unlink()
    write_list(tmp_path, "2017/val.txt", "good", *"abcdef", "first-only", "half-there", "gap", "gone")
    report = read_dataset("davis", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["good"]
    without_masks, partial, gone = map(str, report.problems)
    assert "found that lacking in 6 (a, b, c, d, e, …)" in without_masks
    assert "first-only: 3 frames, 1 masks: no mask 1, half-there: 1 frames, 3 masks: no frame 1, " in partial
    assert "gap: 3 frames, 2 masks: no mask 1" in partial
    assert "found that lacking in 1 (gone)" in gone
    with pytest.raises(InputReportError, match="3 problems"):
        load_splits("davis", ("delete",), tmp_path)


@pytest.mark.parametrize(("frames", "masks", "lacking"), [(12, 11, "no mask 11"), (11, 12, "no frame 11")])
def test_a_sequence_nearly_whole_is_cut_and_said_so(tmp_path: Path, frames: int, masks: int, lacking: str) -> None:
    add(tmp_path, "bear", frames, masks)
    (loaded,) = load_splits("davis", ("delete",), tmp_path)
    (sample,) = loaded.split.samples
    assert (sample.frames, sample.span is None) == (11, False)
    assert (
        f"cut to the frames that have both image and mask: 1 (bear: {frames} frames, {masks} masks: {lacking})"
        in str(loaded.warnings)
    )
    assert loaded.read(sample).mask.shape == (11, 24, 32)


def test_damaged_files_cost_only_their_sequence(tmp_path: Path) -> None:
    for name in ("bad-image", "bad-mask", "doubled", "good"):
        add(tmp_path, name)
    for path in ("JPEGImages/480p/bad-image/00001.jpg", "Annotations/480p/bad-mask/00000.png"):
        content = (tmp_path / path).read_bytes()
        (tmp_path / path).write_bytes(content[: len(content) // 3])
    (tmp_path / "Annotations/480p/doubled/0.png").write_bytes(b"")
    report = read_dataset("davis", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["good"]
    assert [problem.path.rsplit("480p/")[1] for problem in report.problems if isinstance(problem, InputError)] == [
        "bad-image/00001.jpg",
        "bad-mask/00000.png",
        "doubled",
    ]


def test_a_limit_reads_no_further_and_still_warns(tmp_path: Path) -> None:
    for name in ("a", "b"):
        add(tmp_path, name)
    (tmp_path / "JPEGImages/480p/c").mkdir()
    write_list(tmp_path, "2017/val.txt", "a", "b", "c")
    add(tmp_path, "mine")
    (loaded,) = load_splits("davis", ("delete",), tmp_path, limit=1)
    assert [sample.id for sample in loaded.split.samples] == ["a"]
    assert "1 (mine)" in loaded.warnings[0]


def test_finding_decodes_no_image(tmp_path: Path) -> None:
    add(tmp_path, "a")
    for file in (tmp_path / "JPEGImages/480p/a").iterdir():
        file.write_bytes(b"")
    (candidate,) = find(tmp_path, "delete", Report())
    assert (candidate.id, candidate.frames) == ("a", 3)


@pytest.mark.parametrize("line", ["../secret", "/", "a/b", ".hidden", "tab\there"])
def test_a_list_cannot_lead_out_of_the_set(tmp_path: Path, line: str) -> None:
    add(tmp_path, "bear")
    write_list(tmp_path, "2017/val.txt", line)
    with pytest.raises(InputError, match=r"val\.txt: expected a sequence's name a line"):
        read_dataset("davis", tmp_path, "delete")


def test_broken_lists_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder JPEGImages, found nothing"):
        read_dataset("davis", tmp_path, "delete")
    add(tmp_path, "bear")
    write_list(tmp_path, "2017/val.txt")
    with pytest.raises(InputError, match="expected sequences, one a line, found none"):
        read_dataset("davis", tmp_path, "delete")
    (tmp_path / "ImageSets/2017/val.txt").write_bytes(b"\xff")
    with pytest.raises(InputError, match="expected a list in UTF-8"):
        read_dataset("davis", tmp_path, "delete")
    with pytest.raises(InputError, match="expected add samples in davis, found only delete"):
        read_dataset("davis", tmp_path, "add")


def test_no_masks_of_the_images_resolution(tmp_path: Path) -> None:
    write_frames(tmp_path / "JPEGImages/480p/bear", range(2))
    write_masks(tmp_path / "Annotations/Full-Resolution/bear", range(2), ONE)
    with pytest.raises(InputError, match="Annotations: expected a folder 480p, as in JPEGImages, found none"):
        read_dataset("davis", tmp_path, "delete")


def test_a_folder_whose_name_cannot_be_an_id(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    add(tmp_path, "new\nline")
    (problem,) = read_dataset("davis", tmp_path, "delete").problems
    assert r"names of sequences that can be file names, found that lacking in 1 ('new\nline')" in str(problem)


def test_names_with_spaces_quotes_and_accents(tmp_path: Path) -> None:
    add(tmp_path, "l'été à 5 h")
    write_list(tmp_path, "2017/val.txt", "l'été à 5 h")
    assert [s.id for s in read_dataset("davis", tmp_path, "delete").samples] == ["l'été à 5 h"]


def test_the_real_sequence(real_clips: Path) -> None:
    if not (real_clips / "davis").is_dir():
        pytest.skip(f"no DAVIS sequence at {real_clips / 'davis'}")
    (loaded,) = load_splits("davis", ("delete",), real_clips / "davis")
    (sample,) = loaded.split.samples
    assert (sample.id, sample.frames, sample.width, sample.height) == ("bmx-trees", 80, 432, 240)
    assert (sample.hole, sample.reference, sample.labels, loaded.warnings) == ("visible", None, None, ())
    arrays = loaded.read(sample)
    assert arrays.source.shape == (80, 240, 432, 3)
    assert 0.01 < arrays.mask.mean() < 0.03


def test_the_card_names_an_archive_first() -> None:
    assert next(iter(CARD.downloads)) == "2017-480p"
    assert all(download.url and download.url.startswith("https://") for download in CARD.downloads.values())


def test_a_frame_with_a_huge_number_costs_only_its_sequence(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    add(tmp_path, "cows")
    for file in ("JPEGImages/480p/bear/00000.jpg", "Annotations/480p/bear/00000.png"):
        (tmp_path / file).rename((tmp_path / file).with_stem("9" * 14))
    report = read_dataset("davis", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["cows"]
    assert "frames and masks numbered one by one, found that lacking in 1 (bear: neither has 3)" in str(
        report.problems[0]
    )


def test_a_list_from_windows_and_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    (tmp_path / "ImageSets/2017").mkdir(parents=True)
    (tmp_path / "ImageSets/2017/val.txt").write_bytes(b"\xef\xbb\xbfbear\r\n")
    assert [sample.id for sample in read_dataset("davis", tmp_path, "delete").samples] == ["bear"]
    (tmp_path / "ImageSets/2017/val.txt").unlink()
    add(tmp_path, "odd")
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / kind / "480p/odd").rename(tmp_path / kind / "480p/b\udcff")
    report = read_dataset("davis", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["bear"]
    assert "expected names of sequences that can be file names" in str(report.problems[0])


def test_what_is_missing_is_said_although_a_limit_ends_the_pass(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    (tmp_path / "JPEGImages/480p/ant").mkdir()
    report = read_dataset("davis", tmp_path, "delete", limit=1)
    assert ([sample.id for sample in report.samples], len(report.problems)) == (["bear"], 1)


def test_a_folder_too_deep_is_told_by_what_it_holds(tmp_path: Path) -> None:
    add(tmp_path, "bear")
    with pytest.raises(InputError, match=r"expected a folder JPEGImages, found 1 \(480p\); --data is the folder of"):
        read_dataset("davis", tmp_path / "JPEGImages", "delete")


def test_frames_and_masks_that_begin_with_different_numbers_are_not_paired(tmp_path: Path) -> None:
    write_frames(tmp_path / "JPEGImages/480p/bear", range(20))
    write_masks(tmp_path / "Annotations/480p/bear", range(1, 21), ONE)
    write_frames(tmp_path / "JPEGImages/480p/cow", range(2))
    write_masks(tmp_path / "Annotations/480p/cow", range(5, 7), ONE)
    report = read_dataset("davis", tmp_path, "delete")
    (problem,) = report.problems
    assert (report.samples, report.warnings) == ([], [])
    assert "expected frames and masks that begin with the same number" in str(problem)
    assert "2 (bear: 20 of both, frames from 0, masks from 1, cow: 2 of both, frames from 0, masks from 5)" in str(
        problem
    )
    assert "; renumber one of them" in str(problem)


@pytest.mark.parametrize(
    ("numbers", "words"), [([0, 1, 2, 4], "neither has 3"), ([0, 5, 10], "both in steps of 5, from 0")]
)
def test_numbers_that_both_lack_are_named(tmp_path: Path, numbers: list[int], words: str) -> None:
    write_frames(tmp_path / "JPEGImages/480p/bear", numbers)
    write_masks(tmp_path / "Annotations/480p/bear", numbers, ONE)
    (problem,) = read_dataset("davis", tmp_path, "delete").problems
    assert f"frames and masks numbered one by one, found that lacking in 1 (bear: {words}); download" in str(problem)


def test_unsupervised_annotations_are_told_from_those_used(tmp_path: Path) -> None:
    write_frames(tmp_path / "JPEGImages/480p/bear", range(2))
    write_masks(tmp_path / "Annotations_unsupervised/480p/bear", range(2), ONE)
    with pytest.raises(
        InputError, match=r"a folder Annotations, found 2 \(.*\); Annotations_unsupervised labels other objects"
    ):
        read_dataset("davis", tmp_path, "delete")


def test_masks_that_may_be_labels_or_not_cost_only_their_sequence(tmp_path: Path) -> None:
    add(tmp_path, "good")
    write_frames(tmp_path / "JPEGImages/480p/bad", range(2))
    write_masks(tmp_path / "Annotations/480p/bad", [0], ONE)
    Image.fromarray(ONE * np.uint8(255)).save(tmp_path / "Annotations/480p/bad/00001.png")
    report = read_dataset("davis", tmp_path, "delete")
    assert [sample.id for sample in report.samples] == ["good"]
    (problem,) = report.problems
    assert "480p/bad: expected either label maps" in str(problem)
