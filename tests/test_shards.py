from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clips import box_mask, mask_video, moving_clip

from vivid_bench.clip_files import content_sha256, read_clip, read_mask
from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.shards import members, read_member
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import FileRef, Sample, Span, Split
from vivid_bench.video import write_lossless


def write_tar(path: Path, files: dict[str, bytes], *others: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in others:
            tar.addfile(info)
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def png(frame: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", frame[..., ::-1] if frame.ndim == 3 else frame)[1])


def test_members_of_a_tar_and_of_a_zip(tmp_path: Path) -> None:
    files = {"a.txt": b"first", "b/c.txt": b"second", "empty": b""}
    write_tar(tmp_path / "s.tar", {f"./{name}": content for name, content in files.items()})
    write_zip(tmp_path / "s.zip", files)
    for shard in ("s.tar", "s.zip"):
        assert list(members(tmp_path / shard)) == list(files)
        assert {name: read_member(tmp_path, f"{shard}::{name}") for name in files} == files


def test_a_tar_is_scanned_once_and_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tar(tmp_path / "s.tar", {f"{i}.txt": str(i).encode() for i in range(50)})
    opened = []
    whole = tarfile.open

    def count(*arguments: object, **named: object) -> tarfile.TarFile:
        opened.append(arguments)
        return whole(*arguments, **named)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(tarfile, "open", count)
    assert [read_member(tmp_path, f"s.tar::{i}.txt") for i in range(50)] == [str(i).encode() for i in range(50)]
    assert len(opened) == 1
    monkeypatch.undo()
    write_tar(path, {"0.txt": b"another, longer"})
    assert read_member(tmp_path, "s.tar::0.txt") == b"another, longer"


@pytest.mark.parametrize(
    ("info", "found"),
    [
        (special("x", tarfile.SYMTYPE, "/etc/passwd"), "a link"),
        (special("x", tarfile.LNKTYPE, "plain"), "a link"),
        (special("x", tarfile.CHRTYPE), "a device"),
        (special("x", tarfile.FIFOTYPE), "a device"),
        (special("/x", tarfile.REGTYPE), "leads out of the shard"),
        (special("../x", tarfile.REGTYPE), "leads out of the shard"),
        (special("plain", tarfile.REGTYPE), "two members"),
        (special("x", tarfile.DIRTYPE), "no such member"),
    ],
)
def test_what_is_no_plain_file_of_a_tar_is_refused(tmp_path: Path, info: tarfile.TarInfo, found: str) -> None:
    write_tar(tmp_path / "s.tar", {"plain": b"1"}, info)
    assert list(members(tmp_path / "s.tar")) == ([] if info.name == "plain" else ["plain"])
    with pytest.raises(InputError, match=found):
        read_member(tmp_path, f"s.tar::{info.name}")


def test_what_is_no_plain_file_of_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("/absolute", "1")
        archive.writestr("../out", "1")
        archive.mkdir("folder")
        archive.writestr("plain", "1")
    assert list(members(tmp_path / "s.zip")) == ["plain"]
    for name, found in (("link", "a link"), ("/absolute", "leads out"), ("../out", "leads out"), ("folder/", "folder")):
        with pytest.raises(InputError, match=found):
            read_member(tmp_path, f"s.zip::{name}")


@pytest.mark.parametrize("name", ["s.tar.gz", "s.tgz", "s.tar"])
def test_a_compressed_tar_is_refused_with_the_fix(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / name, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a"))
    with pytest.raises(InputError, match=r"not compressed as a whole, found \.\w+; `gunzip` it once"):
        read_member(tmp_path, f"{name}::a")


def test_damaged_and_missing_shards(tmp_path: Path) -> None:
    files = {name: bytes(3000) for name in "abc"}
    whole = write_tar(tmp_path / "s.tar", files).read_bytes()
    # Inside the last member's content, at its end (no end mark), and a header in the middle overwritten.
    cuts = {"in": whole[:9000], "end": whole[: 3 * 3584], "mid": whole[:3584] + b"\xff" * 512 + whole[4096:]}
    for name, content in cuts.items():
        (tmp_path / f"{name}.tar").write_bytes(content)
        with pytest.raises(InputError, match="a whole tar, found a damaged one"):
            read_member(tmp_path, f"{name}.tar::a")
    archive = write_zip(tmp_path / "s.zip", {"a": bytes(range(256)) * 20}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(archive[:-30])
    (tmp_path / "flip.zip").write_bytes(archive[:60] + bytes([archive[60] ^ 255]) + archive[61:])
    pq.write_table(pa.table({"image": [b"1"]}), tmp_path / "s.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "s.parquet").read_bytes()[:-5])
    for shard, kind in (("cut.zip::a", "zip"), ("flip.zip::a", "zip"), ("cut.parquet::0/image", "parquet file")):
        with pytest.raises(InputError, match=f"a whole {kind}, found a damaged one"):
            read_member(tmp_path, shard)
    with pytest.raises(InputError, match="expected a shard, found nothing"):
        read_member(tmp_path, "none.tar::a")
    with pytest.raises(InputError, match="expected a file z in it, found no such member"):
        read_member(tmp_path, "s.tar::z")
    (tmp_path / "text.txt").write_text("1")
    with pytest.raises(InputError, match=r"expected a shard \(\.tar, \.zip, \.parquet\), found \.txt"):
        read_member(tmp_path, "text.txt::z")


def test_cells_of_a_parquet_file_plain_and_in_structs(tmp_path: Path) -> None:
    rows = 25
    table = pa.table(
        {
            "mask": [bytes([i]) for i in range(rows)],
            "video": [{"bytes": b"v%d" % i if i else None, "path": f"{i}.mp4"} for i in range(rows)],
            "text": ["t"] * rows,
            "large": pa.array([b"l%d" % i for i in range(rows)], pa.large_binary()),
        }
    )
    pq.write_table(table, tmp_path / "s.parquet", row_group_size=10)
    assert [read_member(tmp_path, f"s.parquet::{i}/mask") for i in range(rows)] == [bytes([i]) for i in range(rows)]
    assert read_member(tmp_path, "s.parquet::24/video") == b"v24"
    assert read_member(tmp_path, "s.parquet::9/large") == b"l9"
    assert list(members(tmp_path / "s.parquet"))[:4] == ["0/mask", "0/video", "0/large", "1/mask"]
    for member, found in (
        ("0/video", "a path without bytes"),
        ("25/mask", "25 rows"),
        ("-1/mask", "25 rows"),
        ("0/text", "columns of bytes: mask, video, large"),
        ("0/none", "columns of bytes"),
    ):
        with pytest.raises(InputError, match=found):
            read_member(tmp_path, f"s.parquet::{member}")


def test_only_the_row_group_that_holds_the_row_is_read(tmp_path: Path) -> None:
    cells = [np.random.default_rng(i).bytes(20_000) for i in range(8)]
    path = tmp_path / "s.parquet"
    pq.write_table(pa.table({"image": cells}), path, row_group_size=2, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    # With all other groups overwritten, the third is still read.
    first, last = content.index(cells[4][:64]), content.index(cells[6][:64])
    content[1000 : first - 1000] = bytes(first - 2000)
    content[last : last + 30_000] = bytes(30_000)
    path.write_bytes(content)
    assert read_member(tmp_path, "s.parquet::4/image") == cells[4]


def test_clips_are_read_from_shards(tmp_path: Path) -> None:
    clip, mask = moving_clip(), box_mask(5, 24, 32)
    write_lossless(tmp_path / "source.mkv", clip, 24.0)
    write_lossless(tmp_path / "mask.mkv", mask_video(mask), 24.0)
    files = {name: (tmp_path / name).read_bytes() for name in ("source.mkv", "mask.mkv")}
    write_tar(tmp_path / "s.tar", {f"a.{name}": content for name, content in files.items()})
    assert np.array_equal(read_clip(tmp_path, "s.tar::a.source.mkv").frames, clip)
    assert np.array_equal(read_clip(tmp_path, "s.tar::a.source.mkv", Span(first=1, step=2), 2).frames, clip[1::2])
    assert np.array_equal(read_clip(tmp_path, "s.tar::a.source.mkv", None, 3).frames, clip[:3])
    assert np.array_equal(read_mask(tmp_path, "s.tar::a.mask.mkv")[0], mask)
    table = pa.table({"image": [{"bytes": png(clip[2]), "path": None}], "mask": [png(np.uint8(255) * mask[0])]})
    pq.write_table(table, tmp_path / "s.parquet")
    image = read_clip(tmp_path, "s.parquet::0/image")
    assert np.array_equal(image.frames, clip[2:3])
    assert image.codec == "png"
    assert np.array_equal(read_mask(tmp_path, "s.parquet::0/mask")[0], mask[:1])
    write_tar(tmp_path / "bad.tar", {"a.mp4": b"no video at all", "b.mp4": files["source.mkv"][:900]})
    for name in ("a", "b"):
        with pytest.raises(InputError, match=f"bad.tar::{name}.mp4: expected"):
            read_clip(tmp_path, f"bad.tar::{name}.mp4")


def test_a_sample_in_a_shard_is_checked_against_its_hash(tmp_path: Path) -> None:
    clip, mask = moving_clip(), box_mask(5, 24, 32)
    write_lossless(tmp_path / "source.mkv", clip, 24.0)
    write_lossless(tmp_path / "mask.mkv", mask_video(mask), 24.0)
    files = {name: (tmp_path / name).read_bytes() for name in ("source.mkv", "mask.mkv")}
    write_tar(tmp_path / "s.tar", files)
    paths = {name: f"s.tar::{name}" for name in files}
    assert all(content_sha256(tmp_path, path) == sha256_path(tmp_path / name) for name, path in paths.items())
    source, masked = (FileRef(path=path, sha256=content_sha256(tmp_path, path)) for path in paths.values())
    sample = Sample(
        id="a", task="delete", source=source, mask=masked, reference=source, prompt="x", frames=5, height=24, width=32,
        fps=24.0, hole="hidden", source_video="a",
    )  # fmt: skip
    split = Split(suite="t", task="delete", version="1", sha256="0", samples=(sample,), metrics=(), main_metric="x")
    arrays = LoadedSplit(split, tmp_path).read(sample)
    assert np.array_equal(arrays.source, clip)
    assert np.array_equal(arrays.mask, mask)
    write_tar(tmp_path / "s.tar", {**files, "source.mkv": files["mask.mkv"]})
    with pytest.raises(InputError, match=r"s\.tar::source\.mkv: expected sha256"):
        LoadedSplit(split, tmp_path).read(sample)


def test_a_tar_behind_the_end_of_another_is_not_passed_over(tmp_path: Path) -> None:
    first, second = (write_tar(tmp_path / f"{name}.tar", {name: b"x"}).read_bytes() for name in "ab")
    (tmp_path / "both.tar").write_bytes(first + second)
    with pytest.raises(InputError, match="more after its end mark, such as a second tar"):
        list(members(tmp_path / "both.tar"))


@pytest.mark.parametrize("place", [60, -20])
def test_a_zip_damaged_anywhere_is_named(tmp_path: Path, place: int) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", bytes(range(256)) * 20)
    content = bytearray((tmp_path / "s.zip").read_bytes())
    content[place : place + 8] = b"\xff" * 8
    (tmp_path / "s.zip").write_bytes(content)
    with pytest.raises(InputError, match="expected a whole zip, found a damaged one"):
        read_member(tmp_path, "s.zip::a")
