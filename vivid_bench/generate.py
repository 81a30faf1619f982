"""Split x method -> edited clips on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vivid_bench.compositing import composite, hide_hole
from vivid_bench.errors import MethodError, RecordError
from vivid_bench.files import sha256_path
from vivid_bench.foreign import describe, foreign_code
from vivid_bench.machine import peak_memory
from vivid_bench.methods import KnownMethod, Method
from vivid_bench.records import RunFolder, new_record
from vivid_bench.suites import LoadedSplit, SampleArrays
from vivid_bench.types import Composite, EditedClip, EditRequest, FileRef, Frames, RunRecord, Sample
from vivid_bench.video import one_ahead, write_lossless, write_preview

log = logging.getLogger("vivid_bench")

Progress = Callable[[str], None]
"""Called with a sample's id when the sample is done."""


def make_request(sample: Sample, arrays: SampleArrays, seed: int, *, keyframes: bool = False) -> EditRequest:
    """Return what a method may see of a sample: a hidden hole greyed, and no reference but at keyframes.

    The arrays are the method's own: whatever it does to them, ours stay as they are. With `keyframes` it takes them:
    each is the reference's whole frame, also where a hidden hole is grey in `frames`.
    """
    given: dict[int, Frames] = {}
    if keyframes and sample.keyframes and arrays.reference is not None:
        given = {index: arrays.reference[index].copy() for index in sample.keyframes}
    return EditRequest(
        sample_id=sample.id, task=sample.task, frames=visible_frames(sample, arrays).copy(), mask=arrays.mask.copy(),
        prompt=sample.prompt, fps=sample.fps, seed=seed, negative_prompt=sample.negative_prompt, keyframes=given,
    )  # fmt: skip


def visible_frames(sample: Sample, arrays: SampleArrays) -> Frames:
    """Return the source, with a hidden hole greyed."""
    return hide_hole(arrays.source, arrays.mask) if sample.hole == "hidden" else arrays.source


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
        MethodError: the method cannot be loaded. What the run had is still there then.
    """
    samples = loaded.split.samples
    done = {} if overwrite else {i: clip for i, clip in folder.edits().items() if _is_stored(folder, clip)}
    # Without any edit (they are not committed) a stored record speaks of another day's machine and code.
    record = (folder.record() or fresh) if done else fresh
    missing = [sample for sample in samples if sample.id not in done]
    if missing:
        device = fresh.environment.device
        _require_device(folder, record, device)
        method = known.load(device)
        if overwrite:
            folder.clear()
        record = record.model_copy(update={"status": "generating"})
        folder.write_record(record)
        # By absolute paths: a method at work may change the working folder while another clip is read or written.
        place, data = replace(folder, path=folder.path.absolute()), replace(loaded, root=loaded.root.absolute())
        maker = _EditMaker(place, record, method, data, known.card.keyframes)
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


@dataclass(frozen=True)
class _EditMaker:
    """Edits clip by clip; meanwhile the next clip is decoded, and the last one written and hashed.

    So a kill loses the clip under way and at most the one being written.
    """

    folder: RunFolder
    record: RunRecord
    method: Method
    loaded: LoadedSplit
    keyframes: bool

    def edits(self, samples: Sequence[Sample]) -> Iterator[EditedClip]:
        """Yield what is stored of each sample, in order."""
        with ThreadPoolExecutor(1) as writer:
            writing: Future[EditedClip] | None = None
            for sample, (arrays, request) in zip(samples, one_ahead(self._request, samples), strict=True):
                made = self._edit(sample, arrays, request)
                if writing:
                    yield writing.result()
                writing = writer.submit(self._store, sample, arrays, made)
            if writing:
                yield writing.result()

    def _request(self, sample: Sample) -> tuple[SampleArrays, EditRequest]:
        arrays = self.loaded.read(sample)
        return arrays, make_request(sample, arrays, self.record.seed, keyframes=self.keyframes)

    def _edit(self, sample: Sample, arrays: SampleArrays, request: EditRequest) -> _Made | EditedClip:
        start = time.perf_counter()
        try:
            with foreign_code(), peak_memory(self.record.environment.device) as peak:
                edited = self.method.edit(request)
            seconds = time.perf_counter() - start
            check_edit(edited, arrays.source)
        except (Exception, SystemExit) as error:
            # A method may raise anything; it costs the method this clip, not the run.
            log.warning("%s failed on %s: %s", self.record.method.name, sample.id, describe(error))
            log.debug("traceback", exc_info=True)
            return EditedClip(sample_id=sample.id, status="failed", error=describe(error))
        # A copy: the method may use its array again for the next clip, while this one is being written.
        return _Made(edited.copy(), seconds, peak.bytes)

    def _store(self, sample: Sample, arrays: SampleArrays, made: _Made | EditedClip) -> EditedClip:
        if isinstance(made, _Made):
            source = visible_frames(sample, arrays)
            pasted = composite(source, made.frames, arrays.mask, self.record.composite)
            made = store_edit(self.folder, sample, pasted, made.seconds, made.peak_bytes)
        self.folder.add_edit(made)
        return made


@dataclass(frozen=True)
class _Made:
    frames: Frames
    seconds: float
    peak_bytes: int | None


def check_edit(edited: object, frames: Frames) -> None:
    """Raise `MethodError` unless `edited` is a uint8 array of the shape of the (T, H, W, 3) source frames."""
    if not isinstance(edited, np.ndarray):
        raise MethodError(f"expected an array from edit(), found {type(edited).__name__}")
    if edited.dtype != np.uint8:
        raise MethodError(f"expected uint8 frames in 0..255 from edit(), found {edited.dtype}")
    if edited.shape != frames.shape:
        raise MethodError(f"expected frames of shape {frames.shape} from edit(), found {edited.shape}")


def store_edit(folder: RunFolder, sample: Sample, edited: Frames, seconds: float, peak_bytes: int | None) -> EditedClip:
    """Write the lossless edit and its preview, and return what is stored."""
    path = folder.edits_dir / f"{sample.id}.mkv"
    write_lossless(path, edited, sample.fps)
    write_preview(folder.previews_dir / f"{sample.id}.mp4", edited, sample.fps)
    return EditedClip(
        sample_id=sample.id, status="ok", codec="ffv1",
        video=FileRef(path=path.relative_to(folder.path).as_posix(), sha256=sha256_path(path)),
        frames=sample.frames, height=sample.height, width=sample.width, fps=sample.fps,
        seconds=round(seconds, 6), peak_memory_bytes=peak_bytes,
    )  # fmt: skip
