"""Figures that others published, each with its source.

They lie in `published.json`; a user can give more in a file of the same form. The file is a JSON object. Its keys, each
optional in a user's file, are

- `kive_cost_pflops`: `source`, `video_edit`, `keyframe_edit`, `naive_two_rounds`, `kive_two_rounds`, in PFLOPs;
- `davis_removal`, `prove_m_removal`, `prove_h_removal`: `source`, `columns`, `rows` and, where known, one boolean a
  column in `higher_is_better`; `rows` maps a method's name to one figure a column, null where none was printed;
- `vivid_paper_tables`: `source`; `tasks`, which maps add, modify or delete to such columns and rows; `user_study`,
  such columns and rows; and `status`, which says why figures are missing and is needed unless all are there.
  A column called as a metric of ours (`vivid-bench list metrics`) stands beside ours in the table `main`: use that name
  only for a figure of the same definition, as records hold it: a cosine is 0.55, though tables print 55;
- `note`: free text.

A user's key replaces the shipped one whole, so that no figure ends up under another's source.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from vivid_bench.errors import InputError, InputReportError
from vivid_bench.types import Task

ALL_OF_PAPER = 4
"""Add, modify, delete and the user study."""

Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
"""Some text without control characters, which a terminal would obey."""


class _OnDisk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Figures(_OnDisk):
    """A printed table.

    Attributes:
        columns: names of its measures, as printed.
        higher_is_better: one a column; None where it was not said.
        rows: method -> one figure a column, None where none was printed.
    """

    columns: tuple[Text, ...] = Field(min_length=1)
    higher_is_better: tuple[bool, ...] | None = None
    rows: dict[Text, tuple[FiniteFloat | None, ...]]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        count = len(self.columns)
        if len(set(self.columns)) < count:
            raise ValueError("each column once")
        if self.higher_is_better is not None and len(self.higher_is_better) != count:
            raise ValueError(f"higher_is_better with {count} entries, one a column, not {len(self.higher_is_better)}")
        for name, row in self.rows.items():
            if len(row) != count:
                raise ValueError(f"{count} figures for {name!r}, one a column, not {len(row)}")
        return self

    def value(self, method: str, column: str) -> float | None:
        """Return one figure; None where there is none."""
        if method not in self.rows or column not in self.columns:
            return None
        return self.rows[method][self.columns.index(column)]


class SourcedFigures(Figures):
    """A printed table and who printed it."""

    source: Text


class KiveCost(_OnDisk):
    """Published cost of edits and of sessions with two rounds, in PFLOPs."""

    source: Text
    video_edit: FiniteFloat
    keyframe_edit: FiniteFloat
    naive_two_rounds: FiniteFloat
    kive_two_rounds: FiniteFloat


class PaperTables(_OnDisk):
    """The tables of the VIVID paper, as far as they were transcribed.

    Attributes:
        status: why figures are missing.
    """

    source: Text
    status: Text | None = None
    tasks: dict[Task, Figures] = Field(default_factory=dict)
    user_study: Figures | None = None

    @model_validator(mode="after")
    def _figures_or_reason(self) -> Self:
        if not self.status and len(self.tasks) + (self.user_study is not None) < ALL_OF_PAPER:
            raise ValueError("a status that says why figures of a task or of the user study are missing")
        return self


class Published(_OnDisk):
    """All of `published.json`."""

    note: Text | None = None
    kive_cost_pflops: KiveCost
    davis_removal: SourcedFigures
    prove_m_removal: SourcedFigures
    prove_h_removal: SourcedFigures
    vivid_paper_tables: PaperTables


def load_published(path: Path | None = None) -> Published:
    """Return the shipped figures, with the keys of a user's file in place of theirs.

    Raises:
        InputError, InputReportError: a file that is missing or no such file; names each key at fault.
    """
    shipped = json.loads(files("vivid_bench.tables").joinpath("published.json").read_text(encoding="utf-8"))
    given = _read(path) if path else {}
    try:
        return Published.model_validate_json(json.dumps(shipped | given))  # strict, and arrays are tuples
    except ValidationError as error:
        assert path is not None, "the shipped file is tested"
        problems = [_problem(path, detail) for detail in error.errors()]
        raise problems[0] if len(problems) == 1 else InputReportError(path, problems) from error


def _read(path: Path) -> dict[str, Any]:
    fix = "give a file of the form of published.json (see BENCHMARK.md)"
    try:
        given = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_doubles)
    except OSError as error:
        raise InputError(path, expected="a readable file", found=error.strerror or "none", fix=fix) from error
    # A ValueError is no JSON, no UTF-8, a key twice or a number of thousands of digits; the other, nested too deeply.
    except (ValueError, RecursionError) as error:
        raise InputError(path, expected="JSON", found=str(error), fix=fix) from error
    if not isinstance(given, dict):
        raise InputError(path, expected="a JSON object", found=type(given).__name__, fix=fix)
    return given


class _DoubleKeyError(ValueError):
    """A key that occurs twice: one of its figures would be lost without a word."""


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DoubleKeyError(f"the key {key!r} twice")
        found[key] = value
    return found


def _problem(path: Path, detail: Any) -> InputError:
    key = ".".join(map(str, detail["loc"])) or "the file"
    expected = {"extra_forbidden": "no such key", "missing": "this key"}.get(detail["type"], detail["msg"])
    found = "nothing" if detail["type"] == "missing" else _short(detail["input"])
    return InputError(
        f"{path}: {key}",
        expected=expected.removeprefix("Value error, ").removeprefix("Input should be "),
        found=found,
        fix="correct it (see BENCHMARK.md)",
    )


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:79]}…"
