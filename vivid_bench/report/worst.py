"""A row's worst clips as pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.leaderboard.site.media import largest_hole, mark_hole
from vivid_bench.leaderboard.table import Row
from vivid_bench.leaderboard.words import spelled
from vivid_bench.records import RunFolder
from vivid_bench.suites import LoadedSplit, SampleArrays
from vivid_bench.types import EditedClip, Frames, MetricInfo, Sample
from vivid_bench.video import check_shape, read_video, resize

WORST = 5
MAX_WIDTH = 480
"""Pictures are shrunk to this: five clips of a large suite then stay within a few megabytes."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class WorstClip:
    """One clip.

    Attributes:
        value: of the main metric, not scaled.
        frame: which frame the pictures show, and why that one.
        pictures: heading -> PNG as a data URI.
        missing: why there are no pictures, or fewer.
    """

    sample_id: str
    prompt: str | None
    value: float
    frame: str | None
    pictures: Mapping[str, str]
    missing: str | None


def worst_clips(row: Row, info: MetricInfo, loaded: LoadedSplit | str) -> list[WorstClip]:
    """Return the five clips with the worst figures, worst first.

    Args:
        loaded: the clips, or the reason why they are not at hand.
    """
    values = row.values[info.name]
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known] * (1 if info.higher_is_better else -1), kind="stable")]
    run = row.runs[0]
    edits = run.edits()
    frames = {s.sample_id: s.per_frame for s in run.scores() if s.metric == info.name and s.per_frame}
    clips = []
    for place in order[:WORST]:
        sample_id, value = row.record.samples[place], float(values[place])
        if isinstance(loaded, str):
            clips.append(WorstClip(sample_id, None, value, None, {}, loaded))
            continue
        sample = next(s for s in loaded.split.samples if s.id == sample_id)
        clips.append(_clip(sample, value, loaded, run, edits.get(sample_id), frames.get(sample_id), info))
    return clips


def _clip(
    sample: Sample,
    value: float,
    loaded: LoadedSplit,
    run: RunFolder,
    edit: EditedClip | None,
    per_frame: tuple[float | None, ...] | None,
    info: MetricInfo,
) -> WorstClip:
    arrays = loaded.read(sample)
    index, why = _worst_frame(arrays, per_frame, info)
    frame = f"frame {index + 1} of {sample.frames}, {why}"
    pictures = {"source and mask": mark_hole(arrays.source[[index]], arrays.mask[[index]])[0]}
    missing = None
    try:
        edited, kind = _edited(run, edit, sample)
    except InputError as error:
        missing = f"no picture of the edit: {error}"
    else:
        pictures[kind] = edited[index]
    reference = arrays.reference
    if reference is not None:
        pictures["reference"] = reference[index]
    if missing is None:
        other, name = (arrays.source, "source") if reference is None else (reference, "reference")
        difference = np.abs(edited[index].astype(np.int16) - other[index])
        pictures[f"edit – {name}, absolute"] = difference.astype(np.uint8)
    return WorstClip(
        sample.id, sample.prompt, value, frame, {name: _data_uri(p) for name, p in pictures.items()}, missing
    )


def _worst_frame(arrays: SampleArrays, per_frame: tuple[float | None, ...] | None, info: MetricInfo) -> tuple[int, str]:
    known = {i: value for i, value in enumerate(per_frame or ()) if value is not None}
    if not known:
        return largest_hole(arrays.mask), "where the mask is largest"
    return (min if info.higher_is_better else max)(known, key=lambda i: known[i]), f"the worst in {spelled(info.name)}"


def _edited(run: RunFolder, edit: EditedClip | None, sample: Sample) -> tuple[Frames, str]:
    """Return an edit's frames, and what they are; raises `InputError` where there is nothing to show."""
    preview = run.previews_dir / f"{sample.id}.mp4"
    video = edit.video if edit else None
    if video and (run.path / video.path).exists():
        path, kind = run.path / video.path, "edit"
        if sha256_path(path) != video.sha256:
            fix = "it changed after it was scored"
            raise InputError(video.path, expected=f"sha256 {video.sha256[:12]}…", found="another", fix=fix)
    elif preview.is_file():
        path, kind = preview, "edit (preview, lossy)"
    else:
        fix = "make the run again on this machine"
        name = preview.relative_to(run.path)  # a page that others will read names no folder of this machine
        raise InputError(name, expected="the edit or its preview", found="neither", fix=fix)
    frames = read_video(path).frames
    check_shape(path, frames.shape[:3], (sample.frames, sample.height, sample.width), f"sample {sample.id}")
    return frames, kind


def _data_uri(picture: Picture) -> str:
    height, width = picture.shape[:2]
    if width > MAX_WIDTH:
        picture = resize(picture[None], max(1, round(height * MAX_WIDTH / width)), MAX_WIDTH)[0]
    done, png = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    assert done, "OpenCV cannot encode PNG"
    return f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"
