"""Masks followed by dense flow, step by step from the keyframe to both ends of a clip. No weights.

A step takes the mask's outline (a signed distance, so that fractions of a pixel are kept) along the flow of its inside,
and lets colours learnt on the keyframe put it right (GrabCut in a narrow band), where those colours find the keyframe's
mask by themselves. A step counts as far as forward and backward flow agree and the colours stay. Where too little does,
the entity is looked for nearby as it last looked; where that fails, the track stops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.outlines import (
    Colours,
    Distance,
    Picture,
    around,
    band_labels,
    cut,
    learn_cut,
    resize_distance,
    signed_distance,
    to_working_size,
    working_size,
)
from vivid_bench.build.redetection import find_again
from vivid_bench.build.types import FrameMask, Track
from vivid_bench.flow import Flow, Preset, clip_flow, consistency, parallel, warp
from vivid_bench.types import Frames

LEAST_CONFIDENCE = 0.4
"""Below this a step is not trusted."""
SAME_COLOUR = 40
"""Most difference of a colour channel, of 255, between a pixel and where it came from."""
MOST_GROWTH = 1.6
"""Most by which a mask's area may grow or shrink in a step; masks at the frame's border may shrink by more."""
LEAST_REMAINING = 0.05
"""Least share of the keyframe mask's area, below which the entity has left the frame or is hidden."""
LEAST_PIXELS = 12
LEAST_AGREEMENT = 0.85
"""Least IoU of the keyframe's mask and what its colours alone make of it, for the colours to be used."""
MOST_CORRECTION = 1.3
"""Most by which colours may change a mask's area in a step."""


@dataclass(frozen=True)
class FlowPropagator:
    """Follows masks by flow and colour.

    Attributes:
        preset: of the flow, see `flow.flow`.
    """

    preset: Preset = "medium"

    def __call__(self, frames: Frames, keyframe: int, masks: Sequence[FrameMask]) -> list[Track]:
        """Follow masks to both ends of a clip, or to where they are lost.

        A frame's confidence is the share of its mask whose flow agrees forward and backward and leads to the same
        colour in the frame that the step came from. The mask of the keyframe is returned as given.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            keyframe: index of the masks' frame.
            masks: (H, W) bool each.

        Returns:
            A track for each mask, in their order; of an empty mask, one of the keyframe alone.
        """
        clip = _Clip(to_working_size(frames), *(self._flows(frames)))
        return parallel(lambda mask: _track(clip, keyframe, mask), masks)

    def _flows(self, frames: Frames) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        small = to_working_size(frames)
        return clip_flow(small, self.preset), clip_flow(small, self.preset, backward=True)


@dataclass(frozen=True)
class _Clip:
    """Frames at their working size, flow from each to the next, and from each next one back."""

    frames: Frames
    forward: NDArray[np.float32]
    backward: NDArray[np.float32]

    def between(self, old: int, new: int) -> tuple[Flow, Flow]:
        """Flow from a frame to its neighbour, and from there back."""
        if new > old:
            return self.forward[old], self.backward[old]
        return self.backward[new], self.forward[new]


@dataclass(frozen=True)
class _Look:
    """What a mask's inside looks like in the keyframe.

    Attributes:
        colours: inside and outside, None where they do not tell the mask from what is around it.
        margin: pixels by which the mask reaches beyond the outline that the colours find.
        area: of that outline, pixels.
    """

    colours: Colours | None
    trusted: object
    margin: float
    area: int


@dataclass(frozen=True)
class _Step:
    """An outline in a frame, how much of it was confirmed (0 to 1), and the flow's median error in pixels."""

    motion: Flow
    confidence: float
    flow_error: float

@dataclass(frozen=True)
class _Found:
    distance: Distance
    confidence: float
    flow_error: float


def _track(clip: _Clip, keyframe: int, mask: FrameMask) -> Track:
    count = len(clip.frames)
    masks = np.zeros((count, *mask.shape), np.bool_)
    confidence, flow_error = np.zeros(count, np.float32), np.zeros(count, np.float32)
    masks[keyframe], confidence[keyframe] = mask, 1
    first = last = keyframe
    start = _at_working_size(mask)
    if (start < 0).any():
        start, look = _learn(clip.frames[keyframe], start)
        for step in (1, -1):
            order = range(keyframe, count if step > 0 else -1, step)
            for t, found in zip(order[1:], _follow(clip, order, start, look), strict=False):
                masks[t] = resize_distance(found.distance - look.margin, *mask.shape) < 0
                confidence[t], flow_error[t] = found.confidence, found.flow_error
                first, last = min(first, t), max(last, t)
    return Track(masks, first, last, confidence, flow_error)


def _at_working_size(mask: FrameMask) -> Distance:
    height, width = working_size(*mask.shape)
    return resize_distance(signed_distance(mask), height, width) * np.float32(height / mask.shape[0])


def _learn(picture: Picture, distance: Distance) -> tuple[Distance, _Look]:
    """Learn a mask's colours and find the outline that they follow, which a mask with a margin is larger than."""
    mask = distance < 0
    only_flow = distance, _Look(None, None, 0.0, int(mask.sum()))
    window = around(mask, round(2 * _band(mask)) + 2)
    part = distance[window]
    inside, colours = learn_cut(np.ascontiguousarray(picture[window]), band_labels(part, 2 * _band(mask)), rounds=ROUNDS)
    if colours is None or not inside.any():
        return only_flow
    outline = np.full(distance.shape, np.float32(1e4))
    outline[window] = signed_distance(inside)
    rim = np.abs(outline) < 1
    if not rim.any(): return only_flow
    margin = max(0.0, -float(np.median(distance[rim])))
    margin = margin if margin >= 1.5 else 0.0
    start = distance + np.float32(margin) if margin else distance
    rim = (np.abs(start) < 1)
    agree = rim & (np.abs(outline - start) < AGREE_PX)
    side = 2 * round(_band(mask)) + 1
    a, r = (cv2.blur(cv2.blur(x.astype(np.float32), (side, side)), (side, side)) for x in (agree, rim))
    trusted = a > LEAST_AGREEMENT * r
    trusted &= r > 0
    if agree.sum() < OVERALL * rim.sum(): return only_flow
    return start, _Look(colours, trusted.astype(np.float32), margin, int((start < 0).sum()))

AGREE_PX=2.0
OVERALL=.3
ROUNDS=2
BAND=.06

def _band(mask: FrameMask) -> float:
    """Pixels, each side of an outline, within which colours may move it: less than it moves in a step, by far."""
    return max(3.0, BAND * float(np.sqrt(mask.sum())))


def _follow(clip: _Clip, order: range, start: Distance, look: _Look) -> Iterator[_Step]:
    """Yield a step for each frame after the first of `order`, up to where the mask is lost."""
    distance, origin, key = start, _grid(*start.shape), clip.frames[order[0]]
    for old, new in zip(order, order[1:], strict=False):
        step = _by_flow(clip.frames[old], clip.frames[new], *clip.between(old, new), distance)
        if step is None or step.confidence < LEAST_CONFIDENCE:
            again = find_again(clip.frames[old], clip.frames[new], distance, SAME_COLOUR)
            step = None if again is None else _Step(again[0], again[1], 0.0)
        if step is None or step.confidence < LEAST_CONFIDENCE:
            return
        moved, origin = _moved(distance, step.motion), _moved(origin, step.motion)
        if (moved < 0).any():
            drift = _drift(clip.frames[new], key, origin, moved)
            if drift is not None:
                moved, origin = _moved(moved, drift), _moved(origin, drift)
        corrected = _corrected(clip.frames[new], moved, look, origin)
        area, before = int((corrected < 0).sum()), int((distance < 0).sum())
        if area < max(LEAST_PIXELS, LEAST_REMAINING * look.area) or not _plausible(corrected, area, before):
            return
        distance = corrected
        yield _Found(distance, step.confidence, step.flow_error)


def _drift(picture, key, origin, distance):
    from vivid_bench.flow import flow
    mask = distance < 0
    window = around(mask, 16)
    seen = cv2.remap(key, origin[..., 0], origin[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[window]
    new = np.ascontiguousarray(picture[window]); seen=np.ascontiguousarray(seen)
    back, there = flow(new, seen, "medium"), flow(seen, new, "medium")
    inside = mask[window] & (distance[window] < -1)
    same = cv2.absdiff(warp(seen, back), new).max(axis=2) < SAME_COLOUR
    sure = inside & consistency(back, there) & same
    if not sure.any() or sure.sum() < 0.6 * inside.sum():
        return None
    motion = np.zeros_like(origin)
    motion[window] = _spread(back, sure)
    if np.median(np.hypot(*motion[mask].T))>8: return None
    return motion

def _grid(height: int, width: int):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([x, y])

def _moved(values, motion):
    at = _grid(*motion.shape[:2]) + motion
    return cv2.remap(values, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _plausible(distance: Distance, area: int, before: int) -> bool:
    mask = distance < 0
    at_border = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
    return area <= MOST_GROWTH * before and (bool(at_border) or before <= MOST_GROWTH * area)


def _by_flow(old: Picture, new: Picture, there: Flow, back: Flow, distance: Distance) -> _Step | None:
    """Take an outline along the flow of its inside; None where none of the new frame's pixels come from there."""
    # Near the outline, flow is a mixture of the entity's and the background's: its inside alone is asked.
    deep = min(2.0 + 0.03 * float(np.sqrt((distance < 0).sum())), -0.5 * float(distance.min()))
    origin = warp(distance + np.float32(deep), back)
    inside = origin < 0
    height, width = distance.shape
    x = back[..., 0] + np.arange(width, dtype=np.float32)
    y = back[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    inside &= (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    if not inside.any():
        return None
    same = cv2.absdiff(warp(old, back), new).max(axis=2) < SAME_COLOUR
    sure = inside & consistency(back, there) & same
    if not sure.any():
        return None
    motion = _spread(back, sure)
    error = np.hypot(*np.moveaxis(back + warp(there, back), 2, 0))[inside]
    return _Step(motion, float(sure.sum() / inside.sum()), float(np.median(error)))


def _spread(motion: Flow, sure: FrameMask) -> Flow:
    """Smooth a flow over its sure pixels and carry it on beyond them: far away it is their median."""
    side = 2 * max(1, round(0.15 * float(np.sqrt(sure.sum())))) + 1
    weight = sure.astype(np.float32)
    weighted = np.dstack([motion * weight[..., None], weight])
    for _ in range(2):  # two boxes make a tent
        weighted = cv2.blur(weighted, (side, side), borderType=cv2.BORDER_REPLICATE)
    little = np.float32(1e-3)
    total = weighted[..., :2] + little * np.median(motion[sure], axis=0).astype(np.float32)
    return np.asarray(total / (weighted[..., 2:] + little), dtype=np.float32)


def _corrected(picture: Picture, distance: Distance, look: _Look, origin) -> Distance:
    """Move an outline to where the colours change, within a band; leave it where they say the same or too much else."""
    mask = distance < 0
    if look.colours is None or not mask.any():
        return distance
    band = _band(mask)
    window = around(mask, round(2 * band) + 2)
    inside = mask.copy()
    labels = np.ascontiguousarray(band_labels(distance[window], band))
    inside[window] = cut(np.ascontiguousarray(picture[window]), labels, look.colours)
    trusted = cv2.remap(look.trusted, origin[..., 0], origin[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) > 0.5
    inside = np.where(trusted, inside, mask)
    area, before = int(inside.sum()), int(mask.sum())
    if not before / MOST_CORRECTION <= area <= before * MOST_CORRECTION:
        return distance
    # Where both say the same, the distance keeps its fraction of a pixel: slow motion would else stand still.
    return np.where(inside == mask, distance, signed_distance(inside))
