"""Members of shards (tar, zip, parquet), read where they lie: nothing is unpacked to disk.

`shard.tar::name` and `shard.zip::name` name a member; `shard.parquet::row/column` the bytes in a cell, which may be a
struct `{bytes, path}`, as the package `datasets` stores images and videos. Where a tar's members lie is found in one
scan a process, not one a member.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import IO, Any

from vivid_bench.errors import InputError

MEMBER = "::"
SHARD_SUFFIXES = (".tar", ".zip", ".parquet")
MAX_MEMBER_BYTES = 2**31
"""Members are read whole into memory; no clip of a data set is larger."""

AGAIN = "download the shard again, whole"
_PACKED = {
    b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd",
}  # fmt: skip
_ROWS_AT_ONCE = 8
ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, struct.error, OverflowError, RuntimeError,
    ValueError,
)  # fmt: skip
"""What zipfile raises on damaged input; `RuntimeError` is that of a password or of a feature that Python lacks."""

_BUFFER_BYTES = 2**20

Places = dict[str, tuple[int, int]]  # member -> offset and size in bytes
Refused = dict[str, str]  # member -> what it is instead of a file


def read_member(root: Path, path: str) -> bytes:
    """Return a member's content.

    Args:
        root: the folder that `path` is relative to.
        path: `shard.tar::name`, `shard.zip::name` or `shard.parquet::row/column`.

    Raises:
        InputError: a shard or a member that is not there, damaged, compressed as a whole (`.tar.gz`), or no plain file:
            links, devices, names that are absolute or lead out of the shard.
    """
    name, _, member = path.partition(MEMBER)
    shard = root / name
    suffix = _checked_suffix(shard)
    if suffix == ".tar":
        return _read_from_tar(shard, member)
    if suffix == ".zip":
        return _read_from_zip(shard, member)
    return _read_from_parquet(shard, member)


def members(path: Path) -> Iterator[str]:
    """Yield what `read_member` takes after `::`, in the shard's order.

    Plain files only; of a parquet file, the cells of all columns that hold bytes. Raises `InputError` as `read_member`.
    """
    suffix = _checked_suffix(path)
    if suffix == ".tar":
        yield from _tar_index(*_stamp(path))[0]
    elif suffix == ".zip":
        for info in _opened_zip(*_stamp(path), os.getpid()).infolist():
            if _refusal_of_zipped(info) is None:
                yield info.filename
    else:
        with opened_parquet(path) as file:
            columns = byte_columns(file.schema_arrow)
            yield from (f"{row}/{column}" for row in range(file.metadata.num_rows) for column in columns)


@contextmanager
def opened_parquet(path: Path) -> Iterator[Any]:
    """Give a `pyarrow.parquet.ParquetFile` that keeps no more in memory than the pages in use.

    Raises `InputError`, from inside the block as well, for a file that is not there or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(path, "parquet file", error) from error


def byte_columns(schema: Any) -> list[str]:
    """Return the names of a pyarrow schema's columns that hold bytes, plain or in a struct `{bytes, path}`."""
    import pyarrow.types as kinds

    def holds_bytes(kind: Any) -> bool:
        return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind))

    def inside(kind: Any) -> Any:
        return kind.field("bytes").type if kinds.is_struct(kind) and kind.get_field_index("bytes") >= 0 else kind

    return [field.name for field in schema if holds_bytes(inside(field.type))]


def _checked_suffix(shard: Path) -> str:
    suffix = shard.suffix.lower()
    if not shard.is_file():
        raise InputError(shard, expected="a shard", found="nothing", fix="check the path, or download it")
    with shard.open("rb") as file:
        head = file.read(6)
    for magic, command in _PACKED.items():
        if head.startswith(magic):
            fix = f"`{command}` it once: members can only be reached in a plain .tar"
            raise InputError(shard, expected="a shard that is not compressed as a whole", found=suffix, fix=fix)
    if suffix not in SHARD_SUFFIXES:
        fix = "give a path without ::"
        raise InputError(shard, expected=f"a shard ({', '.join(SHARD_SUFFIXES)})", found=suffix or "no suffix", fix=fix)
    return suffix


def _stamp(path: Path) -> tuple[Path, int, int]:
    """Return what an index in memory is kept by, so that a file which changes is read anew."""
    state = path.stat()
    return path, state.st_size, state.st_mtime_ns


def _unsafe(name: str) -> str | None:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return "a name that leads out of the shard"
    return None


def _read_from_tar(shard: Path, member: str) -> bytes:
    places, refused = _tar_index(*_stamp(shard))
    if member not in places:
        raise _no_member(shard, member, refused.get(member))
    offset, size = places[member]
    _check_size(shard, member, size)
    with shard.open("rb") as file:
        file.seek(offset)
        content = file.read(size)
    if len(content) != size:
        raise _damaged(shard, "tar", f"{len(content)} of {size} bytes of {member}")
    return content


@lru_cache(maxsize=32)
def _tar_index(path: Path, size: int, modified: int) -> tuple[Places, Refused]:
    """Return where a tar's plain files lie, and what its other members are."""
    places: Places = {}
    refused: Refused = {}
    try:
        with tarfile.open(path, "r:") as tar, path.open("rb") as file:
            for info in tar:
                name = info.name.removeprefix("./")
                if info.isdir():
                    continue
                if reason := _refusal_of_tarred(info) or ("two members" if name in places else None):
                    refused[name] = reason
                    places.pop(name, None)
                elif name not in refused:
                    places[name] = info.offset_data, info.size
            check_end(tar, file)
    except (tarfile.TarError, OSError) as error:
        raise _damaged(path, "tar", error) from error
    return places, refused


def check_end(tar: tarfile.TarFile, file: IO[bytes]) -> None:
    """Raise `tarfile.ReadError` unless a tar that was read through ends where its file does.

    tarfile takes a damaged or missing header for the end, and another tar behind the end for nothing; at the end of a
    whole tar there is a block of zeros, and nothing else follows.
    """
    file.seek(tar.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no end mark after its last member: cut off, or a damaged header")
    while rest := file.read(_BUFFER_BYTES):
        if rest.strip(b"\0"):
            raise tarfile.ReadError("more after its end mark, such as a second tar")


def _refusal_of_tarred(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "a link"
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.issparse():
        return "a device, a pipe or a sparse file"
    return _unsafe(info.name)


def _read_from_zip(shard: Path, member: str) -> bytes:
    archive = _opened_zip(*_stamp(shard), os.getpid())
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise _no_member(shard, member, None) from None
    if reason := _refusal_of_zipped(info):
        raise _no_member(shard, member, reason)
    _check_size(shard, member, info.file_size)
    try:
        return archive.read(info)
    except ZIP_ERRORS as error:
        raise _damaged(shard, "zip", error) from error


@lru_cache(maxsize=8)
def _opened_zip(path: Path, size: int, modified: int, process: int) -> zipfile.ZipFile:
    """Open a zip once a process: a forked one would share its position in the file."""
    try:
        return zipfile.ZipFile(path)
    except ZIP_ERRORS as error:
        raise _damaged(path, "zip", error) from error


def _refusal_of_zipped(info: zipfile.ZipInfo) -> str | None:
    mode = info.external_attr >> 16
    if info.is_dir():
        return "a folder"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "a link or a device"
    if info.flag_bits & 1:
        return "an encrypted file"
    return _unsafe(info.filename)


def _read_from_parquet(shard: Path, member: str) -> bytes:
    row, _, column = member.partition("/")
    with opened_parquet(shard) as file:
        if not row.isdecimal() or int(row) >= file.metadata.num_rows:
            raise _no_member(shard, member, f"{file.metadata.num_rows} rows")
        if column not in byte_columns(file.schema_arrow):
            raise _no_member(shard, member, f"columns of bytes: {', '.join(byte_columns(file.schema_arrow)) or 'none'}")
        cell = _cell(file, int(row), column)
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if content is None:
        raise _no_member(shard, member, "a path without bytes" if cell else "an empty cell")
    return bytes(content)


def _cell(file: Any, row: int, column: str) -> Any:
    """Return a cell's value from the one row group that holds it, a few rows at a time: cells may be megabytes."""
    counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    ends = list(accumulate(counts))
    group = bisect_right(ends, row)
    left = row - (ends[group] - counts[group])
    for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=[column], use_threads=False):
        if left < batch.num_rows:
            return batch.column(0)[left].as_py()
        left -= batch.num_rows
    raise OSError(f"row {row} is missing")


def _check_size(shard: Path, member: str, size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        expected, found = f"members of at most {MAX_MEMBER_BYTES} bytes", f"{member} of {size}"
        raise InputError(shard, expected=expected, found=found, fix="unpack it and give the file")


def _no_member(shard: Path, member: str, found: str | None) -> InputError:
    return InputError(shard, expected=f"a file {member} in it", found=found or "no such member", fix=AGAIN)


def _damaged(shard: Path, kind: str, found: object) -> InputError:
    return InputError(shard, expected=f"a whole {kind}", found=f"a damaged one ({found})", fix=AGAIN)
