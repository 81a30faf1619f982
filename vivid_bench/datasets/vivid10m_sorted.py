"""How an index of VIVID-10M is written: rows sorted by a hash of their ids, through files, in bounded memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivid_bench.datasets.vivid10m_lists import MARK
from vivid_bench.datasets.vivid10m_rows import Row
from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path

ROWS_IN_GROUP = 2**14
LEFT_OUT = b"vivid_bench_left_out"
"""The key, in the table's schema, of what was missing when it was made: a JSON list of lines."""

_VERSION = b"1"
_BUCKET_BITS = 6  # 64 files of 150,000 rows at 9.7 million
_ROWS_AT_ONCE = 2**15


def schema() -> Any:
    """Return the table's columns: those of `Row`, behind the hash that they are sorted by."""
    import pyarrow as pa

    numbers = {name: pa.int32() for name in ("frames", "height", "width")}
    fields = [(name, numbers.get(name, pa.string())) for name in Row._fields]
    return pa.schema([("order", pa.uint64()), *fields])


def order_of(ids: Iterable[str]) -> NDArray[np.uint64]:
    """Return the numbers that samples are sorted by: 64 bits of BLAKE2b of their ids."""
    digests = b"".join(blake2b(sample_id.encode(), digest_size=8).digest() for sample_id in ids)
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def write_sorted(batches: Iterable[Any], path: Path, said: Callable[[], list[str]], data: Path) -> None:
    """Write batches of `schema()` as an index, sorted through files beside it; whole or not at all.

    Args:
        said: called when all batches are through; what was left out, a line a kind.
        data: the data folder, for errors: the index may lie elsewhere.

    Raises:
        InputError: an id twice, or a full disk.
    """
    with atomic_path(path) as temporary, tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as kept:
        buckets = _into_buckets(batches, Path(kept))
        _write_buckets(buckets, temporary, data, said())


def _into_buckets(batches: Iterable[Any], folder: Path) -> list[Path]:
    """Spread rows over files by the first bits of their order."""
    import pyarrow as pa

    paths = [folder / f"{bucket:03}.arrow" for bucket in range(2**_BUCKET_BITS)]
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with ExitStack() as stack:
        writers = [stack.enter_context(pa.ipc.new_stream(str(path), schema(), options=options)) for path in paths]
        for batch in batches:
            bucket_of = batch.column("order").to_numpy() >> np.uint64(64 - _BUCKET_BITS)
            rows = np.argsort(bucket_of, kind="stable")
            ends = np.searchsorted(bucket_of[rows], np.arange(2**_BUCKET_BITS + 1))
            batch = batch.take(pa.array(rows))
            for bucket, writer in enumerate(writers):
                if ends[bucket] < ends[bucket + 1]:
                    writer.write_batch(batch.slice(ends[bucket], ends[bucket + 1] - ends[bucket]))
    return paths


def _write_buckets(buckets: Sequence[Path], temporary: Path, data: Path, said: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    noted = schema().with_metadata({MARK: _VERSION, LEFT_OUT: json.dumps(said).encode()})
    with pq.ParquetWriter(temporary, noted, compression="zstd", use_dictionary=["task", "mask_kind"]) as writer:
        for bucket in buckets:
            with pa.ipc.open_stream(str(bucket)) as stream:
                # By id as well: equal ids lie side by side even where two ids have one hash.
                table = stream.read_all().sort_by([("order", "ascending"), ("id", "ascending")])
            bucket.unlink()
            _check_ids(data, table.column("id"))
            writer.write_table(table.replace_schema_metadata(noted.metadata), row_group_size=ROWS_IN_GROUP)


def _check_ids(data: Path, ids: Any) -> None:
    import pyarrow.compute as pc

    if len(ids) < 2:
        return
    if again := pc.unique(ids.slice(1).filter(pc.equal(ids.slice(1), ids.slice(0, len(ids) - 1)))).to_pylist():
        found = f"{', '.join(again[:3])}{', …' if len(again) > 3 else ''} again"
        fix = "give one part of the set at a time as --data, remove the copies, or add ids to the list"
        raise InputError(data, expected="each id once", found=found, fix=fix)


def batches_of(rows: Iterator[Row], show: Callable[[int], None]) -> Iterator[Any]:
    """Yield rows as record batches of `schema()`; `show` is told how many there were so far."""
    import pyarrow as pa

    count = 0
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        fields = list(zip(*chunk, strict=True))
        arrays = [pa.array(order_of(fields[0])), *map(pa.array, fields)]
        yield pa.RecordBatch.from_arrays(
            [array.cast(field.type) for array, field in zip(arrays, schema(), strict=True)], schema=schema()
        )
        count += len(chunk)
        show(count)
