"""What the builder's stages leave on disk: one JSON file and, where there are masks, videos for each clip and stage.

`OUT/work/<stage>/<name>.json` is written last and as a whole, so that what has one is finished. It holds a key of all
that decided it: what another key made is done again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from vivid_bench.errors import InputError
from vivid_bench.files import canonical_json, sha256_text, write_text
from vivid_bench.masks import binarise
from vivid_bench.types import Mask
from vivid_bench.video import read_video, write_lossless

STAGES = ("clips", "entities", "tracks", "captions", "samples")
"""In the order in which they are made; each reads what those before it wrote."""


def key_of(*parts: object) -> str:
    """Return a key of JSON values: 16 hex digits that change with any of them."""
    return sha256_text(canonical_json(parts))[:16]


class Work:
    """The folder of a build's intermediate results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, stage: str, name: str, key: str) -> Any:
        """Return what a stage left for a name under this key; None where it has not been done with it."""
        path = self._path(stage, name)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            raise InputError(path, expected="what a stage left", found=str(error), fix="remove it") from error
        return stored["value"] if stored.get("key") == key else None

    def write(self, stage: str, name: str, key: str, value: Any) -> None:
        """Keep a stage's result; what belongs to it was written before."""
        text = json.dumps({"key": key, "value": value}, indent=1, ensure_ascii=False, sort_keys=True)
        write_text(self._path(stage, name), text + "\n")

    def write_masks(self, stage: str, name: str, index: int, masks: Mask, fps: float) -> None:
        """Keep a (T, H, W) bool mask sequence as a lossless grey video."""
        write_lossless(self._masks(stage, name, index), masks.astype(np.uint8) * np.uint8(255), fps)

    def read_masks(self, stage: str, name: str, index: int) -> Mask:
        """Return what `write_masks` kept."""
        return binarise(read_video(self._masks(stage, name, index), grey=True).frames)[0]

    def forget(self, stage: str, name: str) -> None:
        """Remove what a stage left for a name, before it is made anew."""
        self._path(stage, name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / stage / name, ignore_errors=True)

    def _path(self, stage: str, name: str) -> Path:
        return self.folder / stage / f"{name}.json"

    def _masks(self, stage: str, name: str, index: int) -> Path:
        return self.folder / stage / name / f"{index}.mkv"
