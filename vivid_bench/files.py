"""Files: written whole or not at all, and known by their content."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vivid_bench.errors import InputError

TEMPORARY_SUFFIX = ".tmp"

_SAMPLE_BYTES = 2**16
_SAMPLE_EVERY = 2**26

_FIXES = {
    errno.ENOSPC: ("room on the disk", "a full disk", "free some space and start the same command again"),
    errno.EDQUOT: ("room in the quota", "a used-up quota", "free some space and start the same command again"),
    errno.EFBIG: (
        "room for a file",
        "a limit on files' sizes",
        "raise it (`ulimit -f`) and start the same command again",
    ),
    errno.EACCES: ("a writable folder", "no permission", "change its permissions or choose another --out"),
    errno.EROFS: ("a writable folder", "a read-only file system", "choose another --out"),
    errno.ENOTDIR: ("a folder", "a file in its place", "choose another --out"),
    errno.EISDIR: ("a file", "a folder in its place", "name a file in it"),
    errno.EEXIST: ("a folder", "a file in its place", "choose another --out"),
    errno.ENAMETOOLONG: ("a shorter path", "one that the file system refuses", "shorten the sample's id or --out"),
}


@contextmanager
def disk_errors_named(path: Path) -> Iterator[None]:
    """Turn what a disk refuses inside the block into an `InputError` about `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FIXES:
            raise
        expected, found, fix = _FIXES[error.errno]
        raise InputError(path, expected=expected, found=found, fix=fix) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; on success flush it to disk and rename it, else remove it.

    Raises `InputError` for a full disk, missing permissions and the like.
    """
    temporary = path.parent / f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}"
    try:
        with disk_errors_named(path):
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed processes left below a folder."""
    for leftover in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def canonical_json(value: Any) -> str:
    """Return the one spelling of a JSON value that hashes are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_text(text: str) -> str:
    """Return the hash of UTF-8 text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_path(path: Path) -> str:
    """Return the hash of a file, or of a folder: of its visible files' sorted relative names and hashes."""
    if path.is_dir():
        return sha256_files(path, (p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_files(root: Path, paths: Iterable[Path]) -> str:
    """Return one hash of several files, by their names below `root` and their content."""
    lines = sorted(f"{path.relative_to(root).as_posix()} {sha256_path(path)}" for path in paths)
    return sha256_text("\n".join(lines))


def fingerprint(roots: Iterable[Path]) -> str:
    """Return a quick mark of weights too large to hash for every run.

    It is a hash of all files' names and sizes, and of samples of each: networks of one shape have files of one size. It
    tells versions apart, and proves nothing.
    """
    lines = []
    for root in roots:
        files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
        for path in files:
            name = path.relative_to(root).as_posix() if root.is_dir() else path.name
            if any(part.startswith(".") for part in Path(name).parts):
                continue
            lines.append(f"{name} {path.stat().st_size} {sha256_sampled(path)}")
    return sha256_text("\n".join(sorted(lines)))


def sha256_sampled(path: Path) -> str:
    """Return a hash of a file's first 64 KiB of every 64 MiB and of its end; of a file below 64 MiB, of all of it."""
    size, digest = path.stat().st_size, hashlib.sha256()
    with path.open("rb") as file:
        if size < _SAMPLE_EVERY:
            digest.update(file.read())
        else:
            for start in (*range(0, size, _SAMPLE_EVERY), size - _SAMPLE_BYTES):
                file.seek(start)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
