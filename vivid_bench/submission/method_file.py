"""The `method.toml` of a submission: the method's card, with all that its readers have to know."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from vivid_bench.errors import InputError
from vivid_bench.method_card import MethodCard, SubmissionFacts
from vivid_bench.submission.names import deceptive, shown
from vivid_bench.types import Task

MAX_BYTES = 64 * 2**10
_MAX_CHARACTERS = 2000


class SubmittedMethod(MethodCard):
    """A method card that is complete enough to stand beside published figures.

    Attributes:
        kind: `method` for an adapter's or a program's runs, `submission` for finished videos, which need neither.
        tasks: those that the submission has runs of.
        paper: None for a method that is not published.
    """

    tasks: tuple[Task, ...] = Field(min_length=1)
    licence: str = Field(min_length=1)
    submission: SubmissionFacts

    @model_validator(mode="after")
    def _fit_to_show(self) -> SubmittedMethod:
        if self.kind not in ("method", "submission"):
            raise ValueError(
                f'kind is "{self.kind}", which ships with vivid-bench; it must be "method" or "submission"'
            )
        if long := [text for text in _texts(self.model_dump()) if len(text) > _MAX_CHARACTERS]:
            raise ValueError(f"a text of {len(long[0])} characters; {_MAX_CHARACTERS} are enough")
        if found := next(deceptive(self.model_dump()), None):
            raise ValueError(f"control or formatting characters in {found}")
        return self


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [text for item in items for text in _texts(item)]


def read_method_file(path: Path) -> SubmittedMethod:
    """Read the `method.toml` of a submission; raises `InputError` naming every wrong or missing key."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(path, expected="a method.toml", found=shown(error.strerror or "nothing"), fix=_FIX) from error
    if len(content) > MAX_BYTES:
        raise InputError(path, expected=f"at most {MAX_BYTES:,} bytes", found="more", fix="shorten it")
    try:
        return SubmittedMethod.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        found = "; ".join(problems_of(error))
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number or a nesting without end
        found = shown(f"{type(error).__name__}: {error}")
    raise InputError(path, expected="the method's card with a table [submission]", found=found, fix=_FIX)


_FIX = "see CONTRIBUTING.md, Submit your method"


def problems_of(error: ValidationError) -> list[str]:
    """Return each wrong key of a file and what is wrong with it, fit to be shown."""
    return [shown(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ")) for e in error.errors()]
