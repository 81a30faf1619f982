"""What readers of lists share: names that may become paths, what a folder holds, and counts with the first names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

NAMES_SHOWN = 5
MAC_FOLDER = "__MACOSX"
"""What macOS puts beside the files of a zip: a `._<file>` for each, in folders of the same names."""

_PLAIN = re.compile(r"[^/\\.:\x00-\x1f][^/\\:\x00-\x1f]{0,149}")


def is_plain(name: str) -> bool:
    """Return whether a listed name can be one part of a path and of a sample's id: it cannot leave its folder."""
    return _PLAIN.fullmatch(name) is not None and is_utf8(name)


def is_leftover(name: str) -> bool:
    """Return whether a file or folder of that name is hidden or one that macOS leaves in archives, and no data."""
    return name.startswith(".") or name == MAC_FOLDER


def is_utf8(name: str) -> bool:
    """Return whether a name can be written: those on disk that are not UTF-8 come with half a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def counted(names: Sequence[str]) -> str:
    """Return how many there are and the first of them.

    Example:
        >>> counted(["a", "b"])
        '2 (a, b)'
    """
    first = [name if name.isprintable() else ascii(name) for name in names[:NAMES_SHOWN]]
    return f"{len(names)} ({', '.join(first)}{', …' if len(names) > NAMES_SHOWN else ''})"


def visible(path: Path) -> list[Path]:
    """Return what a folder holds but for leftovers, sorted; nothing where there is no such folder."""
    return sorted(p for p in path.iterdir() if not is_leftover(p.name)) if path.is_dir() else []


def folders(path: Path) -> list[str]:
    """Return the names of a folder's visible folders, sorted; none where there is no such folder."""
    return [p.name for p in visible(path) if p.is_dir()]


def content(path: Path) -> str:
    """Return what a folder holds, for errors: its first visible names, or `nothing`."""
    names = [p.name for p in visible(path)]
    return counted(names) if names else "nothing"
