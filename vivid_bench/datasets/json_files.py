"""JSON that comes with data sets, parsed so that whatever is wrong with it is one kind of error."""

from __future__ import annotations

import codecs
from typing import Any

from pydantic_core import from_json


def parse_json(content: bytes) -> Any:
    """Return the value of JSON in UTF-8, with or without a byte order mark.

    Python's own parser lets halves of surrogate pairs through, which nothing can hash or write, and stops at deep
    nesting or long numbers with errors of other kinds.

    Raises:
        ValueError: no JSON, not UTF-8, nested too deep, or text with half a surrogate pair.
    """
    return from_json(content.removeprefix(codecs.BOM_UTF8))
