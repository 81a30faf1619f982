from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clips import box_mask, mask_video, moving_clip

from vivid_bench.datasets import vivid10m_names as named
from vivid_bench.datasets.readers import read_dataset
from vivid_bench.datasets.types import Candidate, Report
from vivid_bench.datasets.vivid10m import find
from vivid_bench.datasets.vivid10m_index import MAKE, write_index
from vivid_bench.errors import InputError
from vivid_bench.suites import load_splits
from vivid_bench.types import DELETE_PROMPT, TASKS, Task
from vivid_bench.video import write_lossless

MASKS = ("instance0000_ori_mask", "instance0000_ori_mask_dilated", "remove0000_convexHull_mask")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A clip, its mask and an image of each, as they lie on disk."""
    folder = tmp_path_factory.mktemp("files")
    clip, mask = moving_clip(), mask_video(box_mask(5, 24, 32))
    write_lossless(folder / "source.mkv", clip, 24.0)
    write_lossless(folder / "mask.mkv", mask, 24.0)
    cv2.imwrite(str(folder / "image.png"), clip[0])
    cv2.imwrite(str(folder / "mask.png"), mask[0])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def tree(files: dict[str, bytes], video: str = "00049967", source: str = "source_video.mkv") -> dict[str, bytes]:
    """One video in the authors' naming."""
    return {
        f"{video}/{source}": files["source.mkv"],
        f"{video}/croped_video_clip0000_instance0000_ori_mask.mkv": files["source.mkv"],
        f"{video}/hb_mask_clip0000_instance0000_ori_mask.mkv": files["mask.mkv"],
        f"{video}/local_caption/v1/local_caption_clip0000_instance0000.txt": b"old",
        f"{video}/local_caption/v2/local_caption_clip0000_instance0000.txt": "A statue\n\n  of marble é\n".encode(),
        **{f"{video}/mask_clip0000_{name}.mkv": files["mask.mkv"] for name in MASKS},
    }


def write(data: Path, content: dict[str, bytes]) -> None:
    for name, one in content.items():
        put(data / name, one)


def write_tar(path: Path, content: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, one in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(one)
            tar.addfile(info, io.BytesIO(one))


def found(data: Path, task: Task) -> tuple[list[Candidate], Report]:
    report = Report()
    return list(find(data, task, report)), report


def test_the_authors_naming(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path, tree(files))
    splits = {split.split.task: split for split in load_splits("vivid10m", TASKS, tmp_path)}
    add, modify, delete = (splits[task].split.samples for task in TASKS)
    assert sorted((s.id, s.mask_kind) for s in add) == [
        ("00049967_clip0000_instance0000_ori_mask", "original"),
        ("00049967_clip0000_instance0000_ori_mask_dilated", "expand"),
    ]
    assert [s.model_copy(update={"task": "add"}) for s in modify] == list(add)
    assert {s.prompt for s in add} == {"A statue of marble é"}
    (one,) = delete
    assert (one.id, one.mask_kind, one.prompt) == (
        "00049967_clip0000_remove0000_convexHull_mask",
        "hull",
        DELETE_PROMPT,
    )
    for sample in (*add, *delete):
        assert sample.reference == sample.source
        assert (sample.hole, sample.frames, sample.source_video) == ("hidden", 5, "00049967")
        assert sample.source.path == "00049967/source_video.mkv"
    assert np.array_equal(splits["delete"].read(one).source, moving_clip())


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("ori_mask", "original"),
        ("ori_mask_dilated", "expand"),
        ("convexHull_mask", "hull"),
        ("convexHull_mask_dilated", "hull+expand"),
        ("rectangle_mask", "rect"),
        ("rectangle_mask_dilated", "rect+expand"),
    ],
)
def test_the_form_of_a_mask_is_in_its_name(form: str, kind: str) -> None:
    mask = named.parse_mask(f"some/where/mask_clip0012_instance0003_{form}.mp4")
    assert mask == named.MaskName("clip0012", "instance0003", "add,modify", kind)
    assert mask.caption == "local_caption_clip0012_instance0003.txt"
    assert named.kind_of(form) == named.kind_of(kind) == kind


@pytest.mark.parametrize(
    "name",
    [
        "hb_mask_clip0000_instance0000_ori_mask.mp4",
        "mask_clip0000_instance0000_ori_mask.txt",
        "mask_clip0000_instance0000_ori_mask_no_flame.mp4",
        "mask_clip0000_object0000_ori_mask.mp4",
    ],
)
def test_what_is_no_mask(name: str) -> None:
    assert named.parse_mask(name) is None


MASK = "mask_clip0000_instance0000_ori_mask.mp4"


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["source_video.mp4", "clip0000.mp4"], "clip0000.mp4"),
        (["source_video.mp4", "clip0001.mp4"], "source_video.mp4"),
        (["source_video.jpg", "source_video.mp4"], "source_video.mp4"),
        (["video_clip0000.mp4", "video.mp4"], "video_clip0000.mp4"),
        (["clips/v2/clip0000.mp4"], "clips/v2/clip0000.mp4"),
        (["00049967.mp4", "note.txt"], "00049967.mp4"),
        (["00049967_src.mp4", "00049967_crop.mp4", "00049967_mask.mp4"], "00049967_src.mp4"),
        (["video_clip0001.mp4"], None),  # another clip's
        (["result_vivid.mp4"], None),  # an edit
        (["source_video.mp4", MASK.replace("clip0000", "clip0001")], None),  # of several clips: which is it?
        (["00049967_clip0000.mp4", MASK.replace("clip0000", "clip0001")], "00049967_clip0000.mp4"),
        (["edit_mask_clip0000_instance0000_ori_mask.mp4"], None),
        ([], None),
    ],
)
def test_which_file_is_the_source(names: list[str], source: str | None) -> None:
    assert named.pick_source([*names, MASK], "00049967", "clip0000", MASK) == source


def test_an_images_source_is_an_image() -> None:
    names = ["source.mp4", "source.jpg", "mask.png"]
    assert named.pick_source(names, "a", "clip0000", "mask.png") == "source.jpg"


@pytest.mark.parametrize("place", ["00049967.mkv", "videos/00049967.mkv", "videos/00049967_clip0000.mkv"])
def test_a_source_outside_its_folder(tmp_path: Path, files: dict[str, bytes], place: str) -> None:
    content = tree(files)
    content[place] = content.pop("00049967/source_video.mkv")
    write(tmp_path, content)
    candidates, report = found(tmp_path, "delete")
    assert [c.source for c in candidates] == [place]
    assert report.problems == []


def test_a_folder_of_one_video_is_the_data_folder(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path, tree(files))
    candidates, _ = found(tmp_path / "00049967", "delete")
    assert [(c.id, c.source) for c in candidates] == [
        ("00049967_clip0000_remove0000_convexHull_mask", "source_video.mkv")
    ]


def test_what_is_missing_is_one_problem_a_kind(tmp_path: Path, files: dict[str, bytes]) -> None:
    for number in range(7):
        content = tree(files, f"0000000{number}")
        del content[f"0000000{number}/source_video.mkv"]
        write(tmp_path, content)
    content = tree(files, "00000009")
    del content["00000009/local_caption/v2/local_caption_clip0000_instance0000.txt"]
    del content["00000009/local_caption/v1/local_caption_clip0000_instance0000.txt"]
    write(tmp_path, content)
    put(tmp_path / "00000008" / "notes.txt", "nothing here")
    candidates, report = found(tmp_path, "delete")
    assert [c.source_video for c in candidates] == ["00000009"]
    empty, sources, captions = sorted(
        (str(p).partition(": expected ")[2] for p in report.problems),
        key=lambda line: ("masks (" not in line, "a caption" in line),
    )
    assert empty.startswith("masks (mask_clip0000_instance0000_ori_mask.mp4, or mask.mp4) and a source (source_video")
    assert "in each video's folder, found 1 without (00000008/)" in empty
    assert sources.startswith("a source with each mask (source_video, source, video, <clip>")
    assert "found 21 without (00000000/mask_clip0000_instance0000_ori_mask.mkv, " in sources
    assert captions.startswith("a caption with each instance's mask")
    assert "found 2 without (00000009/mask_clip0000_instance0000_ori_mask.mkv, " in captions


def test_images_are_clips_of_one_frame(tmp_path: Path, files: dict[str, bytes]) -> None:
    put(tmp_path / "00000001/image.png", files["image.png"])
    put(tmp_path / "00000001/mask_clip0000_instance0000_rectangle_mask.png", files["mask.png"])
    put(tmp_path / "00000001/local_caption/v2/local_caption_clip0000_instance0000.txt", "a box")
    report = read_dataset("vivid10m", tmp_path, "add")
    assert report.problems == []
    assert [(s.frames, s.mask_kind, s.source.path) for s in report.samples] == [(1, "rect", "00000001/image.png")]


def test_the_flat_form_with_a_list(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name, caption in (("a", None), ("b", "in a file\n"), ("00000003", None)):
        put(tmp_path / name / "source.mkv", files["source.mkv"])
        put(tmp_path / name / "mask.mkv", files["mask.mkv"])
        if caption:
            put(tmp_path / name / "caption.txt", caption)
    entries = [{"id": "a", "task": "modify", "caption": "listed"}, {"id": "00000003", "task": "delete"}]
    put(tmp_path / "clips.json", json.dumps(entries))
    prompts = {task: {c.id: c.prompt for c in found(tmp_path, task)[0]} for task in TASKS}
    assert prompts["add"] == {"b": "in a file"}
    assert prompts["modify"] == {"a": "listed", "b": "in a file"}
    assert prompts["delete"] == {"00000003": DELETE_PROMPT}


def test_real_samples_in_the_flat_form(real_clips: Path) -> None:
    candidates, report = found(real_clips / "vivid10m-samples", "modify")
    assert sorted(c.id for c in candidates) == ["00049967", "00177989"]
    assert all(c.prompt.startswith("A ") and c.reference == c.source for c in candidates)
    assert report.problems == []


def test_tars_of_the_authors_naming_give_the_same_ids(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path / "loose", tree(files))
    write_tar(tmp_path / "packed/videos-000.tar", {f"./{name}": one for name, one in tree(files).items()})
    for task in TASKS:
        loose = read_dataset("vivid10m", tmp_path / "loose", task).samples
        packed = read_dataset("vivid10m", tmp_path / "packed", task).samples
        assert [(s.id, s.prompt, s.source.sha256) for s in packed] == [(s.id, s.prompt, s.source.sha256) for s in loose]
        assert all(s.source.path == "videos-000.tar::00049967/source_video.mkv" for s in packed)


def test_webdataset_tars(tmp_path: Path, files: dict[str, bytes]) -> None:
    facts = {"task": "delete", "mask_type": "convexHull_mask", "video_id": "v7"}
    clips = {"0.mkv": files["source.mkv"], "0.mask.mkv": files["mask.mkv"]}
    image = {"1.png": files["image.png"], "1.mask.png": files["mask.png"], "1.txt": b"a box\n"}
    for shard in ("train-0", "train-1"):
        content = {**clips, "0.json": json.dumps(facts).encode(), **image, "2.mkv": files["source.mkv"]}
        write_tar(tmp_path / f"{shard}.tar", content)
    report = read_dataset("vivid10m", tmp_path, "delete")
    (problem,) = report.problems
    assert "found 2 without (train-0.tar::2, train-1.tar::2)" in str(problem)
    assert sorted(s.id for s in report.samples) == ["train-0_0", "train-1_0"]
    assert {(s.mask_kind, s.source_video, s.prompt) for s in report.samples} == {("hull", "v7", DELETE_PROMPT)}
    images = read_dataset("vivid10m", tmp_path, "add").samples
    assert sorted((s.id, s.prompt, s.frames) for s in images) == [("train-0_1", "a box", 1), ("train-1_1", "a box", 1)]


def test_parquet_shards(tmp_path: Path, files: dict[str, bytes]) -> None:
    image = {"bytes": files["image.png"], "path": "1.png"}
    table = {
        "image": [image, image],
        "mask": [{"bytes": files["mask.png"], "path": "1.png"}] * 2,
        "caption": ["a box", ""],
        "task": ["instance", "remove"],
    }
    put(tmp_path / "data" / "x", "")
    pq.write_table(pa.table(table), tmp_path / "data/train-0.parquet")
    assert [(s.id, s.prompt) for s in read_dataset("vivid10m", tmp_path, "add").samples] == [
        ("data_train-0_0", "a box")
    ]
    (delete,) = read_dataset("vivid10m", tmp_path, "delete").samples
    assert (delete.id, delete.source.path) == ("data_train-0_1", "data/train-0.parquet::1/image")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_lists_of_the_sets_own(tmp_path: Path, files: dict[str, bytes], suffix: str) -> None:
    write(tmp_path, tree(files))
    place = "00049967/mask_clip0000_instance0000_ori_mask.mkv"
    entry = {"video": "00049967/source_video.mkv", "mask": place, "caption": 'a "b",\nc', "num_frames": 5}
    outside = {**entry, "mask": "../mask.mkv"}
    named_id = {**entry, "sample_id": "0007", "task": "removal", "caption": ""}
    rows = [{"sample_id": "", "task": "", **row} for row in (entry, outside, named_id)]
    path = tmp_path / f"metadata{suffix}"
    if suffix == ".csv":
        lines = [",".join(f'"{str(row[key]).replace(chr(34), chr(34) * 2)}"' for key in rows[0]) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *lines]), encoding="utf-8")
    elif suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    candidates, report = found(tmp_path, "modify")
    assert [(c.id, c.prompt, c.mask_kind) for c in candidates] == [
        ("00049967_clip0000_instance0000_ori_mask", 'a "b",\nc', "original")
    ]
    assert [c.id for c in found(tmp_path, "delete")[0]] == ["0007"]
    (problem,) = report.problems
    assert f"paths below the data folder in each entry, found 1 without (metadata{suffix}:2)" in str(problem)


def test_a_list_of_something_else_is_not_used(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path, tree(files))
    put(tmp_path / "stats.csv", "split,count\ntrain,3\n")
    assert len(found(tmp_path, "delete")[0]) == 1


def test_with_an_index_and_without_the_samples_are_the_same(tmp_path: Path, files: dict[str, bytes]) -> None:
    for number in range(6):
        write(tmp_path, tree(files, f"0000000{number}"))
    before = {task: found(tmp_path, task)[0] for task in TASKS}
    (tmp_path / "00000005/source_video.mkv").unlink()
    write_index(tmp_path, lambda count: None)
    put(tmp_path / "00000001/mask_clip0000_remove0001_ori_mask.mkv", files["mask.mkv"])
    for task in TASKS:
        after, report = found(tmp_path, task)
        assert after == [c for c in before[task] if c.source_video != "00000005"]
        assert report.problems == []
        since, warning = report.warnings
        assert "samples as listed on 20" in since
        assert f"what changed since is not seen; `{MAKE}`" in since
        assert "left out when it was made" in warning
        assert "found 3 without (00000005/mask_clip0000_instance0000_ori_mask.mkv, " in warning
    # Twelve masks of add, by a hash of their ids: the first six are not those of three videos.
    assert len({c.source_video for c in before["add"][:6]}) > 3


def test_a_folder_without_samples_says_what_was_looked_for(tmp_path: Path) -> None:
    put(tmp_path / "readme.md", "hello")
    with pytest.raises(
        InputError, match=r"mask_clip0000_\{instance\|remove\}0000_.* found 1 \(readme\.md\); check --data"
    ):
        found(tmp_path, "add")


def test_an_id_twice(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path / "images", tree(files))
    write(tmp_path / "videos", tree(files))
    with pytest.raises(InputError, match=r"each id once, found 00049967_clip0000_.* again; give one part of the set"):
        found(tmp_path, "add")


def test_damaged_shards_cost_only_themselves(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name in ("a", "b"):
        write_tar(tmp_path / f"{name}.tar", tree(files, f"0000000{name == 'b':d}"))
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:4000])
    put(tmp_path / "sub/c.parquet", "no parquet")
    with tarfile.open(tmp_path / "d.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("x"))
    candidates, report = found(tmp_path, "delete")
    assert [c.source_video for c in candidates] == ["00000001"]
    assert [str(p).removeprefix(f"{tmp_path}/").partition(", found")[0] for p in report.problems] == [
        "a.tar: expected a whole tar",
        "d.tar.gz: expected a shard that is not compressed as a whole",
        "sub/c.parquet: expected a whole parquet file",
    ]
    (tmp_path / "b.tar").unlink()
    with pytest.raises(InputError, match="3 problems"):
        found(tmp_path, "delete")


def test_names_and_captions_that_no_table_can_hold(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path, tree(files, "v\udcff") | tree(files, "00000002"))
    candidates, report = found(tmp_path, "delete")
    assert [c.source_video for c in candidates] == ["00000002"]
    assert "expected names of files in UTF-8, found 3 without" in str(report.problems[0])
    paths = {"source": "00000002/source_video.mkv", "mask": "00000002/mask_clip0000_instance0000_ori_mask.mkv"}
    put(tmp_path / "list.jsonl", "\ufeff" + json.dumps(paths | {"caption": "a dog"}) + "\n")
    assert [c.prompt for c in found(tmp_path, "add")[0]] == ["a dog"]
    put(tmp_path / "list.jsonl", json.dumps(paths | {"caption": ["a", "dog"]}))
    with pytest.raises(InputError, match="expected a caption that is one text with each sample"):
        found(tmp_path, "add")
    for broken in ('{"caption": "\\ud800"}', "[" * 100_000):
        put(tmp_path / "list.jsonl", broken)
        with pytest.raises(InputError, match="expected a list of samples"):
            found(tmp_path, "add")


def test_masks_of_several_clips_do_not_share_a_source(tmp_path: Path, files: dict[str, bytes]) -> None:
    content = tree(files, source="source_video_clip0000.mkv")
    content["00049967/mask_clip0001_remove0000_ori_mask.mkv"] = files["mask.mkv"]
    content["videos/00049967.mkv"] = files["source.mkv"]
    write(tmp_path, content)
    candidates, report = found(tmp_path, "delete")
    assert {c.source for c in candidates} == {"00049967/source_video_clip0000.mkv"}
    (problem,) = report.problems
    assert "the clip's own where masks are of several clips" in str(problem)
    assert "found 1 without (00049967/mask_clip0001_remove0000_ori_mask.mkv)" in str(problem)


def test_another_reference_than_the_source_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name in ("source.mkv", "mask.mkv", "reference.mkv"):
        put(tmp_path / "list" / name, files[name if name != "reference.mkv" else "source.mkv"])
    entry = {"source": "source.mkv", "mask": "mask.mkv", "caption": "a dog", "reference": "reference.mkv"}
    put(tmp_path / "list" / "list.jsonl", json.dumps(entry))
    members = {"0.mkv": files["source.mkv"], "0.mask.mkv": files["mask.mkv"], "0.txt": b"a dog"}
    write_tar(tmp_path / "tar" / "a.tar", {**members, "0.reference.mkv": files["source.mkv"]})
    for place in ("list", "tar"):
        with pytest.raises(InputError, match=r"their own reference under a hidden hole.*by --suite folder"):
            found(tmp_path / place, "add")
    put(tmp_path / "list" / "list.jsonl", json.dumps(entry | {"reference": "source.mkv"}))
    assert len(found(tmp_path / "list", "add")[0]) == 1


def test_lists_in_other_hands(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name in ("a.mkv", "a_area.mkv"):
        put(tmp_path / "videos" / name, files["source.mkv" if name == "a.mkv" else "mask.mkv"])
    rows = ["ID,Video,Mask,Caption", *(f"{i},./videos/a.mkv,./videos/a_area.mkv,a dog" for i in range(2))]
    put(tmp_path / "list.csv", "\n".join(rows))
    candidates, _ = found(tmp_path, "add")
    assert sorted(c.id for c in candidates) == ["0", "1"]
    assert {(c.source, c.source_video) for c in candidates} == {("videos/a.mkv", "videos/a.mkv")}
    put(tmp_path / "list.csv", "\n".join(row.replace(",", ";") for row in rows))
    with pytest.raises(InputError, match="columns source, mask and prompt, separated by commas"):
        found(tmp_path, "add")


def test_shards_of_one_name_and_what_systems_leave(tmp_path: Path, files: dict[str, bytes]) -> None:
    members = {"0.mkv": files["source.mkv"], "0.mask.mkv": files["mask.mkv"], "0.json": b'{"task": "delete"}'}
    for folder in ("a", "b"):
        write_tar(tmp_path / folder / "0.tar", members | {"__MACOSX/0.mkv": b"", "__MACOSX/._0.mask.mkv": b""})
    put(tmp_path / "__MACOSX" / "00000001" / "mask.mkv", b"")
    write(tmp_path, tree(files))
    put(tmp_path / "00049967/.ipynb_checkpoints/mask_clip0000_remove0000_ori_mask.mkv", files["mask.mkv"])
    candidates, report = found(tmp_path, "delete")
    assert report.problems == []
    assert sorted(c.id for c in candidates) == ["00049967_clip0000_remove0000_convexHull_mask", "a_0_0", "b_0_0"]


def test_what_is_in_a_shard_is_read_or_reported(tmp_path: Path, files: dict[str, bytes]) -> None:
    whole = {"0.mkv": files["source.mkv"], "0.mask.mkv": files["mask.mkv"], "0.json": b'{"task": "delete"}'}
    thumbnail = {"0.jpg": files["image.png"]}
    twice = {"1.mkv": files["source.mkv"], "1.mp4": files["source.mkv"], "1.mask.mkv": files["mask.mkv"]}
    dots = {"b.1.mkv": files["source.mkv"], "b.1.mask.mkv": files["mask.mkv"]}
    write_tar(tmp_path / "a.tar", whole | thumbnail | twice | dots)
    candidates, report = found(tmp_path, "delete")
    assert [c.source for c in candidates] == ["a.tar::0.mkv"]
    said = sorted(str(problem) for problem in report.problems)
    assert len(said) == 2
    assert "a key ends at the first dot), found 1 without (a.tar::b)" in said[0]
    assert "one source and one mask with each key, found 1 without (a.tar::1)" in said[1]


def test_a_folder_that_is_a_link_is_reported(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path / "data", tree(files))
    write(tmp_path / "elsewhere", tree(files, "00000001"))
    (tmp_path / "data" / "00000001").symlink_to(tmp_path / "elsewhere" / "00000001")
    candidates, report = found(tmp_path / "data", "delete")
    assert len(candidates) == 1
    assert "expected folders, not links to folders, found 1 without (00000001)" in str(report.problems[0])


def test_a_caption_in_parquet_that_is_not_utf8(tmp_path: Path, files: dict[str, bytes]) -> None:
    ends = pa.py_buffer(np.array([0, 2], np.int32).tobytes())
    caption = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(b"\xff\xfe")])
    columns = {"video": [files["source.mkv"]], "mask": [files["mask.mkv"]], "caption": caption}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: expected a whole parquet file"):
        found(tmp_path, "add")


def test_an_error_names_the_data_folder_and_not_a_temporary_one(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path / "images", tree(files))
    write(tmp_path / "videos", tree(files))
    with pytest.raises(InputError) as caught:
        found(tmp_path, "add")
    assert caught.value.path == str(tmp_path)


def test_a_task_that_the_copy_lacks_is_left_out_of_all(tmp_path: Path, files: dict[str, bytes]) -> None:
    write(tmp_path, {name: content for name, content in tree(files).items() if "remove" not in name})
    assert [loaded.split.task for loaded in load_splits("vivid10m", TASKS, tmp_path)] == ["add", "modify"]
