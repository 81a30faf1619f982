"""What the builder's stages leave on disk: one JSON file and, where there are masks, videos for each clip and stage.

Below the suite's folder `work`, `<stage>/<name>.json` is written last and as a whole, and removed before what it tells
of is made anew, so that what has one is finished. It holds a key of all that decided it, and the hashes of the files
that belong to it: what another key made, and what was changed or removed since, is done again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from vivid_bench.errors import InputError
from vivid_bench.files import canonical_json, sha256_path, sha256_text, write_text
from vivid_bench.masks import binarise
from vivid_bench.types import Mask
from vivid_bench.video import read_video, write_lossless

STAGES = ("clips", "entities", "tracks", "captions", "samples")
"""In the order in which they are made; each reads what those before it wrote."""

WORK = "work"
"""Their folder, below the suite's."""
CARD = "card/card.json"
LOCK = f"{WORK}/.lock"
MARKS = (LOCK, CARD)
"""A folder that has one of them is a build's: `work` may be removed when it is done."""


def key_of(*parts: object) -> str:
    """Return a key of JSON values: 16 hex digits that change with any of them."""
    return sha256_text(canonical_json(parts))[:16]


class Work:
    """A build's intermediate results.

    Args:
        out: the suite's folder; they lie in its `work`.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out / WORK

    def read(self, stage: str, name: str, key: str) -> Any:
        """Return what a stage left for a name under this key; None where that is not there, or not as it was left."""
        path = self._path(stage, name)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise InputError(path, expected="what a stage left", found=str(error), fix="remove it") from error
        if not isinstance(stored, dict) or stored.get("sha256") != _seal(stored) or stored["key"] != key:
            return None
        is_whole = all(self._is_as_it_was(file, sha256) for file, sha256 in stored["files"].items())
        return stored["value"] if is_whole else None

    def write(self, stage: str, name: str, key: str, value: Any, files: Iterable[Path] = ()) -> None:
        """Keep a stage's result.

        Args:
            files: what belongs to it, written before, below the suite's folder.
        """
        hashes = {path.relative_to(self.out).as_posix(): sha256_path(path) for path in files}
        stored = {"key": key, "value": value, "files": hashes}
        text = json.dumps({**stored, "sha256": _seal(stored)}, indent=1, ensure_ascii=False, sort_keys=True)
        write_text(self._path(stage, name), text + "\n")

    def write_masks(self, stage: str, name: str, index: int, masks: Mask, fps: float) -> Path:
        """Keep a (T, H, W) bool mask sequence as a lossless grey video; return where."""
        path = self._masks(stage, name, index)
        write_lossless(path, masks.astype(np.uint8) * np.uint8(255), fps)
        return path

    def read_masks(self, stage: str, name: str, index: int) -> Mask:
        """Return what `write_masks` kept."""
        return binarise(read_video(self._masks(stage, name, index), grey=True).frames)[0]

    def begin(self, stage: str, name: str) -> None:
        """Count a name as not done: files that belong to it are about to be replaced."""
        self._path(stage, name).unlink(missing_ok=True)

    def forget(self, stage: str, name: str) -> None:
        """Remove what a stage left for a name, masks and all, before it is made anew."""
        self.begin(stage, name)
        shutil.rmtree(self.folder / stage / name, ignore_errors=True)

    def _is_as_it_was(self, name: str, sha256: str) -> bool:
        path = self.out / name
        return path.is_file() and sha256_path(path) == sha256

    def _path(self, stage: str, name: str) -> Path:
        return self.folder / stage / f"{name}.json"

    def _masks(self, stage: str, name: str, index: int) -> Path:
        return self.folder / stage / name / f"{index}.mkv"


def _seal(stored: dict[str, Any]) -> str:
    """Return a hash of all that a file of results holds, by which one that was changed since is known."""
    return sha256_text(canonical_json({key: value for key, value in stored.items() if key != "sha256"}))
