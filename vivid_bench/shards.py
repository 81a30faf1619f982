"""Members of shards (tar, zip, parquet), read where they lie: nothing is unpacked to disk.

`shard.tar::name` and `shard.zip::name` name a member; `shard.parquet::row/column` the bytes in a cell.
"""

from __future__ import annotations

from pathlib import Path

MEMBER = "::"


def read_member(root: Path, path: str) -> bytes:
    """Return a member's content; raises `InputError` when the shard or the member is not there or damaged."""
    raise NotImplementedError
