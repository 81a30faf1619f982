"""What the files of a submission may be called and how large they may be, and text from strangers made safe to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MANIFEST = "manifest.json"
METHOD_FILE = "method.toml"
RECORDS = "records"
"""Folder of the run folders, laid out as below any folder of records."""

MAX_MEMBERS = 200_000
MAX_NAME_BYTES = 255
"""Of one part of a path, as file systems have it."""

_RUN = rf"{RECORDS}/[^/]+/(add|modify|delete)/[^/]+/[0-9a-f]{{12}}"
_MAX_BYTES = (
    (METHOD_FILE, 64 * 2**10),
    (MANIFEST, 128 * 2**20),
    (rf"{_RUN}/run\.json", 16 * 2**20),
    (rf"{_RUN}/edits\.jsonl", 128 * 2**20),
    (rf"{_RUN}/scores\.jsonl", 2**30),
    (rf"{_RUN}/edits/[^/]+(/[^/]+)?", 16 * 2**30),
)
_ON_NO_WINDOWS = re.compile(r'[<>:"|?*\\]|[. ]$|^ |^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
_SHOWN_CHARACTERS = 1000


def name_flaw(name: str) -> str | None:
    """Say why a file cannot be called so inside a submission; None where it can.

    A name is a relative path of visible, printable parts that every file system can hold, at one of the places where a
    submission has files.
    """
    for part in name.split("/"):
        if part in ("", ".", "..") or part.startswith("."):
            return "no plain path below the submission"
        if not is_plain(part):
            return "control or formatting characters, or no Unicode at all"
        if _ON_NO_WINDOWS.search(part):
            return "characters or a name that not every file system can hold"
        if len(part.encode()) > MAX_NAME_BYTES:
            return f"longer than {MAX_NAME_BYTES} bytes"
    return None if max_bytes(name) else "no file of a submission"


def max_bytes(name: str) -> int | None:
    """Return how large the file of a name may be; None where a submission has no such file."""
    return next((limit for pattern, limit in _MAX_BYTES if re.fullmatch(pattern, name)), None)


def folded(name: str) -> str:
    """Return what two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_plain(text: str) -> bool:
    """Whether text holds nothing that a terminal or a reader could be deceived with, line ends included."""
    return text.isprintable()


def shown(text: str) -> str:
    """Return text from a stranger on one line, all that is not printable escaped, at most 1,000 characters."""
    line = " ".join(text.split())
    line = line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"
    return "".join(c if is_plain(c) else c.encode("unicode_escape").decode() for c in line)


def deceptive(value: object, where: str = "") -> Iterator[str]:
    """Yield where, in a JSON value, text holds control or formatting characters other than a line's end or a tab."""
    if isinstance(value, str):
        if not is_plain(re.sub(r"[\n\r\t\xa0]", "", value)):
            yield where or "the text"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from deceptive(key, f"a key of {where}" if where else "a key")
            yield from deceptive(item, f"{where}.{shown(str(key))}" if where else shown(str(key)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from deceptive(item, f"{where}[{index}]")
