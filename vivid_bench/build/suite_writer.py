"""From samples to a suite: its lists, `suite.toml`, and nothing else among its clips."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from vivid_bench.build.settings import BuildSettings
from vivid_bench.files import atomic_path, sha256_path, write_text
from vivid_bench.types import TASKS, FileRef, Sample

CLIPS = "clips"
VERSION = "1"


def place(file: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has one name a file."""
    with atomic_path(target) as temporary:
        try:
            os.link(file, temporary)
        except OSError:
            shutil.copyfile(file, temporary)


def file_ref(out: Path, path: str) -> FileRef:
    """Return a reference to a file of the suite."""
    return FileRef(path=path, sha256=sha256_path(out / path))


def write_suite(out: Path, settings: BuildSettings, samples: Sequence[Sample]) -> None:
    """Write the lists and `suite.toml`, the latter last, and remove what no sample refers to; no samples, no suite."""
    _remove_unused(out, samples)
    tables = []
    for task in TASKS:
        listing = out / f"{task}.jsonl"
        chosen = [sample for sample in samples if sample.task == task]
        if not chosen:
            listing.unlink(missing_ok=True)
            continue
        write_text(listing, "".join(sample.model_dump_json(exclude_none=True) + "\n" for sample in chosen))
        pin = f'samples = "{listing.name}"\nsha256 = "{sha256_path(listing)}"\nmain_metric = "edit_psnr"\n'
        tables.append(f"[tasks.{task}]\n{pin}")
    if not tables:
        (out / "suite.toml").unlink(missing_ok=True)
        return
    write_text(out / "suite.toml", "\n".join([_header(settings), *tables]))


def _header(settings: BuildSettings) -> str:
    fields = {
        "name": settings.name,
        "version": VERSION,
        "description": f"Built from raw video with seed {settings.seed}; card/README.md says from what.",
        "licence": settings.licence,
    }
    # JSON's strings are TOML's.
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items() if value is not None
    )


def _remove_unused(out: Path, samples: Iterable[Sample]) -> None:
    used = {out / ref.path for sample in samples for ref in (sample.source, sample.mask)}
    for file in sorted((out / CLIPS).rglob("*"), reverse=True):
        if file.is_file() and file not in used:
            file.unlink()
        elif file.is_dir() and not any(file.iterdir()):
            file.rmdir()
