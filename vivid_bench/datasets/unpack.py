"""Archives of data sets (zip, tar, and tar under gzip, bzip2 or xz), unpacked as if their maker meant harm."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, cast

from vivid_bench.datasets.listing import is_leftover
from vivid_bench.downloads import AGAIN, CHUNK_BYTES, Advance, Show, check_room
from vivid_bench.errors import InputError
from vivid_bench.files import disk_errors_named
from vivid_bench.shards import ZIP_ERRORS, check_end
from vivid_bench.submission.names import MAX_NAME_BYTES, is_plain, shown

_ENCRYPTED = 0x1
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
# What the libraries raise on damaged input.
_DAMAGE = (*ZIP_ERRORS, tarfile.TarError)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    flaw: str | None
    open: Callable[[], IO[bytes]]


def name_flaw(name: str) -> str | None:
    """Say why a file from elsewhere cannot be called so below a folder of ours; None where it can."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\\" in name or PureWindowsPath(name).drive:
        return "a path that leads out of the folder"
    if not is_plain(name):
        return "a name with control or formatting characters, or that is not UTF-8"
    if any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        return f"a name of more than {MAX_NAME_BYTES} bytes"
    return None


def is_hidden(name: str) -> bool:
    """Whether a file is one that systems leave behind (`.DS_Store`, `__MACOSX/…`, `.gitattributes`), and no data."""
    return any(is_leftover(part) and part != ".." for part in PurePosixPath(name).parts)


def unpack(archive: Path, into: Path, show: Show) -> None:
    """Copy an archive's files into an empty folder, after all their names are checked; hidden ones are left out.

    Raises:
        InputError: it is no archive, or damaged, and is then removed; it has links, devices, encrypted members, two
            files of one name or names that lead elsewhere, and then nothing is unpacked; the disk has no room.
    """
    try:
        with _members(archive) as members:
            _check(archive, members)
            total = sum(member.size for member in members)
            check_room(into, total)
            with show(f"unpack {archive.name}", total) as advance:
                for member in members:
                    _copy(member, into / PurePosixPath(member.name), advance)
    except _DAMAGE as error:
        archive.unlink()
        found = f"damage ({shown(str(error)) or type(error).__name__}), so it was removed"
        raise InputError(archive, expected="a zip or tar archive", found=found, fix=AGAIN) from error


def _check(archive: Path, members: list[_Member]) -> None:
    flaws = [f"{shown(m.name)} ({flaw})" for m in members if (flaw := m.flaw or name_flaw(m.name))]
    names = [PurePosixPath(member.name) for member in members]
    if len(set(names)) < len(names):
        flaws.append("two files of one name")
    if flaws:
        more = f" and {len(flaws) - 3} more" if len(flaws) > 3 else ""
        fix = "nothing was unpacked; if you trust its makers, unpack it yourself"
        raise InputError(archive, expected="plain files below one folder", found=", ".join(flaws[:3]) + more, fix=fix)


def _copy(member: _Member, path: Path, advance: Advance) -> None:
    with disk_errors_named(path), member.open() as source:
        path.parent.mkdir(parents=True, exist_ok=True)
        left = member.size
        with path.open("xb") as target:
            while chunk := source.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    break
                target.write(chunk)
                advance(len(chunk))
    if left:
        raise EOFError(f"{member.name}: not the {member.size} bytes announced")


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    with archive.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    if is_zip:
        with zipfile.ZipFile(archive) as opened:
            infos = [info for info in opened.infolist() if not info.is_dir() and not _left_out(info.filename)]
            yield [_Member(i.orig_filename, i.file_size, _zip_flaw(i), partial(opened.open, i)) for i in infos]
        return
    # The first pass reads a compressed tar through: its table of contents is spread over it.
    with tarfile.open(archive) as tar:
        members = [member for member in tar if not member.isdir() and not _left_out(member.name)]
        check_end(tar, _content(tar))
        yield [_Member(m.name, m.size, _tar_flaw(m), partial(_open, tar, m)) for m in members]


def _content(tar: tarfile.TarFile) -> IO[bytes]:
    """Return what a tar is read from, unpacked."""
    assert tar.fileobj is not None, "an open tar"
    return cast(IO[bytes], tar.fileobj)


def _left_out(name: str) -> bool:
    return is_hidden(name) and not name_flaw(name)


def _zip_flaw(info: zipfile.ZipInfo) -> str | None:
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if info.compress_type not in _COMPRESSIONS:
        return "a compression that Python cannot read"
    return "a name that is cut off" if info.orig_filename != info.filename else None


def _tar_flaw(member: tarfile.TarInfo) -> str | None:
    return None if member.isreg() else "a link or a device"


def _open(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = tar.extractfile(member)
    assert opened is not None, "a regular file"
    return opened
