"""Run folders: typed, versioned, written atomically, resumable.

`<out>/<suite>/<task>/<method>/<run_key>/` holds `run.json`, `edits.jsonl`, `scores.jsonl`, `edits/`, `previews/`.
While a run is under way, each finished clip is a file of its own below `parts/`; the two `.jsonl` files are assembled
from them, in the split's order, when the stage ends. So a kill loses at most the clip under way and the one being
written, and the figures are the same whatever the order or number of workers.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, TypeAdapter, ValidationError

from vivid_bench.errors import InputError, RecordError, RunLockedError
from vivid_bench.files import (
    canonical_json,
    disk_errors_named,
    remove_leftovers,
    sha256_path,
    sha256_text,
    write_text,
)
from vivid_bench.machine import code_state, environment
from vivid_bench.types import Composite, EditedClip, MethodRef, RunRecord, Score, SharedKeyframes, Split

Model = TypeVar("Model", bound=BaseModel)

LOG_NAME = "method.log"


def run_key(
    method: MethodRef,
    composite: Composite,
    seed: int,
    split_sha256: str,
    samples: Sequence[str],
    keyframes: SharedKeyframes | None = None,
    keyframes_given: bool | None = None,
) -> str:
    """Return the first 12 hex digits of a hash over all that decides the figures."""
    decided_by: dict[str, object] = {
        "method": method.model_dump(mode="json", exclude={"kind"}),
        "composite": composite,
        "seed": seed,
        "split": split_sha256,
        "samples": list(samples),
    }
    # Only where there are any: runs from before the keyframe track keep their keys.
    if (keyframes, keyframes_given) != (None, None):
        decided_by |= {"keyframes": keyframes, "keyframes_given": keyframes_given}
    return sha256_text(canonical_json(decided_by))[:12]


def new_record(
    method: MethodRef,
    split: Split,
    composite: Composite,
    seed: int,
    device: str,
    *,
    keyframes_given: bool | None = None,
) -> RunRecord:
    """Return the record of a run about to begin on this machine."""
    commit, dirty = code_state()
    samples = tuple(sample.id for sample in split.samples)
    return RunRecord(
        run_id=uuid.uuid4().hex,
        run_key=run_key(method, composite, seed, split.sha256, samples, split.keyframes, keyframes_given),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        status="generating",
        suite=split.suite,
        task=split.task,
        split_version=split.version,
        split_sha256=split.sha256,
        samples=samples,
        source_videos=tuple(sample.source_video for sample in split.samples),
        keyframes=split.keyframes,
        keyframes_given=keyframes_given,
        method=method,
        composite=composite,
        seed=seed,
        main_metric=split.main_metric,
        code_commit=commit,
        code_dirty=dirty,
        environment=environment(device),
    )


@dataclass(frozen=True)
class RunFolder:
    """One run's folder on disk."""

    path: Path

    @classmethod
    def of(cls, out: Path, record: RunRecord) -> RunFolder:
        """Return the folder that a record belongs in."""
        return cls(out / record.suite / record.task / record.method.name / record.run_key)

    @property
    def edits_dir(self) -> Path:
        """Where the lossless edits lie."""
        return self.path / "edits"

    @property
    def previews_dir(self) -> Path:
        """Where the H.264 previews lie."""
        return self.path / "previews"

    @property
    def log(self) -> Path:
        """Where what a method's own program prints is kept."""
        return self.path / LOG_NAME

    @contextmanager
    def lock(self, *, wait: bool = False) -> Iterator[None]:
        """Hold the folder for this process.

        Raises:
            RunLockedError: another process has it and `wait` is False.
            InputError: the folder cannot be made or written.
        """
        lock = FileLock(self.path / ".lock", timeout=-1 if wait else 0)
        try:
            with disk_errors_named(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                lock.acquire()
        except Timeout as error:
            raise RunLockedError(
                f"{self.path}: another vivid-bench is at work in this run; wait for it, or choose another --out"
            ) from error
        try:
            remove_leftovers(self.path)
            yield
        finally:
            lock.release()

    def is_locked(self) -> bool:
        """Whether another process holds the folder right now."""
        try:
            with self.lock():
                return False
        except RunLockedError:
            return True

    def record(self) -> RunRecord | None:
        """Read `run.json`; None when there is none. Raises `RecordError` when it cannot be used."""
        path = self.path / "run.json"
        if not path.is_file():
            return None
        try:
            return RunRecord.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            raise RecordError(f"{path}: no record of schema version 1: {error}") from error

    def write_record(self, record: RunRecord) -> None:
        """Write `run.json`."""
        write_text(self.path / "run.json", record.model_dump_json(indent=2) + "\n")

    def clear(self) -> None:
        """Remove everything that the run made, so that it begins anew."""
        for name in ("edits", "previews", "parts"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in ("run.json", "edits.jsonl", "scores.jsonl", LOG_NAME):
            (self.path / name).unlink(missing_ok=True)

    def edits(self) -> dict[str, EditedClip]:
        """Return the edits made so far, by sample id."""
        clips = _read_lines(self.path / "edits.jsonl", EditedClip)
        clips += [clip for path in self._parts("edits") for clip in _read_lines(path, EditedClip)]
        return {clip.sample_id: clip for clip in clips}

    def finished(self, split: Split) -> tuple[RunRecord, dict[str, EditedClip]]:
        """Return the record and edits of a run whose edits are made, on this split; raises `RecordError`."""
        record = self.record()
        if record is None or record.status == "generating":
            raise RecordError(f"{self.path}: its edits are not finished; start the same run again")
        if record.split_sha256 != split.sha256:
            raise RecordError(
                f"{self.path}: made on split {record.split_sha256[:12]}…, the one at hand is "
                f"{split.sha256[:12]}…: pass the suite and --data that it was made with"
            )
        edits = self.edits()
        if missing := sorted(set(record.samples) - edits.keys()):
            raise RecordError(
                f"{self.path / 'edits.jsonl'}: no line for {', '.join(missing)}; start the same run again"
            )
        return record, edits

    def add_edit(self, clip: EditedClip) -> None:
        """Store one finished edit; scores of the edit that it replaces are forgotten."""
        self._part("scores", clip.sample_id).unlink(missing_ok=True)
        self._write_part("edits", clip.sample_id, [clip])

    def finish_edits(self, order: Sequence[str]) -> None:
        """Assemble `edits.jsonl` in the given order and drop the parts."""
        edits = self.edits()
        _write_lines(self.path / "edits.jsonl", (edits[sample_id] for sample_id in order))
        shutil.rmtree(self.path / "parts" / "edits", ignore_errors=True)

    def partial_scores(self) -> dict[str, list[Score]]:
        """Return the scores of an unfinished scoring, by sample id."""
        parts = [_read_lines(path, Score) for path in self._parts("scores")]
        return {scores[0].sample_id: scores for scores in parts if scores}

    def add_scores(self, sample_id: str, scores: Sequence[Score]) -> None:
        """Store one clip's scores."""
        self._write_part("scores", sample_id, scores)

    def finish_scores(self, order: Sequence[str]) -> list[Score]:
        """Assemble `scores.jsonl` in the given order and return the scores; the parts stay until `drop_parts`."""
        parts = self.partial_scores()
        scores = [score for sample_id in order for score in parts[sample_id]]
        _write_lines(self.path / "scores.jsonl", scores)
        return scores

    def scores(self) -> list[Score]:
        """Read `scores.jsonl`."""
        return _read_lines(self.path / "scores.jsonl", Score)

    def scores_sha256(self) -> str | None:
        """Return the hash of `scores.jsonl`; None when there is none."""
        path = self.path / "scores.jsonl"
        return sha256_path(path) if path.is_file() else None

    def drop_parts(self) -> None:
        """Forget the parts: of a finished scoring, or of one made with other metric versions."""
        shutil.rmtree(self.path / "parts", ignore_errors=True)

    def _parts(self, kind: str) -> list[Path]:
        return sorted((self.path / "parts" / kind).glob("[!.]*.jsonl"))

    def _part(self, kind: str, sample_id: str) -> Path:
        return self.path / "parts" / kind / f"{sample_id}.jsonl"

    def _write_part(self, kind: str, sample_id: str, models: Iterable[BaseModel]) -> None:
        _write_lines(self._part(kind, sample_id), models)


def find_runs(records: Path) -> list[RunFolder]:
    """Return every run folder below a folder, in the order of their paths; a run's own folders are not looked into.

    Raises:
        InputError: a folder that must not be read.
    """
    found = []
    for folder, folders, files in os.walk(records, onerror=_refuse_unreadable):
        if "run.json" in files:
            found.append(RunFolder(Path(folder)))
            folders.clear()
    return sorted(found, key=lambda run: run.path)


def _refuse_unreadable(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise InputError(
            error.filename, expected="a readable folder", found="no permission", fix="change its permissions"
        ) from error


def _write_lines(path: Path, models: Iterable[BaseModel]) -> None:
    lines = (json.dumps(_content(m), ensure_ascii=False) for m in models)
    write_text(path, "".join(f"{line}\n" for line in lines))


def _content(model: BaseModel) -> dict[str, object]:
    content = model.model_dump(mode="json", exclude_none=True) | _kept(model)
    if isinstance(model, EditedClip) and not model.notes:
        del content["notes"]
    return content


def _kept(model: BaseModel) -> dict[str, object]:
    # A missing value is said in so many words; other empty fields are left out.
    return {"value": None} if isinstance(model, Score) and model.value is None else {}


def _read_lines(path: Path, kind: type[Model]) -> list[Model]:
    if not path.is_file():
        return []
    adapter = TypeAdapter(kind)
    models = []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: {error}") from error
    # Not splitlines(): an id or a reason may hold a character that it takes for a line's end.
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            models.append(adapter.validate_json(line))
        except ValidationError as error:
            raise RecordError(f"{path}:{number}: no {kind.__name__}: {error}") from error
    return models
