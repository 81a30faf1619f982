"""New splits from raw video: VIVID-10M's two pipelines (arXiv 2411.15260), stage by stage.

Add and modify: clip, keyframe, entity, its mask in all frames, caption. Delete: where no entity is, a mask out of the
pool of all entities' masks, carried along with the background. In all of them the clip itself is the exact reference.
Every stage leaves its results in `OUT/work`, where they can be looked at, and is not done again with the same inputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from vivid_bench.build.card import write_card
from vivid_bench.build.input_stages import InputResult, Place, build_deletes, build_entities
from vivid_bench.build.inputs import clip_names, find_inputs
from vivid_bench.build.parts import Parts, check_settings
from vivid_bench.build.pool import Stamp
from vivid_bench.build.results import ClipResult, Reject
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.suite_writer import write_suite
from vivid_bench.build.timing import Timing
from vivid_bench.build.work import LOCK, MARKS, STAGES
from vivid_bench.build.workers import in_order
from vivid_bench.errors import InputError, RunLockedError
from vivid_bench.files import disk_errors_named, remove_leftovers


class Reporter(Protocol):
    """Shows progress."""

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        """Show a stage of so many videos; the function is told each one that is done."""
        ...


@dataclass
class Built:
    """What came of a build.

    Attributes:
        results: of the clips; a clip with entities and delete samples is there twice.
        rejects: of inputs that gave no clip.
        timing: of what was done in this run.
    """

    results: list[ClipResult] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return sum(len(result.samples) for result in self.results)


def build_suite(
    videos: Path, out: Path, settings: BuildSettings, reporter: Reporter, workers: int = 1, until: str = STAGES[-1]
) -> Built:
    """Build a suite from a folder of videos; goes on where an earlier call was stopped.

    Args:
        videos: holds videos, or folders `<id>/source.* + mask.*` whose masks are then the entities.
        out: the suite's folder; `out/work` keeps what the stages made and may be removed afterwards.
        workers: processes.
        until: the last stage to do, one of `work.STAGES`; the suite is written after the last of them.

    Raises:
        InputError: no videos, a folder that holds something else, a full disk.
        RunLockedError: another build is at work there.
        VividBenchError: settings that do not go together, weights that are not there, a worker that was killed.
    """
    check_settings(settings)
    _check_out(out, videos)
    entries = find_inputs(videos, out)
    names = clip_names([entry.name for entry in entries])
    places = [Place(entry, names[entry.name], videos, out) for entry in entries]
    weights = Parts(settings).weights
    built = Built()
    with _lock(out):
        remove_leftovers(out)
        hashes: dict[str, str] = {}
        stamps: list[Stamp] = []
        for result in _map(partial(_entities, settings, until), places, workers, reporter, "videos"):
            hashes |= result.hashes
            stamps += result.stamps
            _merge(built, result)
        if until != STAGES[-1]:
            return built
        if "delete" in settings.tasks:
            paste = partial(_deletes, settings, stamps, _pool_key(stamps))
            for result in _map(paste, places, workers, reporter, "delete"):
                _merge(built, result)
        samples = [kept.sample for result in built.results for kept in result.samples]
        write_suite(out, settings, samples)
        write_card(out, settings, built.results, built.rejects, hashes, weights)
    return built


def _merge(built: Built, result: InputResult) -> None:
    built.results += result.clips
    built.rejects += result.rejects
    built.timing.merge(result.timing)


def _check_out(out: Path, videos: Path) -> None:
    """Refuse a folder in which a build would replace or remove what it did not make."""
    fix = "give --out a new folder"
    if videos.resolve().is_relative_to(out.resolve()):
        raise InputError(out, expected="a folder without the videos in it", found="the videos", fix=fix)
    with disk_errors_named(out):
        if not out.exists() or not any(out.iterdir()) or any((out / mark).is_file() for mark in MARKS):
            return
    raise InputError(out, expected="a new folder, or one of an earlier build", found="other files", fix=fix)


@contextmanager
def _lock(out: Path) -> Iterator[None]:
    lock = FileLock(out / LOCK)
    try:
        with disk_errors_named(out):
            (out / LOCK).parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
    except Timeout as error:
        raise RunLockedError(f"{out}: another build is at work here; wait for it, or choose another --out") from error
    try:
        yield
    finally:
        lock.release()


def _map(
    function: Callable[[Place], InputResult], places: Sequence[Place], workers: int, reporter: Reporter, title: str
) -> Iterator[InputResult]:
    """Yield a result for each video in their order, showing progress."""
    with reporter.stage(title, len(places)) as progress:
        for at, result in zip(places, in_order(function, places, workers), strict=True):
            progress(at.name)
            yield result


def _entities(settings: BuildSettings, until: str, at: Place) -> InputResult:
    return build_entities(at, _parts(settings), until)


def _deletes(settings: BuildSettings, stamps: Sequence[Stamp], pool_key: str, at: Place) -> InputResult:
    return build_deletes(at, _parts(settings), stamps, pool_key)


@cache
def _parts(settings: BuildSettings) -> Parts:
    # Once a process: models stay loaded from video to video.
    return Parts(settings)


def _pool_key(stamps: Sequence[Stamp]) -> str:
    digest = hashlib.sha256()
    for stamp in stamps:
        digest.update(f"{stamp.origin} {stamp.share!r} {stamp.mask.shape}".encode())
        digest.update(stamp.mask.tobytes())
    return digest.hexdigest()[:16]
