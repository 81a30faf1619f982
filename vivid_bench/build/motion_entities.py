"""Entities by their motion: what a keyframe holds that does not move as the camera makes the rest move. No weights.

1. The camera's motion from the keyframe to frames around it: a homography, fitted robustly to dense flow.
2. What the flow leaves over, in units of its own noise; taken from later and from earlier frames, and the lesser of
   the two where both know, because pixels about to be covered have a wrong flow on one side only.
3. Connected regions of it, split where two motions share one.
4. The region's outline: flow bleeds over an entity's edge by several pixels, colours do not (GrabCut).
5. A check by brightness and colour: the entity's own motion has to explain the pixels much better than the camera's.

A still entity, or one that moves with the camera's background, is not found; parallax of near things may be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivid_bench.build.camera_motion import View, against_camera, both_sides, moved_by
from vivid_bench.build.outlines import (
    Labels,
    Picture,
    around,
    largest_part,
    learn_cut,
    opened,
    resize_distance,
    signed_distance,
    to_working_size,
    without_holes,
)
from vivid_bench.build.types import Entity, FrameMask
from vivid_bench.flow import Flow, Preset, flow, parallel, warp
from vivid_bench.types import Frames

OFFSETS = (1, 2, 4)
"""How far the frames are that the keyframe is compared with, on both sides: near ones for fast entities, which flow
loses further away, far ones for slow ones."""
LOW, HIGH = 8.0, 16.0
"""Hysteresis in units of the noise: a region reaches out to LOW and holds a pixel of HIGH. On rendered scenes, 99 % of
a background's pixels stay below 4; parallax on a real clip reached 5."""
LEAST_MOTION = 0.75
"""Least motion against the camera in pixels of the working size, as a mean over OFFSETS: about 0.13 % of the frame's
shorter side a frame."""
LEAST_SHARE, MOST_SHARE = 0.001, 0.5
"""Least and most of the frame that an entity fills; what moves over more than half of it is the background."""
LEAST_EXPLAINED = 0.4
"""Least share of the camera's error in colour that an entity's own flow removes. Measured on 220 rendered scenes: above
0.6 for every entity, mostly below 0.1 for what flow invents at the frame's border."""
LEAST_KEPT = 0.25
"""Least share of a moving region that its outline by colours keeps; less is a rest of what an entity covers next."""
LEAST_CHANGE = 3.0
"""Least error of the camera's motion in an entity, mean over its pixels, of 255."""

_SPLIT_TOLERANCE = 0.3  # of an entity's motion: how far its pixels may be from one affine motion
_SPLIT_SHARE = 0.1  # of a region: the least that counts as a second entity
_MOST_PARTS = 3


@dataclass(frozen=True)
class MotionSelector:
    """Chooses what moves against the camera.

    Attributes:
        preset: of the flow, see `flow.flow`. Of the moving entities of 60 rendered scenes of 426x240 px, `medium`
            finds 96 %; `fast` and `ultrafast` lose the small and fast ones and find 81 % and 73 %.
    """

    preset: Preset = "medium"

    def __call__(self, frames: Frames, keyframe: int) -> list[Entity]:
        """Find moving entities.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            keyframe: index of the frame to find them in; one with frames on both sides is best.

        Returns:
            Entities, the surest first; none where nothing moves against the camera, and for a single frame. The score
            is the share of the camera's colour error that the entity's own motion removes.
        """
        offsets = [s * d for s in (1, -1) for d in OFFSETS if 0 <= keyframe + s * d < len(frames)]
        nearby = to_working_size(frames[[keyframe, *(keyframe + o for o in offsets)]])
        picture = nearby[0]
        flows = parallel(lambda other: flow(picture, other, self.preset), nearby[1:])
        seen = [against_camera(o, other, f) for o, other, f in zip(offsets, nearby[1:], flows, strict=True)]
        views = [view for view in seen if view is not None]
        if not views:
            return []
        regions = []
        for region in _moving_regions(views):
            clearest, score = _clearest(picture, region, views)
            if score > LEAST_EXPLAINED:
                regions += _split(region, clearest)
        found = []
        for region in regions:
            _, score = _clearest(picture, region, views)
            if score > LEAST_EXPLAINED:
                others = [other for other in regions if other is not region]
                outline = _outline(picture, region, others)
                if outline.sum() > LEAST_KEPT * region.sum():
                    found.append(Entity(outline, score))
        found.sort(key=lambda entity: -entity.score)
        return _at_full_size(found, *frames.shape[1:3])


def _moving_regions(views: list[View]) -> list[FrameMask]:
    strength, motion = both_sides(views)
    low = (strength > LOW) & (motion > LEAST_MOTION)
    count, labels = cv2.connectedComponents(low.view(np.uint8), connectivity=4)
    regions = []
    for label in range(1, count):
        region = labels == label
        inside = strength[region]
        if inside.max() <= HIGH:
            continue
        # Flow fades out over several pixels around an entity; half-way is about where it ends.
        region = without_holes(largest_part(region & (strength > np.median(inside) / 2)))
        if LEAST_SHARE < region.mean() < MOST_SHARE:
            regions.append(region)
    return regions


def _clearest(picture: Picture, region: FrameMask, views: list[View]) -> tuple[list[View], float]:
    """Of all distances in time, the views from the one at which flow explains a region's pixels best, and how well.

    Near frames are best for fast entities, far ones for slow entities. How well is 0 to 1: the share of the camera's
    colour error that flow removes; 0 where the camera has next to none.
    """
    best: tuple[list[View], float] = ([], 0.0)
    for distance in OFFSETS:
        pair = [view for view in views if abs(view.offset) == distance]
        seen = [region & view.known for view in pair]
        own = sum(_colour_error(picture, v.other, v.flow, s) for v, s in zip(pair, seen, strict=True))
        camera = sum(_colour_error(picture, v.other, v.camera, s) for v, s in zip(pair, seen, strict=True))
        if camera > LEAST_CHANGE * sum(int(s.sum()) for s in seen) and 1 - own / camera > best[1]:
            best = pair, 1 - own / camera
    return best


def _split(region: FrameMask, views: list[View]) -> list[FrameMask]:
    """Part a region into those of one affine motion each; pixels of neither join the nearest."""
    parts: list[FrameMask] = []
    rest = region
    while len(parts) < _MOST_PARTS and rest.sum() > _SPLIT_SHARE * region.sum():
        part = largest_part(opened(rest & _one_motion(rest, views), 5))
        if part.sum() <= _SPLIT_SHARE * region.sum():
            break
        parts.append(part)
        rest = largest_part(opened(rest & ~part, 7))
    if len(parts) < 2:
        return [region]
    nearest = np.argmin([signed_distance(part) for part in parts], axis=0)
    return [without_holes(region & (nearest == i)) for i in range(len(parts))]


def _one_motion(region: FrameMask, views: list[View]) -> FrameMask:
    """Pixels that follow the affine motion that most of a region agrees with, in one of the views.

    One will do: at an entity's rim, either the flow to later or that to earlier frames is wrong.
    """
    follows = np.zeros_like(region)
    fitted = region
    for view in views:
        ys, xs = np.nonzero(fitted)
        start = np.stack([xs, ys], axis=1).astype(np.float32)
        tolerance = max(1.0, _SPLIT_TOLERANCE * float(np.median(view.against[region])))
        affine, _ = cv2.estimateAffine2D(
            start, start + view.flow[ys, xs], method=cv2.RANSAC, ransacReprojThreshold=tolerance
        )
        if affine is None:
            continue
        error = np.hypot(*np.moveaxis(moved_by(affine, *region.shape) - view.flow, 2, 0))
        follows |= region & (error < tolerance)
        if follows.any():
            fitted = follows
    return follows


def _colour_error(picture: Picture, other: Picture, motion: Flow, seen: FrameMask) -> float:
    difference = cv2.absdiff(warp(other, motion), picture)[seen]
    return float(difference.sum()) / 3


def _outline(picture: Picture, region: FrameMask, others: list[FrameMask]) -> FrameMask:
    """Find an entity's outline in the picture, from a region that is a few pixels too large."""
    distance = signed_distance(region)
    depth = -float(distance.min())
    size = float(np.sqrt(region.sum()))
    # Only its middle is certain, and learning starts from a little more: colours of what the flow bled over, and of
    # the entity's shadow, would else be learnt as its own.
    labels: Labels = np.full(region.shape, cv2.GC_BGD, np.uint8)
    labels[distance < max(3.0, 0.06 * size)] = cv2.GC_PR_BGD
    labels[distance < -0.45 * depth] = cv2.GC_PR_FGD
    labels[distance < -0.75 * depth] = cv2.GC_FGD
    for other in others:
        labels[signed_distance(other) < -1] = cv2.GC_BGD
    window = around(region, round(0.35 * size) + 8)
    inside, _ = learn_cut(np.ascontiguousarray(picture[window]), np.ascontiguousarray(labels[window]), rounds=3)
    outline = np.zeros_like(region)
    outline[window] = inside
    return without_holes(largest_part(opened(outline, 3)))


def _at_full_size(entities: list[Entity], height: int, width: int) -> list[Entity]:
    """Bring masks to the frames' size; where two overlap, the surer one has the pixels."""
    taken = np.zeros((height, width), np.bool_)
    placed = []
    for entity in entities:
        mask = (resize_distance(signed_distance(entity.mask), height, width) < 0) & ~taken
        if mask.any():
            taken |= mask
            placed.append(replace(entity, mask=mask))
    return placed
