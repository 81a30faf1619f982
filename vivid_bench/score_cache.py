"""Scores by the content that decided them, so that an unchanged clip is never scored twice."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from vivid_bench.errors import InputError
from vivid_bench.files import canonical_json, sha256_path, sha256_text, write_text
from vivid_bench.machine import package_versions
from vivid_bench.types import EditedClip, MetricInfo, Sample, Score

VARIABLE = "VIVID_BENCH_CACHE"
"""Environment variable: the cache's folder; empty = no cache."""

_SCORES = TypeAdapter(dict[str, Score])


@dataclass(frozen=True)
class ScoreCache:
    """Scores on disk, a file for each edit of a sample.

    A file's name is a hash over all that decides a figure but the metric: the files of source, mask, reference and
    edit, what is asked for, the code of the metrics, the packages' versions and the kind of device. In it, scores are
    known by the metric's name, version and weights. A damaged or unwritable cache is no cache: scoring never depends
    on it.

    Args:
        folder: None = nothing is kept.
        device: where networks run.
        weights: name -> sha256 of the weights in use, None where they are missing.
    """

    folder: Path | None
    device: str
    weights: Mapping[str, str | None]

    def read(self, sample: Sample, edit: EditedClip, infos: Sequence[MetricInfo]) -> dict[str, Score]:
        """Return the scores that are known, by the metric's name."""
        path = self._path(sample, edit)
        kept = _read(path) if path else {}
        found = {info.name: kept[name] for info in infos if (name := self._name(info)) in kept}
        return {name: score.model_copy(update={"sample_id": sample.id}) for name, score in found.items()}

    def add(self, sample: Sample, edit: EditedClip, infos: Sequence[MetricInfo], scores: Sequence[Score]) -> None:
        """Keep scores; not those that failed, which may succeed another time."""
        path = self._path(sample, edit)
        if path is None:
            return
        new = {self._name(info): score for info, score in zip(infos, scores, strict=True) if score.status != "failed"}
        text = _SCORES.dump_json(_read(path) | new, exclude_none=True).decode()
        with suppress(InputError, OSError):
            write_text(path, text + "\n")

    def _path(self, sample: Sample, edit: EditedClip) -> Path | None:
        if self.folder is None or edit.video is None:
            return None
        files = (sample.source, sample.mask, sample.reference, edit.video)
        key = sha256_text(
            canonical_json(
                {
                    "files": [file and file.sha256 for file in files],
                    "asked": [sample.task, sample.hole, sample.prompt, sample.keyframes],
                    "code": _code_sha256(),
                    "versions": package_versions(),
                    "device": self.device.partition(":")[0],
                }
            )
        )
        return self.folder / key[:2] / f"{key[2:]}.json"

    def _name(self, info: MetricInfo) -> str:
        weights = self.weights.get(info.needs_weights) if info.needs_weights else None
        return f"{info.name} {info.version} {weights or '-'}"


def default_folder() -> Path | None:
    """Return the folder that `VIVID_BENCH_CACHE` names, or one in the user's cache; None where it is empty."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named).expanduser() if named else None
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "vivid-bench" / "scores"


@cache
def _code_sha256() -> str:
    """Return a hash of what computes scores: in a checkout it changes between versions of the package."""
    package = Path(__file__).parent
    modules = ("flow.py", "masks.py", "video.py", "video_reader.py", "types.py", "scoring.py")
    files = [*sorted((package / "metrics").glob("*.py")), *(package / name for name in modules)]
    return sha256_text("".join(sha256_path(file) for file in files))


def _read(path: Path) -> dict[str, Score]:
    try:
        return _SCORES.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}
