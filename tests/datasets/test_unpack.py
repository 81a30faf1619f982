"""Archives, whole, damaged, and made to do harm."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from file_server import Shown

from vivid_bench.datasets.unpack import is_hidden, name_flaw, unpack
from vivid_bench.errors import InputError

FILES = {"set/a/00000.jpg": b"picture" * 50, "set/list.txt": b"a\n", "empty": b""}
HIDDEN = {".DS_Store": b"x", "__MACOSX/set/._list.txt": b"x", "set/.git": b"x"}


def as_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def as_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def unpacked(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "below" / "into"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_every_kind_gives_the_same_files(tmp_path: Path, into: Path, kind: str) -> None:
    files = FILES | HIDDEN
    archive = as_zip(tmp_path / "a", files) if kind == "zip" else as_tar(tmp_path / "a", files, kind)
    shown = Shown()
    unpack(archive, into, shown)
    assert unpacked(into) == FILES
    # 7 x 50 + 2 bytes.
    assert shown.downloads == {"unpack a": (352, 352)}


def test_a_tar_of_the_folder_it_was_made_in(tmp_path: Path, into: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        (tmp_path / "x").write_bytes(b"x")
        archive.add(tmp_path / "x", "./set/x")
        archive.add(into, "./")
    unpack(tmp_path / "a.tar", into, Shown())
    assert unpacked(into) == {"set/x": b"x"}


@pytest.mark.parametrize(
    "name", ["../evil", "set/../../evil", "/etc/evil", "..\\evil", "C:evil", "set/../.bashrc", "a/\x1b[2J", "n" * 256]
)
@pytest.mark.parametrize("make", [as_zip, as_tar])
def test_names_that_lead_elsewhere_unpack_nothing(tmp_path: Path, into: Path, name: str, make: object) -> None:
    archive = make(tmp_path / "a", FILES | {name: b"evil"})  # type: ignore[operator]
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=r"expected plain files below one folder, found .*; nothing was unpacked"):
        unpack(archive, into, Shown())
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path: Path, into: Path, kind: bytes) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        info = tarfile.TarInfo("set/link")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(InputError, match=r"set/link \(a link or a device\)"):
        unpack(archive, into, Shown())
    assert unpacked(into) == {}


def test_a_link_in_a_zip(tmp_path: Path, into: Path) -> None:
    info = zipfile.ZipInfo("set/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match=r"set/link \(a link or a device\)"):
        unpack(tmp_path / "a.zip", into, Shown())


def test_two_files_of_one_name(tmp_path: Path, into: Path) -> None:
    archive = as_tar(tmp_path / "a.tar", {"set/x": b"1", "./set//x": b"2"})
    with pytest.raises(InputError, match="two files of one name"):
        unpack(archive, into, Shown())


def test_a_file_and_a_folder_of_one_name(tmp_path: Path, into: Path) -> None:
    archive = as_tar(tmp_path / "a.tar", {"set": b"1", "set/x": b"2"})
    with pytest.raises(InputError, match=r"expected a folder, found a file in its place"):
        unpack(archive, into, Shown())


def test_a_file_longer_than_it_says(tmp_path: Path, into: Path) -> None:
    archive = as_zip(tmp_path / "a.zip", {"x": b"0" * 1000})
    content = archive.read_bytes()
    # The uncompressed size, in the local header and in the table of contents.
    archive.write_bytes(content.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(InputError, match="found damage"):
        unpack(archive, into, Shown())


@pytest.mark.parametrize("make", [as_zip, as_tar])
@pytest.mark.parametrize("keep", [0.0, 0.6])
def test_a_damaged_archive_is_removed(tmp_path: Path, into: Path, make: object, keep: float) -> None:
    archive = make(tmp_path / "a", {"x": bytes(range(256)) * 100})  # type: ignore[operator]
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match=r"found damage .* so it was removed; run the same command again"):
        unpack(archive, into, Shown())
    assert not archive.exists()


def test_a_web_page_in_place_of_an_archive(tmp_path: Path, into: Path) -> None:
    (tmp_path / "a.zip").write_text("<html>not found</html>" * 100)
    with pytest.raises(InputError, match="expected a zip or tar archive, found damage"):
        unpack(tmp_path / "a.zip", into, Shown())


def test_no_room_is_seen_before_unpacking(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = as_zip(tmp_path / "a.zip", {"x": b"0" * 100_000})
    assert archive.stat().st_size < 1000
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=99_999))
    with pytest.raises(InputError, match="of room"):
        unpack(archive, into, Shown())
    assert unpacked(into) == {}
    assert archive.exists()


@pytest.mark.parametrize(
    ("name", "ok"),
    [
        ("a/b.jpg", True),
        ("a/é ü?.jpg", True),
        ("", False),
        (".", False),
        ("..", False),
        ("a/..", False),
        ("\udcff", False),
    ],
)
def test_names(name: str, ok: bool) -> None:
    assert (name_flaw(name) is None) == ok


@pytest.mark.parametrize(("name", "hidden"), [("a/.b/c", True), (".a", True), ("a.b", False), ("../a", False)])
def test_hidden_names(name: str, hidden: bool) -> None:
    assert is_hidden(name) == hidden


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("harm", ["cut after a file", "another behind it"])
def test_a_tar_is_unpacked_whole_or_not_at_all(tmp_path: Path, into: Path, mode: str, harm: str) -> None:
    whole = as_tar(tmp_path / "whole.tar", FILES).read_bytes()
    content = whole[:1024] if harm == "cut after a file" else whole + whole
    archive = tmp_path / "set.tar"
    archive.write_bytes(gzip.compress(content) if mode == "w:gz" else content)
    with pytest.raises(InputError, match=r"expected a zip or tar archive, found damage .* end mark"):
        unpack(archive, into, Shown())
    assert (unpacked(into), archive.exists()) == ({}, False)
