"""Sets kept as DAVIS keeps its own: `JPEGImages/…/<sequence>/00000.jpg` beside `Annotations/…/<sequence>/00000.png`.

Only names are read here, and what tells masks' kind (`mask_kinds`); clips are decoded by `samples.sample_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.listing import content, counted, folders, is_plain
from vivid_bench.datasets.mask_kinds import Labels, labels_of
from vivid_bench.datasets.types import Report
from vivid_bench.errors import InputError
from vivid_bench.images import IMAGE_SUFFIXES, numbered_frames
from vivid_bench.types import Span

IMAGES, MASKS = "JPEGImages", "Annotations"
UNSUPERVISED = "Annotations_unsupervised"

RENUMBER = "renumber one of them so that a frame and its mask have the same number"

ENOUGH = 0.9
"""Share of a sequence's frames that must have masks: the few others are cut off, and said so."""


class Findings:
    """What a reader finds missing or left over, gathered by kind."""

    def __init__(self) -> None:
        self._missing: dict[tuple[str, str], list[str]] = {}
        self._odd: dict[str, list[str]] = {}

    def missing(self, expected: str, name: str, fix: str = DOWNLOAD) -> None:
        """Note that `name` lacks what was expected; it stops a run."""
        self._missing.setdefault((expected, fix), []).append(name)

    def odd(self, what: str, name: str) -> None:
        """Note what was done with `name`; the user is told."""
        self._odd.setdefault(what, []).append(name)

    def add_to(self, report: Report, place: Path) -> None:
        """Add one problem or warning a kind, with its count and the first names."""
        for (expected, fix), names in self._missing.items():
            found = f"that lacking in {counted(names)}"
            report.problems.append(InputError(place, expected=expected, found=found, fix=fix))
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
        shift: first numbers of frames and of masks, where they differ although there are as many of both.
        one_sided: the first number that only one has, e.g. `no mask 5`; empty where both have the same.
        gap: where the numbers that both have are not one run; empty where they are.
    """

    name: str
    source: str
    mask: str
    images: int
    masks: int
    frames: int
    span: Span | None
    shift: tuple[int, int] | None
    one_sided: str
    gap: str

    @property
    def usable(self) -> bool:
        """Whether (nearly) all frames have masks."""
        return self.frames >= max(1.0, ENOUGH * max(self.images, self.masks))

    @property
    def counts(self) -> str:
        """The sequence's name and counts, and the first number that one side lacks, for reports."""
        return ": ".join(filter(None, (f"{self.name}: {self.images} frames, {self.masks} masks", self.one_sided)))


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
        whole = self.step == 1 and images == masks
        if both:
            images = {number for number in images if (number - both[0]) % self.step == 0}
        shifted = len(images) == len(masks) > 0 and min(images) != min(masks)
        odd = min(images ^ masks, default=None)
        gap = _gap(both, self.step)
        return FrameClip(
            name=name, source=source, mask=mask, images=len(images), masks=len(masks), frames=0 if gap else len(both),
            span=Span(first=both[0], step=self.step) if both and not whole else None,
            shift=(min(images), min(masks)) if shifted else None,
            one_sided="" if odd is None else f"no {'mask' if odd in images else 'frame'} {odd}", gap=gap,
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
            elif clip.shift:
                shift = f"{name}: {clip.images} of both, frames from {clip.shift[0]}, masks from {clip.shift[1]}"
                found.missing("frames and masks that begin with the same number", shift, RENUMBER)
            elif clip.usable:
                if max(clip.images, clip.masks) > clip.frames:
                    found.odd("sequences cut to the frames that have both image and mask", clip.counts)
                yield clip
            elif partial_expected:
                found.odd(f"sequences left out, for not all of their frames have masks in {self.masks}", clip.counts)
            elif not clip.masks:
                found.missing(f"masks of each sequence, in {self.masks}", name)
            elif clip.gap and not clip.one_sided:
                every = "one by one" if self.step == 1 else f"in steps of {self.step}"
                fix = f"{DOWNLOAD}, or renumber both"
                found.missing(f"frames and masks numbered {every}", f"{name}: {clip.gap}", fix)
            else:
                found.missing("a mask for each frame of a sequence", clip.counts)

    def labelled(self, clips: Iterable[FrameClip], report: Report) -> Iterator[tuple[FrameClip, Labels]]:
        """Yield sequences with the labels to edit, None where masks are black and white (see `mask_kinds.labels_of`).

        Those whose masks may be either are problems.
        """
        for clip in clips:
            folder = self.data / clip.mask
            files = numbered_frames(folder)
            try:
                labels = labels_of(folder, [files[number] for number in sorted(files)])
            except InputError as error:
                report.problems.append(error)
                continue
            yield clip, labels


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
    if not (root / MASKS).is_dir() and (root / UNSUPERVISED).is_dir():
        fix = f"{UNSUPERVISED} labels other objects and is not read: download the set's annotations for semi-supervised"
        raise InputError(root, expected=f"a folder {MASKS}", found=content(root), fix=fix)
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


def _gap(numbers: list[int], step: int) -> str:
    """Return where sorted numbers are not one run at a step, or nothing where they are."""
    apart = {after - before for before, after in pairwise(numbers)}
    if apart <= {step}:
        return ""
    if len(apart) == 1:
        return f"both in steps of {apart.pop()}, from {numbers[0]}"
    before, after = next((a, b) for a, b in pairwise(numbers) if b - a != step)
    return f"neither has {before + step}" if after - before > step else f"both have {before} and {after}"


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
