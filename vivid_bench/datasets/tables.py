"""Tables of comma-separated values that come with data sets, read a row at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.listing import counted
from vivid_bench.errors import InputError


def table_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's number, from 1, and its text in the columns asked for, stripped; `""` where it is cut short.

    Raises:
        InputError: no such file, other columns, not UTF-8, or no table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            found = list(reader.fieldnames or ())
            if any(column not in found for column in columns):
                has = counted(found) if found else "none"
                raise InputError(path, expected=f"columns {', '.join(columns)}", found=has, fix=DOWNLOAD)
            for number, row in enumerate(reader, 1):
                yield number, {column: (row[column] or "").strip() for column in columns}
    except FileNotFoundError as error:
        raise InputError(path, expected="a table", found="nothing", fix=DOWNLOAD) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, expected="comma-separated values in UTF-8", found=str(error), fix=DOWNLOAD) from error


def whole_number(text: str) -> int | None:
    """Return a number from 0 up, written `12` or, as pandas writes a column that had gaps, `12.0`; None for others."""
    digits = text.removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
