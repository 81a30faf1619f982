"""What readers of lists share: names that may become paths, files that are missing, and counts with the first names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.types import Candidate, Report
from vivid_bench.errors import InputError

NAMES_SHOWN = 5

_PLAIN = re.compile(r"[^/\\.:\x00-\x1f][^/\\:\x00-\x1f]{0,149}")


def is_plain(name: str) -> bool:
    """Return whether a listed name can be one part of a path and of a sample's id: it cannot leave its folder."""
    return _PLAIN.fullmatch(name) is not None


def counted(names: Sequence[str]) -> str:
    """Return how many there are and the first of them.

    Example:
        >>> counted(["a", "b"])
        '2 (a, b)'
    """
    first = [name if name.isprintable() else ascii(name) for name in names[:NAMES_SHOWN]]
    return f"{len(names)} ({', '.join(first)}{', …' if len(names) > NAMES_SHOWN else ''})"


def with_files(data: Path, candidates: Iterable[Candidate], report: Report) -> list[Candidate]:
    """Keep the candidates whose files are there; the others are one problem for each of source, mask and reference."""
    missing: dict[str, list[str]] = {"source": [], "mask": [], "reference": []}
    kept = []
    for candidate in candidates:
        paths = {"source": candidate.source, "mask": candidate.mask, "reference": candidate.reference}
        absent = {kind: path for kind, path in paths.items() if path is not None and not (data / path).exists()}
        for kind, path in absent.items():
            missing[kind].append(path)
        if not absent:
            kept.append(candidate)
    for kind, absent_paths in missing.items():
        if absent_paths:
            found = f"nothing at {counted(list(dict.fromkeys(absent_paths)))}"
            report.problems.append(InputError(data, expected=f"a {kind} of each clip", found=found, fix=DOWNLOAD))
    return kept


def folders(path: Path) -> list[str]:
    """Return the names of a folder's visible folders, sorted; none where there is no such folder."""
    return sorted(p.name for p in path.iterdir() if p.is_dir() and p.name[0] != ".") if path.is_dir() else []


def content(path: Path) -> str:
    """Return what a folder holds, for errors: its first visible names, or `nothing`."""
    names = sorted(p.name for p in path.iterdir() if p.name[0] != ".") if path.is_dir() else []
    return counted(names) if names else "nothing"
