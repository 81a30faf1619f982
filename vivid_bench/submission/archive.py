"""Archives: written byte for byte the same each time, and unpacked as if their maker meant harm.

A submission is a zip whose files are stored, not compressed (edits are compressed already): it unpacks to what it
weighs, so that no bomb fits in.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path, disk_errors_named
from vivid_bench.submission.names import MANIFEST, MAX_MEMBERS, folded, max_bytes, name_flaw, shown

MAX_DIRECTORY_BYTES = 64 * 2**20
"""Of a zip's table of contents."""

_CHUNK = 2**20
_END, _END_64_LOCATOR, _END_64 = b"PK\5\6", b"PK\6\7", b"PK\6\6"
_UTF8, _ENCRYPTED = 0x800, 0x1
# What zipfile raises on damaged input, beside BadZipFile.
_DAMAGE = (zipfile.BadZipFile, EOFError, OSError, struct.error, OverflowError, RuntimeError, ValueError)


class FileContent(NamedTuple):
    """How large a file is, and its hash."""

    size: int
    sha256: str


@dataclass
class Unpacked:
    """What came out of an archive: name -> content, each name checked, and an error for all that did not."""

    files: dict[str, FileContent] = field(default_factory=dict)
    problems: list[InputError] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    name: str
    size: int
    flaw: str | None
    open: Callable[[], IO[bytes]]


def write_archive(
    path: Path, files: Iterable[tuple[str, Path]], manifest_of: Callable[[dict[str, FileContent]], bytes]
) -> dict[str, FileContent]:
    """Write a zip of files, each read once, with the manifest at its end, and return what was written.

    Args:
        path: of the archive; it appears whole or not at all.
        files: names in the archive, and where the files lie.
        manifest_of: returns the manifest of the files' content; what it raises leaves no archive.
    """
    written: dict[str, FileContent] = {}
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, file in files:
            with file.open("rb") as source, archive.open(_info(name, file.stat().st_size), "w") as target:
                written[name] = _copy(source, target)
        manifest = manifest_of(written)
        with archive.open(_info(MANIFEST, len(manifest)), "w") as target:
            target.write(manifest)
    return written


def _info(name: str, size: int) -> zipfile.ZipInfo:
    # No time, no user and no system of the machine that packs: equal runs make equal archives.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.file_size = size
    return info


def _copy(source: IO[bytes], target: IO[bytes], limit: int | None = None) -> FileContent:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if limit is not None and size > limit:
            raise EOFError(f"more than the {limit} bytes announced")
        digest.update(chunk)
        target.write(chunk)
    return FileContent(size, digest.hexdigest())


def unpack(source: Path, into: Path) -> Unpacked:
    """Copy the files of an archive, or of an unpacked one's folder, into an empty folder; each is read once.

    Only regular files with a name that `name_flaw` passes are copied, none over another, none larger than it may be.
    Links, devices, compressed or encrypted members and twins of a name are problems, and so is whatever is damaged.

    Raises:
        InputError: it is no archive or folder, is truncated, has too many members or more bytes than it weighs.
    """
    unpacked = Unpacked()
    with _entries(source) as entries:
        _check_room(source, into, entries)
        known: dict[str, str] = {}
        folders: set[str] = set()
        for entry in entries:
            flaw = entry.flaw or name_flaw(entry.name) or _size_flaw(entry) or _twin(entry.name, known, folders)
            if flaw is None:
                flaw = _unpack_one(entry, into, unpacked)
            if flaw:
                unpacked.problems.append(
                    InputError(
                        shown(entry.name) or "(no name)", expected="a file as `submit pack` writes it", found=flaw,
                        fix="pack the runs again",
                    )
                )  # fmt: skip
    return unpacked


def _unpack_one(entry: _Entry, into: Path, unpacked: Unpacked) -> str | None:
    path = into / entry.name
    try:
        with entry.open() as source, disk_errors_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as target:
                content = _copy(source, target, entry.size)
        if content.size != entry.size:
            raise EOFError(f"{content.size} of {entry.size} bytes")
    except _DAMAGE as error:
        path.unlink(missing_ok=True)
        return f"damage ({shown(str(error))})"
    unpacked.files[entry.name] = content
    return None


def _size_flaw(entry: _Entry) -> str | None:
    limit = max_bytes(entry.name)
    return f"{entry.size:,} bytes, more than {limit:,}" if limit is not None and entry.size > limit else None


def _twin(name: str, known: dict[str, str], folders: set[str]) -> str | None:
    """Say which other member a file system could take this one for, or for a folder of; remember it otherwise."""
    key = folded(name)
    parts = key.split("/")
    above = {"/".join(parts[:end]) for end in range(1, len(parts))}
    if key in known:
        return f"the same name as {shown(known[key])}"
    if key in folders or above & known.keys():
        return "a file and a folder of one name"
    known[key] = name
    folders |= above
    return None


def _check_room(source: Path, into: Path, entries: list[_Entry]) -> None:
    if len(entries) > MAX_MEMBERS:
        _refuse(source, f"{len(entries):,} files", f"at most {MAX_MEMBERS:,} files")
    needed, free = sum(entry.size for entry in entries), shutil.disk_usage(into).free
    if needed > free:
        raise InputError(
            into, expected=f"room for {needed:,} bytes", found=f"{free:,}", fix="set TMPDIR to a larger disk"
        )


@contextmanager
def _entries(source: Path) -> Iterator[list[_Entry]]:
    if source.is_dir():
        yield _folder_entries(source)
        return
    if not source.is_file():
        raise InputError(source, expected="an archive or a folder", found="nothing", fix="check the path")
    with source.open("rb") as file:
        weight = _check_directory(source, file)
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            _refuse(source, f"a damaged one ({shown(str(error))})")
        entries = [_zip_entry(archive, info) for info in archive.infolist()]
        if sum(entry.size for entry in entries if entry.flaw is None) > weight:
            _refuse(source, f"files that weigh more than its {weight:,} bytes")
        yield entries


def _check_directory(source: Path, file: IO[bytes]) -> int:
    """Return an archive's weight; raises unless its table of contents is at its end and of a size fit to be read."""
    weight = file.seek(0, 2)
    file.seek(max(0, weight - 98))
    tail = file.read().rjust(98, b"\0")
    end = tail[-22:]
    if not end.startswith(_END) or end[-2:] != b"\0\0":
        _refuse(source, "a truncated one, or none")
    size: int = struct.unpack("<I", end[12:16])[0]
    if tail[-42:-38] == _END_64_LOCATOR:
        if tail[:4] != _END_64:
            _refuse(source, "one whose tables of contents disagree")
        size = struct.unpack("<Q", tail[40:48])[0]
    if size > MAX_DIRECTORY_BYTES:
        _refuse(source, f"a table of contents of {size:,} bytes")
    file.seek(0)
    return weight


def _refuse(source: Path, found: str, expected: str = "a zip archive as `submit pack` writes it") -> NoReturn:
    raise InputError(source, expected=expected, found=found, fix="pack the runs again, and send the archive whole")


def _zip_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Entry:
    kind = stat.S_IFMT(info.external_attr >> 16)
    flaw = None
    if info.is_dir():
        flaw = "a folder"
    elif kind not in (0, stat.S_IFREG):
        flaw = "a link or a device"
    elif info.flag_bits & _ENCRYPTED:
        flaw = "an encrypted file"
    elif info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        flaw = "a compressed file"
    elif info.orig_filename != info.filename:
        flaw = "a name that is cut off"
    elif not info.filename.isascii() and not info.flag_bits & _UTF8:
        flaw = "a name that is not UTF-8"
    return _Entry(info.orig_filename, info.file_size, flaw, partial(archive.open, info))


def _folder_entries(folder: Path) -> list[_Entry]:
    entries: list[_Entry] = []
    waiting = [folder]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
                continue
            flaw = None if stat.S_ISREG(status.st_mode) else "a link or a device"
            name = path.relative_to(folder).as_posix()
            entries.append(_Entry(name, status.st_size, flaw, partial(_open, path)))
            if len(entries) > MAX_MEMBERS:
                return entries
    return entries


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")
