"""From samples to stored edits: clips decoded ahead, the method called, its edits checked, pasted, written."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from vivid_bench.compositing import composite, hide_hole
from vivid_bench.errors import MethodError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.foreign import describe, foreign_code
from vivid_bench.machine import peak_memory
from vivid_bench.methods import ManyMethod, Method
from vivid_bench.records import RunFolder
from vivid_bench.suites import LoadedSplit, SampleArrays
from vivid_bench.types import Edited, EditedClip, EditRequest, FileRef, Frames, RunRecord, Sample
from vivid_bench.video import one_ahead, write_lossless, write_preview

log = logging.getLogger("vivid_bench")


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


@dataclass(frozen=True)
class _Made:
    frames: Frames
    seconds: float
    peak_bytes: int | None
    notes: tuple[str, ...]


_Step = tuple[SampleArrays | None, _Made | EditedClip]
"""What came of a sample, and the sample's arrays where they are at hand."""


@dataclass(frozen=True)
class EditMaker:
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
        make = self._made_as_stream if isinstance(self.method, ManyMethod) else self._made_one_by_one
        with ThreadPoolExecutor(1) as writer, closing(make(samples)) as all_made:
            writing: Future[EditedClip] | None = None
            for sample, (arrays, made) in zip(samples, all_made, strict=True):
                if writing:
                    yield writing.result()
                writing = writer.submit(self._store, sample, arrays, made)
            if writing:
                yield writing.result()

    def _made_one_by_one(self, samples: Sequence[Sample]) -> Generator[_Step]:
        for sample, (arrays, request) in zip(samples, one_ahead(self._request, samples), strict=True):
            yield arrays, self._edit(sample, request)

    def _made_as_stream(self, samples: Sequence[Sample]) -> Generator[_Step]:
        assert isinstance(self.method, ManyMethod)
        broken: list[VividBenchError] = []

        def requests() -> Iterator[EditRequest]:
            try:
                # The arrays are let go: a method may read many requests ahead.
                yield from (request for _, request in one_ahead(self._request, samples))
            except VividBenchError as error:
                broken.append(error)
                raise

        with foreign_code():
            stream = iter(self.method.edit_many(requests()))
        try:
            for sample in samples:
                start = time.perf_counter()
                with foreign_code():
                    edited = next(stream)
                yield None, self._checked(sample, edited, time.perf_counter() - start, None)
        except (Exception, SystemExit) as error:
            if isinstance(error, VividBenchError):
                raise
            # A clip that cannot be read is no fault of the method that was told so.
            why = "gave too few edits" if isinstance(error, StopIteration) else f"broke off: {describe(error)}"
            raise (broken or [MethodError(f"method {self.record.method.name}: edit_many {why}")])[0] from error
        finally:
            if close := getattr(stream, "close", None):
                close()

    def _request(self, sample: Sample) -> tuple[SampleArrays, EditRequest]:
        arrays = self.loaded.read(sample)
        return arrays, make_request(sample, arrays, self.record.seed, keyframes=self.keyframes)

    def _edit(self, sample: Sample, request: EditRequest) -> _Made | EditedClip:
        start = time.perf_counter()
        try:
            with foreign_code(), peak_memory(self.record.environment.device) as peak:
                edited = self.method.edit(request)
        except (Exception, SystemExit) as error:
            # A method may raise anything; it costs the method this clip, not the run.
            return self._failed(sample, error)
        return self._checked(sample, edited, time.perf_counter() - start, peak.bytes)

    def _checked(self, sample: Sample, edited: object, seconds: float, peak_bytes: int | None) -> _Made | EditedClip:
        made = edited if isinstance(edited, Edited) else Edited(edited)  # type: ignore[arg-type]
        try:
            if isinstance(edited, Exception):
                raise edited
            check_edit(made.frames, (sample.frames, sample.height, sample.width, 3))
        except Exception as error:
            return self._failed(sample, error)
        # A copy: the method may use its array again for the next clip, while this one is being written.
        return _Made(made.frames.copy(), made.seconds or seconds, made.peak_memory_bytes or peak_bytes, made.notes)

    def _failed(self, sample: Sample, error: BaseException) -> EditedClip:
        log.warning("%s failed on %s: %s", self.record.method.name, sample.id, describe(error))
        log.debug("traceback", exc_info=error)
        return EditedClip(sample_id=sample.id, status="failed", error=describe(error))

    def _store(self, sample: Sample, arrays: SampleArrays | None, made: _Made | EditedClip) -> EditedClip:
        if isinstance(made, _Made):
            if self.record.composite != "none":
                arrays = arrays or self.loaded.read(sample)
                pasted = composite(visible_frames(sample, arrays), made.frames, arrays.mask, self.record.composite)
                made = replace(made, frames=pasted)
            stored = store_edit(self.folder, sample, made.frames, made.seconds, made.peak_bytes)
            made = stored.model_copy(update={"notes": made.notes})
        self.folder.add_edit(made)
        return made


def check_edit(edited: object, shape: tuple[int, ...]) -> None:
    """Raise `MethodError` unless `edited` is a uint8 array of the source's shape (T, H, W, 3)."""
    if not isinstance(edited, np.ndarray):
        raise MethodError(f"expected an array from edit(), found {type(edited).__name__}")
    if edited.dtype != np.uint8:
        raise MethodError(f"expected uint8 frames in 0..255 from edit(), found {edited.dtype}")
    if edited.shape != shape:
        raise MethodError(f"expected frames of shape {shape} from edit(), found {edited.shape}")


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
