from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from vivid_bench.errors import InputError
from vivid_bench.files import (
    atomic_path,
    canonical_json,
    fingerprint,
    sha256_path,
    sha256_sampled,
    sha256_text,
    write_text,
)


def test_write_text_leaves_only_the_file(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "grün\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "grün\n".encode()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "a full disk"), (errno.EACCES, "no permission"), (errno.EROFS, "read-only")]
)
def test_disk_errors_are_named(tmp_path: Path, code: int, words: str) -> None:
    def fail() -> None:
        with atomic_path(tmp_path / "a.txt"):
            raise OSError(code, "as the kernel says it")

    with pytest.raises(InputError, match=words):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path, Path(), Path("/")):
        with pytest.raises(InputError, match="expected a file, found a folder in its place"):
            write_text(path, "text")
    assert list(tmp_path.iterdir()) == []


def test_other_os_errors_pass(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_path(tmp_path / "a.txt"):
            raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        fail()


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "ü"}) == '{"a":"ü","b":[1,2.5]}'


def test_sha256_of_file_and_folder(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "b.txt").write_text("2")
    (tmp_path / "f" / "a.txt").write_text("1")
    (tmp_path / "f" / ".hidden").write_text("3")
    one, two = (hashlib.sha256(c).hexdigest() for c in (b"1", b"2"))
    assert sha256_path(tmp_path / "f" / "a.txt") == one
    assert sha256_path(tmp_path / "f") == sha256_text(f"a.txt {one}\nb.txt {two}")


def test_the_fingerprint_follows_names_sizes_and_both_ends(tmp_path: Path) -> None:
    def mark(content: bytes, name: str = "net.pth", folder: str = "weights") -> str:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        made = fingerprint([path.parent])
        path.unlink()
        return made

    large = bytes(3 * 2**20)
    assert mark(large, folder="elsewhere") == mark(large)
    others = [large[1:], b"x" + large[1:], large[1:] + b"x", b"", b"x"]
    assert len({mark(large), mark(large, "other.pth"), *map(mark, others)}) == 7


def test_a_sampled_hash_follows_all_of_a_small_file_and_the_middle_of_a_large_one(tmp_path: Path) -> None:
    for size, place in ((200_000, 100_000), (3 * 2**26, 2**26 + 5), (3 * 2**26, 3 * 2**26 - 1)):
        path = tmp_path / "weights"
        with path.open("wb") as stream:
            stream.truncate(size)
        before = sha256_sampled(path)
        with path.open("r+b") as stream:
            stream.seek(place)
            stream.write(b"x")
        assert sha256_sampled(path) != before
