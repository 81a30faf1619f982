"""The index of VIVID-10M: a parquet table with one row a sample, to choose from millions without listing folders.

Rows lie in the order of a hash of their ids. The first N are therefore a fair sample, the same on every machine, and
not one video's N masks; and any run of N rows is as random a sample as another. Of the table, only the columns and the
row groups that are needed are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivid_bench.datasets import vivid10m_names as named
from vivid_bench.datasets.listing import content
from vivid_bench.datasets.vivid10m_lists import is_index
from vivid_bench.datasets.vivid10m_rows import Row, Tally, leads_out
from vivid_bench.datasets.vivid10m_sorted import LEFT_OUT, batches_of, write_sorted
from vivid_bench.datasets.vivid10m_walk import walk
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.shards import MEMBER, opened_parquet
from vivid_bench.types import Task

INDEX = "index.parquet"
MAKE = "vivid-bench data check vivid10m --data DIR --index"

_ROWS_AT_ONCE = 2**10
_NUMBERS_AT_ONCE = 2**17
_FILTERS = ("task", "mask_kind", "frames", "height", "width")


def write_index(data: Path, show: Callable[[int], None]) -> Path:
    """Make the index of a data folder from its lists, folders and shards.

    Rows are sorted through files beside the index, so that memory stays below some hundred megabytes whatever the set's
    size; the index appears whole or not at all. Frames, height and width are those of the set's lists or, for a file
    that is no member of a shard, of its header; None elsewhere. What is missing is left out, see `left_out`. When the
    folder changes, the index has to be made again.

    Args:
        data: the data folder.
        show: called with the number of samples so far, now and then.

    Returns:
        `index.parquet` in that folder.

    Raises:
        InputError: no samples, an id twice, a list or shard that is damaged, an `index.parquet` of the set's own, or a
            full disk.
    """
    path = data / INDEX
    if path.is_file() and not is_index(path):
        fix = "rename it, e.g. metadata.parquet: the index is made from it"
        raise InputError(path, expected="no index but one made by vivid-bench", found="another", fix=fix)
    tally = Tally()
    rows = (_measured(data, row) for row in _some(data, tally))
    write_sorted(batches_of(rows, show), path, lambda: [str(problem) for problem in tally.problems(data)], data)
    return path


def write_unmeasured(data: Path, path: Path, tally: Tally) -> None:
    """Make an index at `path` for one use, from names alone: no header is read. Raises as `write_index` does."""
    write_sorted(batches_of(_some(data, tally), lambda count: None), path, list, data)


def is_kept(data: Path) -> bool:
    """Return whether a data folder has an index that was made here."""
    return (data / INDEX).is_file() and is_index(data / INDEX)


def made_on(path: Path) -> str:
    """Return when an index was made, in UTC: what changed in the folder since is not in it."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")


def left_out(path: Path) -> list[str]:
    """Return what was missing when an index was made, a line a kind."""
    with opened_parquet(path) as file:
        return [str(line) for line in json.loads(file.schema_arrow.metadata.get(LEFT_OUT, b"[]"))]


def count_rows(path: Path) -> int:
    """Return how many samples an index holds."""
    with opened_parquet(path) as file:
        return int(file.metadata.num_rows)


def read_rows(path: Path, task: Task) -> Iterator[Row]:
    """Yield a task's samples in the index's order, a thousand in memory at a time.

    Raises `InputError` for a path that leads out of the data folder.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pa.array(named.SERVES[task])
    with opened_parquet(path) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(Row._fields), use_threads=False):
            for entry in batch.filter(pc.is_in(batch.column("task"), values)).to_pylist():
                row = Row(**entry)
                if leads_out(row.source) or leads_out(row.mask):
                    raise InputError(path, expected="paths below the data folder", found=row.id, fix=f"`{MAKE}`")
                yield row


def choose(
    path: Path,
    *,
    task: Task | None = None,
    kinds: Sequence[str] = (),
    min_frames: int = 0,
    min_height: int = 0,
    min_width: int = 0,
    count: int | None = None,
    seed: int | None = None,
    columns: Sequence[str] = Row._fields,
) -> Any:
    """Return the samples of an index that fit, or some of them.

    Args:
        path: an index.
        task: that the samples serve; None: any.
        kinds: of masks (`masks.MASK_KINDS`); none given: any.
        min_frames, min_height, min_width: what a clip must have at least; where the index does not know it, it does
            not fit.
        count: how many at most; None: all that fit.
        seed: draw `count` at random: the run of rows that begins where the seed says, for rows lie in a random order
            already. None: the first ones.
        columns: of `Row`, that are wanted.

    Returns:
        A pyarrow Table, in the index's order. Only its row groups are read whole.
    """
    import pyarrow as pa

    with opened_parquet(path) as file:
        least = {"frames": min_frames, "height": min_height, "width": min_width}
        fitting = _fitting(file, task, kinds, {name: value for name, value in least.items() if value > 0})
        if count is not None and count < len(fitting):
            start = 0 if seed is None else int(np.random.default_rng(seed).integers(len(fitting)))
            fitting = np.sort(np.take(fitting, np.arange(start, start + count), mode="wrap"))
        groups = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        ends = np.cumsum([0, *groups])
        tables = []
        for group in np.unique(np.searchsorted(ends, fitting, side="right") - 1):
            first, last = np.searchsorted(fitting, ends[group : group + 2])
            table = file.read_row_group(int(group), columns=list(columns), use_threads=False)
            tables.append(table.take(pa.array(fitting[first:last] - ends[group])))
        return pa.concat_tables(tables) if tables else file.schema_arrow.empty_table().select(list(columns))


def _fitting(file: Any, task: Task | None, kinds: Sequence[str], least: dict[str, int]) -> NDArray[np.int64]:
    """Return the numbers of the rows that fit; of the table only the columns that decide are read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    among = {"task": named.SERVES[task] if task else (), "mask_kind": tuple(kinds)}
    among = {name: values for name, values in among.items() if values}
    columns = [name for name in _FILTERS if name in among or name in least]
    if not columns:
        return np.arange(file.metadata.num_rows)
    found, start = [], 0
    for batch in file.iter_batches(_NUMBERS_AT_ONCE, columns=columns, use_threads=False):
        fits = np.ones(batch.num_rows, bool)
        for name, values in among.items():
            fits &= pc.is_in(batch.column(name), pa.array(values)).to_numpy(zero_copy_only=False)
        for name, value in least.items():
            enough = pc.fill_null(pc.greater_equal(batch.column(name), value), False)
            fits &= enough.to_numpy(zero_copy_only=False)
        found.append(np.flatnonzero(fits) + start)
        start += batch.num_rows
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _some(data: Path, tally: Tally) -> Iterator[Row]:
    """Yield all samples; raise `InputError` where there are none."""
    rows = walk(data, tally)
    first = next(rows, None)
    if first is None:
        if problems := tally.problems(data):
            raise InputReportError(data, problems)
        expected = f"samples of VIVID-10M: {named.LAYOUT}".replace("\n", "; ")
        fix = "check --data, or list them in a .csv with the columns source, mask and prompt, separated by commas"
        raise InputError(data, expected=expected, found=content(data), fix=fix)
    yield first
    yield from rows


def _measured(data: Path, row: Row) -> Row:
    """Return the row with what its source's header says; unchanged in a shard, or where the header cannot be read."""
    if MEMBER in row.source or None not in (row.frames, row.height, row.width):
        return row
    frames, height, width = _header(data / row.source)
    return row._replace(
        frames=row.frames if row.frames is not None else frames, height=row.height or height, width=row.width or width
    )


@lru_cache(maxsize=16)  # a source serves several masks, one after another
def _header(path: Path) -> tuple[int | None, int | None, int | None]:
    import av
    from PIL import Image

    from vivid_bench.video_reader import FILES_ONLY

    try:
        if named.is_image(path.name):
            with Image.open(path) as image:
                return 1, image.height, image.width
        with av.open(f"file:{path}", options=FILES_ONLY) as container:
            stream = container.streams.video[0]
            return stream.frames or None, stream.height, stream.width
    except (OSError, av.error.FFmpegError, IndexError):
        return None, None, None
