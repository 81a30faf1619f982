"""VIVID-10M's samples from lists: `.csv`, `.jsonl`, and parquet files without the clips themselves, read as streams."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from vivid_bench.datasets import vivid10m_names as named
from vivid_bench.datasets.json_files import parse_json
from vivid_bench.datasets.vivid10m_rows import Row, Tally, leads_out, row_of
from vivid_bench.errors import InputError
from vivid_bench.shards import MEMBER, byte_columns, opened_parquet

LIST_SUFFIXES = (".csv", ".jsonl", ".parquet")
MARK = b"vivid_bench_index"
"""The key, in a parquet file's schema, by which an index made here is known."""
_ROWS_AT_ONCE = 8192


def lists_in(data: Path) -> list[Path]:
    """Return the lists in a folder: files that name a source and a mask in each entry. Indexes made here are none."""
    files = sorted(path for path in data.iterdir() if path.is_file() and path.name[0] != ".")
    return [path for path in files if path.suffix.lower() in LIST_SUFFIXES and _is_list(path)]


def is_index(path: Path) -> bool:
    """Return whether a parquet file is an index that was made here."""
    with opened_parquet(path) as file:
        return MARK in (file.schema_arrow.metadata or {})


def rows_of_list(path: Path, tally: Tally) -> Iterator[Row]:
    """Yield the samples of a list; raises `InputError` when it cannot be read."""
    for number, entry in enumerate(_entries(path), 1):
        yield from _listed(f"{path.name}:{number}", entry, tally)


def _is_list(path: Path) -> bool:
    """Return whether a file names a source and a mask in each entry."""
    if path.suffix.lower() == ".parquet":
        if is_index(path):
            return False
        with opened_parquet(path) as file:
            columns = [name for name in file.schema_arrow.names if name not in byte_columns(file.schema_arrow)]
            return {"source", "mask"} <= named.fields_of(dict.fromkeys(columns, True)).keys()
    first = next(_entries(path), None)
    return first is not None and {"source", "mask"} <= named.fields_of(first).keys()


def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        if path.suffix.lower() == ".parquet":
            yield from parquet_rows(path)
        elif path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from csv.DictReader(file)
        else:
            with path.open("rb") as file:
                yield from (_object(path, line) for line in file if line.strip())
    except (ValueError, csv.Error, TypeError) as error:
        raise InputError(path, expected="a list of samples", found=str(error), fix="download it again") from error


def _object(path: Path, line: bytes) -> Mapping[str, Any]:
    value = parse_json(line)
    if not isinstance(value, dict):
        found = line[:60].decode("utf-8", "replace")
        raise InputError(path, expected="an object a line", found=found, fix="download it again")
    return value


def parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield a parquet file's rows without its columns of bytes."""
    with opened_parquet(path) as file:
        heavy = byte_columns(file.schema_arrow)
        wanted = {alias for aliases in named.ALIASES.values() for alias in aliases}
        columns = [name for name in file.schema_arrow.names if name.lower() in wanted and name not in heavy]
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns, use_threads=False):
            # Without such columns batches still say how many rows there are.
            yield from batch.to_pylist() if columns else ({} for _ in range(batch.num_rows))


def _listed(place: str, entry: Mapping[str, Any], tally: Tally) -> Iterator[Row]:
    facts = named.fields_of(entry)
    if not {"source", "mask"} <= facts.keys():
        tally.add("a source and a mask in each entry", f"known names: {named.ALIASES}", place)
        return
    source, mask = str(facts["source"]), str(facts["mask"])
    if leads_out(source) or leads_out(mask):
        tally.add("paths below the data folder in each entry", "correct the list", place)
        return
    source, mask = PurePosixPath(source).as_posix(), PurePosixPath(mask).as_posix()
    video = named.video_of(mask.rpartition(MEMBER)[2])
    default = mask.replace(MEMBER, "_").replace("/", "_")
    if video and named.parse_mask(mask):
        default = named.sample_id(video, mask)
    yield from row_of(default, source, mask, None, facts, tally)
