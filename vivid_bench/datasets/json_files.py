"""JSON that comes with data sets, parsed so that whatever is wrong with it is one kind of error."""

from __future__ import annotations

import codecs
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

FLAWS_SHOWN = 3


def parse_json(content: bytes) -> Any:
    """Return the value of JSON in UTF-8, with or without a byte order mark.

    Python's own parser lets halves of surrogate pairs through, which nothing can hash or write, and stops at deep
    nesting or long numbers with errors of other kinds.

    Raises:
        ValueError: no JSON, not UTF-8, nested too deep, or text with half a surrogate pair.
    """
    return from_json(content.removeprefix(codecs.BOM_UTF8))


def found_wrong(error: Exception) -> str:
    """Return what an error found, for messages: of values that do not fit their model the first, and where they stand.

    Example:
        `0.caption: Input should be a valid string`
    """
    if not isinstance(error, ValidationError):
        return str(error)
    flaws = [
        ": ".join(filter(None, (".".join(map(str, flaw["loc"])), flaw["msg"])))
        for flaw in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = f"; and {len(flaws) - FLAWS_SHOWN} more" if len(flaws) > FLAWS_SHOWN else ""
    return "; ".join(flaws[:FLAWS_SHOWN]) + more
