"""From a set's candidates to pinned samples: each clip's files are decoded once, checked, and hashed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from vivid_bench.clip_files import check_inside, content_sha256, read_clip, read_mask
from vivid_bench.datasets.json_files import found_wrong
from vivid_bench.datasets.types import Candidate, Report
from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.types import FileRef, Frames, Mask, Sample
from vivid_bench.video import check_shape

INVERTED_SHARE = 0.9
"""A mask that covers more than this share of the clip is probably inverted (white must mean edit)."""

GREY_SHARE = 0.01
"""Share of mid-grey mask pixels from which a warning is given: the mask is lossy or soft."""

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What no caption holds: no text encoder takes it as it is. Tabs and ends of lines may be in one."""

NEAR_DIFFERENCE = 8.0
"""Mean absolute difference, of 255, below which a reference is probably the source after another codec."""


def read_candidates(
    data: Path,
    candidates: Iterable[Candidate],
    report: Report,
    limit: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Add the first `limit` candidates to a report, as samples or as problems; one clip is in memory at a time.

    Args:
        advance: takes 1 after each.
    """
    hashes: dict[str, str] = {}
    for candidate in islice(candidates, limit):
        try:
            report.samples.append(sample_of(data, candidate, report, hashes))
        except VividBenchError as error:
            report.problems.append(error)
        except OSError as error:
            report.problems.append(unreadable(data / candidate.id, error))
        advance(1)


def unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for files of a sample that the system or their text's encoding keeps from being read."""
    found = f"{type(error).__name__}: {error}"
    return InputError(
        path, expected="readable files", found=found, fix="check its permissions and that its text is UTF-8"
    )


def sample_of(data: Path, candidate: Candidate, report: Report, hashes: dict[str, str] | None = None) -> Sample:
    """Decode and check one clip; what is odd but usable is added to the report's warnings.

    Args:
        hashes: by path, those that this pass has found: many samples of a set may share a source.

    Raises:
        InputError: files that are missing, damaged, outside the data folder, or do not fit each other; an id that
            cannot be a file name; a prompt with control characters.
    """
    c = candidate
    _check_prompts(data, c)
    for path in filter(None, (c.source, c.mask, c.reference)):
        check_inside(data, path)
    count = c.frames if c.span else None
    video = read_clip(data, c.source, c.span, count)
    frames, height, width = video.frames.shape[:3]
    if c.frames is not None and c.frames != frames:
        expected = f"{c.frames} frames, as listed"
        raise InputError(data / c.source, expected=expected, found=str(frames), fix="correct one of them")
    mask, grey_share = read_mask(data, c.mask, c.span, count, c.labels)
    _check_mask(data / c.mask, mask, grey_share, (frames, height, width), report)
    same = _is_its_own_answer(data, c, video.frames, mask, report)
    hashes = {} if hashes is None else hashes
    source, mask_file = _file_ref(data, c.source, hashes), _file_ref(data, c.mask, hashes)
    reference = _file_ref(data, c.reference, hashes) if c.reference else None
    try:
        return Sample(
            id=c.id, task=c.task, source=source, mask=mask_file, reference=reference, prompt=c.prompt,
            negative_prompt=c.negative_prompt, frames=frames, height=height, width=width, fps=c.fps or video.fps,
            hole="hidden" if same else c.hole or "visible", source_video=c.source_video or c.id, licence=c.licence,
            mask_kind=c.mask_kind, mask_grey_share=round(grey_share, 6), span=c.span, labels=c.labels,
        )  # fmt: skip
    except ValidationError as error:
        fix = "rename what is called so, or leave it out"
        raise InputError(
            data / c.source, expected="names that a sample can have", found=found_wrong(error), fix=fix
        ) from error


def _check_prompts(data: Path, c: Candidate) -> None:
    for name, text in (("prompt", c.prompt), ("negative prompt", c.negative_prompt)):
        if text and (control := CONTROL.search(text)):
            found = f"{control[0]!a} in {text[max(0, control.start() - 20) : control.end() + 20]!a}"
            expected, fix = f"a {name} without control characters", f"correct the caption of {c.id}"
            raise InputError(data / c.source, expected=expected, found=found, fix=fix)


def _check_mask(path: Path, mask: Mask, grey_share: float, expected: tuple[int, int, int], report: Report) -> None:
    check_shape(path, mask.shape, expected, "the source")
    if not mask.any():
        fix = "redraw it, or leave the sample out"
        raise InputError(path, expected="white (255) where to edit", found="an empty mask in all frames", fix=fix)
    if (share := float(mask.mean())) > INVERTED_SHARE:
        report.warnings.append(
            f"{path}: {share:.0%} of the mask is white; white means edit: is it inverted? nothing was changed"
        )
    if grey_share > GREY_SHARE:
        report.warnings.append(f"{path}: {grey_share:.1%} of the mask is mid-grey; it was cut at half, once")


def _is_its_own_answer(data: Path, c: Candidate, source: Frames, mask: Mask, report: Report) -> bool:
    """Return whether source and reference are equal under the mask; warn where they are nearly so."""
    if c.reference is None:
        return False
    path = data / c.reference
    difference = 0.0
    if c.reference != c.source:
        reference = read_clip(data, c.reference, c.span, c.frames if c.span else None).frames
        check_shape(path, reference.shape, source.shape[:3], "the source")
        difference = float(np.abs(source[mask].astype(np.int16) - reference[mask]).mean())
    if not difference and c.hole == "visible":
        raise InputError(
            data / c.id, expected="a hidden hole", found="hole visible, while the reference is the source itself",
            fix='say "hole": "hidden" in clips.json',
        )  # fmt: skip
    if 0 < difference < NEAR_DIFFERENCE and c.hole != "hidden":
        report.warnings.append(
            f"{path}: nearly the source under the mask (mean difference {difference:.1f} of 255), so methods see the "
            'answer: say "hole": "hidden" in clips.json'
        )
    return not difference


def _file_ref(data: Path, path: str, hashes: dict[str, str]) -> FileRef:
    if path not in hashes:
        hashes[path] = content_sha256(data, path)
    return FileRef(path=path, sha256=hashes[path])
