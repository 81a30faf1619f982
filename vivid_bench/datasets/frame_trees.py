"""Sets kept as DAVIS keeps its own: `JPEGImages/…/<sequence>/00000.jpg` beside `Annotations/…/<sequence>/00000.png`.

Only names are read here, and of masks whose kind is not known the first; clips are decoded by `samples.sample_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.listing import content, counted, folders, is_plain
from vivid_bench.datasets.types import Report
from vivid_bench.errors import InputError
from vivid_bench.images import IMAGE_SUFFIXES, numbered_frames, read_labels
from vivid_bench.masks import NEAR_BLACK
from vivid_bench.types import Span

IMAGES, MASKS = "JPEGImages", "Annotations"

OBJECTS: tuple[int, ...] = ()
"""As a sample's labels: all objects. 0 is background, and 255 is left out by DAVIS' own reader too
(davisvideochallenge/davis2017-evaluation, davis2017/davis.py)."""

ENOUGH = 0.9
"""Share of a sequence's frames that must have masks: the few others are cut off, and said so."""


class Findings:
    """What a reader finds missing or left over, gathered by kind."""

    def __init__(self) -> None:
        self._missing: dict[str, list[str]] = {}
        self._odd: dict[str, list[str]] = {}

    def missing(self, expected: str, name: str) -> None:
        """Note that `name` lacks what was expected; it stops a run."""
        self._missing.setdefault(expected, []).append(name)

    def odd(self, what: str, name: str) -> None:
        """Note what was done with `name`; the user is told."""
        self._odd.setdefault(what, []).append(name)

    def add_to(self, report: Report, place: Path) -> None:
        """Add one problem or warning a kind, with its count and the first names."""
        for expected, names in self._missing.items():
            report.problems.append(
                InputError(place, expected=expected, found=f"that lacking in {counted(names)}", fix=DOWNLOAD)
            )
        report.warnings += [f"{place}: {what}: {counted(names)}" for what, names in self._odd.items()]


@contextmanager
def findings(report: Report, place: Path) -> Iterator[Findings]:
    """Gather findings inside the block; they reach the report when it ends, also where a limit ends it early."""
    found = Findings()
    try:
        yield found
    finally:
        found.add_to(report, place)


@dataclass(frozen=True)
class FrameClip:
    """A sequence's frames and masks.

    Attributes:
        name: of the sequence.
        source, mask: their folders, relative to the data folder.
        images, masks: how many there are; of images, at the masks' step.
        frames: how many have both, in one run without gaps; 0 where there is no such run.
        span: that run; None where the folders hold it and nothing else.
    """

    name: str
    source: str
    mask: str
    images: int
    masks: int
    frames: int
    span: Span | None

    @property
    def usable(self) -> bool:
        """Whether (nearly) all frames have masks."""
        return self.frames >= max(1.0, ENOUGH * max(self.images, self.masks))

    @property
    def counts(self) -> str:
        """The sequence's name and counts, for reports."""
        return f"{self.name}: {self.images} frames, {self.masks} masks"


@dataclass(frozen=True)
class FrameTree:
    """Where a set's sequences lie.

    Attributes:
        data: the data folder.
        images, masks: folders whose subfolders are the sequences, relative to it.
        step: every so many frames have a mask.
    """

    data: Path
    images: str
    masks: str
    step: int = 1

    def names(self, found: Findings) -> list[str]:
        """Return the sequences that have a folder of images, sorted; names that cannot be file names are noted."""
        names = folders(self.data / self.images)
        for name in names:
            if not is_plain(name):
                found.missing("names of sequences that can be file names", name)
        return [name for name in names if is_plain(name)]

    def clip(self, name: str) -> FrameClip:
        """Pair a sequence's frames and masks by the numbers in their names.

        Raises:
            InputError: as `images.numbered_frames` does, but for a folder that is empty or not there.
        """
        source, mask = f"{self.images}/{name}", f"{self.masks}/{name}"
        images, masks = _numbers(self.data / source), _numbers(self.data / mask)
        both = sorted(images & masks)
        if not both:
            return FrameClip(name, source, mask, len(images), len(masks), 0, None)
        first = both[0]
        whole = self.step == 1 and images == masks
        gapless = all(after - before == self.step for before, after in pairwise(both))
        return FrameClip(
            name=name, source=source, mask=mask, masks=len(masks),
            images=sum((number - first) % self.step == 0 for number in images),
            frames=len(both) if gapless else 0, span=None if whole else Span(first=first, step=self.step),
        )  # fmt: skip

    def clips(
        self, names: Iterable[str], report: Report, found: Findings, *, partial_expected: bool = False
    ) -> Iterator[FrameClip]:
        """Yield the sequences that can be used.

        Args:
            partial_expected: the set has sequences of which only some frames have masks; elsewhere masks are missing.
        """
        for name in names:
            try:
                clip = self.clip(name)
            except InputError as error:
                report.problems.append(error)
                continue
            if not clip.images:
                found.missing(f"frames of each sequence, in {self.images}", name)
            elif clip.usable:
                if max(clip.images, clip.masks) > clip.frames:
                    found.odd("sequences cut to the frames that have both image and mask", clip.counts)
                yield clip
            elif partial_expected:
                found.odd(f"sequences left out, for not all of their frames have masks in {self.masks}", clip.counts)
            elif not clip.masks:
                found.missing(f"masks of each sequence, in {self.masks}", name)
            else:
                found.missing("a mask for each frame of a sequence", clip.counts)

    def labels(self, clip: FrameClip) -> tuple[int, ...] | None:
        """Return the labels to edit, all objects'; None where the masks are black and white.

        The first mask that is not empty decides: objects are counted from 1, and white is 255. Of JPEGs, whose black is
        not always 0, all have to be dark.
        """
        files = numbered_frames(self.data / clip.mask)
        dark = None
        for number in sorted(files):
            try:
                values = np.unique(read_labels(files[number]))
            except InputError:  # black and white kept in colour; or damaged, which reading the clip will say
                return None
            objects = values[(values > 0) & (values < 255)]
            if objects.size and files[number].suffix.lower() == ".png":
                # A soft or resized black and white mask has greys up to its white.
                return OBJECTS if objects.max() < NEAR_BLACK else None
            if values.max() >= NEAR_BLACK:
                return None
            if objects.size:
                dark = OBJECTS
        return dark


def set_folder(data: Path, inner: str, layout: str) -> str:
    """Return the prefix of a set's paths: `""`, or `<inner>/` where an archive was unpacked as it is.

    Raises:
        InputError: neither holds `JPEGImages`.
    """
    for prefix in ("", f"{inner}/"):
        if (data / prefix / IMAGES).is_dir():
            return prefix
    fix = f"--data is the folder of:\n{layout}"
    raise InputError(data, expected=f"a folder {IMAGES}", found=content(data), fix=fix)


def resolution_folder(root: Path, preferred: str, found: Findings) -> str:
    """Return what lies between `JPEGImages` and its sequences, e.g. `/480p`; `""` where nothing does.

    Of several folders the preferred one, or else the first, is taken, and the others are noted.

    Raises:
        InputError: no such folder is in `Annotations` too.
    """
    resolutions = [name for name in folders(root / IMAGES) if folders(root / IMAGES / name)]
    if not resolutions:
        return ""
    both = [name for name in resolutions if (root / MASKS / name).is_dir()]
    if not both:
        expected = f"a folder {' or '.join(resolutions)}, as in {IMAGES}"
        raise InputError(root / MASKS, expected=expected, found="none", fix=DOWNLOAD)
    chosen = preferred if preferred in both else both[0]
    for name in resolutions:
        if name != chosen:
            found.odd(f"resolutions not read ({chosen} is)", name)
    return f"/{chosen}"


def _numbers(folder: Path) -> set[int]:
    """Return the numbers of a folder's images; none where it is empty or not there."""
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except PermissionError as error:
        raise InputError(folder, expected="a readable folder", found="no permission", fix="chmod it") from error
    if not any(name.lower().endswith(IMAGE_SUFFIXES) and name[0] != "." for name in names):
        return set()
    return set(numbered_frames(folder))
