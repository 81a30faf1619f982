"""Archives made to do harm: each is refused, with nothing written outside the folder, and the rest still unpacked."""

from __future__ import annotations

import os
import stat
import struct
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.submission import archive as archives
from vivid_bench.submission.archive import unpack, write_archive

RUN = "records/mini/delete/mine/0123456789ab"
GOOD = f"{RUN}/edits/clip.mkv"


def member(name: str, mode: int = stat.S_IFREG | 0o644, **attributes: object) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def make(path: Path, *members: tuple[zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there already
        for info, content in members:
            archive.writestr(info, content)
    return path


def flaws(source: Path, tmp_path: Path) -> list[str]:
    """Unpack into a folder and return the problems; whatever happens, nothing may appear beside the folder."""
    into = tmp_path / "jail" / "into"
    into.mkdir(parents=True)
    unpacked = unpack(source, into)
    assert sorted(p.name for p in (tmp_path / "jail").iterdir()) == ["into"]
    on_disk = {p.relative_to(into).as_posix() for p in into.rglob("*") if not p.is_dir()}
    assert on_disk == unpacked.files.keys()
    assert not any(p.is_symlink() for p in into.rglob("*"))
    for name, content in unpacked.files.items():
        assert sha256_path(into / name) == content.sha256
    return [str(problem) for problem in unpacked.problems]


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.mkv",
        f"{RUN}/edits/../../../../../../escaped.mkv",
        "/tmp/escaped.mkv",
        "//tmp/escaped.mkv",
        "C:/escaped.mkv",
        "..\\escaped.mkv",
        f"{RUN}/edits/./clip.mkv",
        f"{RUN}//edits/clip.mkv",
        f"{RUN}/edits/.hidden.mkv",
        f"{RUN}/edits/<script>alert(1)</script>.mkv",
        f"{RUN}/edits/<img src=x onerror=alert(1)>.mkv",
        f"{RUN}/edits/$(touch x)|`touch x`.mkv",
        f"{RUN}/edits/\x1b[31mred.mkv",
        f"{RUN}/edits/a\nb.mkv",
        f"{RUN}/edits/\u202egpj.mkv",
        f"{RUN}/edits/aux.mkv",
        f"{RUN}/edits/clip.mkv.",
        f"{RUN}/edits/{'a' * 300}.mkv",
        f"{RUN}/edits/a/b/c.mkv",
        f"{RUN}/parts/scores/clip.jsonl",
        "method.py",
        "records/mini/delete/mine/run.json",
    ],
)
def test_names_that_are_refused(tmp_path: Path, name: str) -> None:
    source = make(tmp_path / "a.zip", (member(name), b"x"), (member(GOOD), b"good"))
    (problem,) = flaws(source, tmp_path)
    assert problem.isprintable()
    assert (tmp_path / "jail/into" / GOOD).read_bytes() == b"good"


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK], ids=lambda kind: oct(kind)
)
def test_links_and_devices(tmp_path: Path, kind: int) -> None:
    source = make(tmp_path / "a.zip", (member(GOOD, kind | 0o777), b"/etc/passwd"))
    (problem,) = flaws(source, tmp_path)
    assert "found a link or a device" in problem


def test_folder_entry(tmp_path: Path) -> None:
    (problem,) = flaws(make(tmp_path / "a.zip", (member(f"{RUN}/edits/"), b"")), tmp_path)
    assert "found a folder" in problem


def test_links_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    (folder / RUN / "edits").mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / GOOD).symlink_to(secret)
    (folder / "records" / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "manifest.json")
    problems = flaws(folder, tmp_path)
    assert len(problems) == 3
    assert all("found a link or a device" in problem for problem in problems)


def test_bomb(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member(GOOD, compress_type=zipfile.ZIP_DEFLATED), b"\0" * 10_000_000))
    assert source.stat().st_size < 20_000
    (problem,) = flaws(source, tmp_path)
    assert "found a compressed file" in problem


def test_files_that_lie_over_each_other(tmp_path: Path) -> None:
    """A member's table entry repeated: each claims the same bytes, so that together they weigh more than the zip."""
    source = make(tmp_path / "a.zip", (member(GOOD), b"x" * 10_000))
    content = source.read_bytes()
    start = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    entry = content[start:end]
    count = 50
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entry) * count, start, 0)
    source.write_bytes(content[:start] + entry * count + tail)
    with pytest.raises(InputError, match="files that weigh more than its"):
        flaws(source, tmp_path)


def test_announced_sizes(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member(GOOD), b"x" * 1000))
    content = bytearray(source.read_bytes())
    start = content.index(b"PK\1\2")
    content[start + 20 : start + 28] = struct.pack("<2L", 500, 500)  # half of what is there
    source.write_bytes(content)
    (problem,) = flaws(source, tmp_path)
    assert "found damage" in problem


def test_member_before_the_start(tmp_path: Path) -> None:
    """A table of contents that is said to begin later than it does puts every member at a negative offset."""
    source = make(tmp_path / "a.zip", (member(GOOD), b"x" * 1000))
    content = bytearray(source.read_bytes())
    end = content.index(b"PK\5\6")
    content[end + 16 : end + 20] = struct.pack("<L", end)
    source.write_bytes(content)
    (problem,) = flaws(source, tmp_path)
    assert "found damage" in problem


def test_file_that_is_too_large(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member("method.toml"), b"#" * (64 * 1024 + 1)))
    (problem,) = flaws(source, tmp_path)
    assert "found 65,537 bytes, more than 65,536" in problem


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    source = make(tmp_path / "a.zip", *((member(f"{RUN}/edits/{i}.mkv"), b"") for i in range(4)))
    with pytest.raises(InputError, match="at most 3 files, found 4 files"):
        flaws(source, tmp_path)


def test_table_of_contents_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 50)
    with pytest.raises(InputError, match="found a table of contents of"):
        flaws(make(tmp_path / "a.zip", (member(GOOD), b"")), tmp_path)


def test_second_table_of_contents(tmp_path: Path) -> None:
    """A zip64 locator that points somewhere else than right before it: readers would disagree."""
    content = make(tmp_path / "a.zip", (member(GOOD), b"x" * 200)).read_bytes()
    end = content.index(b"PK\5\6")
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    (tmp_path / "b.zip").write_bytes(content[:end] + locator + content[end:])
    with pytest.raises(InputError, match="tables of contents disagree"):
        flaws(tmp_path / "b.zip", tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GOOD, GOOD),
        (GOOD, f"{RUN}/edits/CLIP.mkv"),
        (f"{RUN}/edits/caf\u00e9.mkv", f"{RUN}/edits/cafe\u0301.mkv"),
        (f"{RUN}/edits/ﬁlm.mkv", f"{RUN}/edits/film.mkv"),
    ],
    ids=["same", "case", "accent", "ligature"],
)
def test_twins(tmp_path: Path, one: str, other: str) -> None:
    source = make(tmp_path / "a.zip", (member(one), b"1"), (member(other), b"2"))
    (problem,) = flaws(source, tmp_path)
    assert "found the same name as" in problem
    assert (tmp_path / "jail/into" / one).read_bytes() == b"1"


def test_file_and_folder_of_one_name(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member(f"{RUN}/edits/clip"), b"1"), (member(f"{RUN}/edits/clip/0.png"), b"2"))
    (problem,) = flaws(source, tmp_path)
    assert "a file and a folder of one name" in problem


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member(f"{RUN}/edits/caf\u00e9.mkv"), b"1"))
    content = source.read_bytes()
    (tmp_path / "b.zip").write_bytes(content.replace("caf\u00e9".encode(), b"caf\xff\xfe"))  # flag says UTF-8
    with pytest.raises(InputError, match="found a damaged one"):
        flaws(tmp_path / "b.zip", tmp_path)
    latin = content.replace(struct.pack("<H", 0x800), b"\0\0")
    (tmp_path / "c.zip").write_bytes(latin)
    (tmp_path / "again").mkdir()
    (problem,) = flaws(tmp_path / "c.zip", tmp_path / "again")
    assert "found a name that is not UTF-8" in problem


def test_name_with_a_nul(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member(GOOD.replace("clip", "c_ip")), b"1"))
    source.write_bytes(source.read_bytes().replace(b"c_ip", b"c\0ip"))
    (problem,) = flaws(source, tmp_path)
    assert "cut off" in problem


def test_encrypted(tmp_path: Path) -> None:
    source = make(tmp_path / "a.zip", (member(GOOD), b"1"))
    content = bytearray(source.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    source.write_bytes(content)
    (problem,) = flaws(source, tmp_path)
    assert "found an encrypted file" in problem


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\5\6", b"\x1f\x8b" + b"\0" * 200, b"ustar" * 200])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(
        InputError, match="expected a zip archive as `submit pack` writes it, found a truncated one, or"
    ):
        flaws(tmp_path / "a.zip", tmp_path)


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(InputError, match="expected room for 11 bytes, found 10; set TMPDIR"):
        flaws(make(tmp_path / "a.zip", (member(GOOD), b"x" * 11)), tmp_path)


def test_written_archives_are_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "clip.mkv"
    file.write_bytes(b"frames")
    for name in ("a.zip", "b.zip"):
        written = write_archive(tmp_path / name, [(GOOD, file)], lambda files: GOOD.encode())
        os.utime(file, (0, 1_500_000_000))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert written[GOOD].size == 6
    assert flaws(tmp_path / "a.zip", tmp_path) == []


def test_manifest_that_cannot_be_made_leaves_no_archive(tmp_path: Path) -> None:
    def refuse(files: object) -> bytes:
        raise InputError("clip.mkv", expected="a", found="b", fix="c")

    with pytest.raises(InputError):
        write_archive(tmp_path / "a.zip", [], refuse)
    assert list(tmp_path.iterdir()) == []
