"""Split x method -> edited clips on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vivid_bench.edit_maker import EditMaker
from vivid_bench.errors import MethodError, RecordError
from vivid_bench.files import sha256_path
from vivid_bench.methods import KnownMethod
from vivid_bench.records import RunFolder, new_record
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import Composite, EditedClip, RunRecord

Progress = Callable[[str], None]
"""Called with a sample's id when the sample is done."""


def new_run(
    out: Path, known: KnownMethod, loaded: LoadedSplit, mode: Composite, seed: int, device: str
) -> tuple[RunFolder, RunRecord]:
    """Return the folder of a run and the record that it gets if it was not begun before.

    Raises `MethodError` when the method does not do the split's task.
    """
    split = loaded.split
    if split.task not in known.card.tasks:
        raise MethodError(f"method {known.card.name} does {', '.join(known.card.tasks)}, not {split.task}")
    given = None if split.keyframes is None else known.card.keyframes
    record = new_record(known.ref(), split, mode, seed, device, keyframes_given=given)
    return RunFolder.of(out, record), record


def generate(
    folder: RunFolder,
    fresh: RunRecord,
    known: KnownMethod,
    loaded: LoadedSplit,
    progress: Progress,
    *,
    overwrite: bool = False,
) -> RunRecord:
    """Make every edit that the run lacks, and return the record with status `generated`.

    A clip on which the method raises, or returns something unusable, is stored as failed with its reason.
    The caller holds the folder's lock. `fresh` is the record of a run that begins here and now.

    Raises:
        RecordError: the run was begun on another device; its figures would be mixed.
        MethodError: the method cannot be loaded, or one that takes samples as a stream broke off. What the run had
            is still there then.
    """
    samples = loaded.split.samples
    done = {} if overwrite else {i: clip for i, clip in folder.edits().items() if _is_stored(folder, clip)}
    # Without any edit (they are not committed) a stored record speaks of another day's machine and code.
    record = (folder.record() or fresh) if done else fresh
    missing = [sample for sample in samples if sample.id not in done]
    if missing:
        device = fresh.environment.device
        _require_device(folder, record, device)
        method = known.load(device, folder.path.absolute())
        if overwrite:
            folder.clear()
        record = record.model_copy(update={"status": "generating"})
        folder.write_record(record)
        # By absolute paths: a method at work may change the working folder while another clip is read or written.
        place, data = replace(folder, path=folder.path.absolute()), replace(loaded, root=loaded.root.absolute())
        maker = EditMaker(place, record, method, data, known.card.keyframes)
        for sample in samples:
            if sample.id in done:
                progress(sample.id)
        for clip in maker.edits(missing):
            done[clip.sample_id] = clip
            progress(clip.sample_id)
    folder.finish_edits(record.samples)
    failed = sum(done[sample.id].status == "failed" for sample in samples)
    record = record.model_copy(update={"status": "generated", "n_edited": len(samples) - failed, "n_failed": failed})
    folder.write_record(record)
    return record


def _require_device(folder: RunFolder, record: RunRecord, device: str) -> None:
    begun_on = record.environment.device
    if begun_on != device:
        raise RecordError(
            f"{folder.path}: begun on {begun_on}, asked to go on on {device}; pass --device {begun_on}, --overwrite, "
            "or another --out"
        )


def _is_stored(folder: RunFolder, clip: EditedClip) -> bool:
    if clip.video is None:
        return clip.status == "failed"
    path = folder.path / clip.video.path
    return path.is_file() and sha256_path(path) == clip.video.sha256
