"""An outline put right by colours that were learnt on the keyframe, as far as they can be trusted there."""

from __future__ import annotations

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
    sampled,
    signed_distance,
)
from vivid_bench.build.types import FrameMask

BAND = 0.12
"""Half width of the band in which colours decide, as a share of the square root of a mask's area."""
LEAST_BAND_PX = 3.0
AGREEMENT_PX = 1.5
"""Most distance of the outline that colours find on the keyframe from the given one, for them to be trusted there."""
LEAST_AGREEMENT = 0.7
"""Share of an outline nearby that has to agree for a pixel to be decided by colours."""
LEAST_AGREEMENT_OVERALL = 0.5
"""Share of the whole outline that has to agree for colours to be used at all: they do not tell a white statue from a
white pillar, and what agrees then does so by chance."""
MOST_CORRECTION = 1.3
"""Most by which colours may change a mask's area in a frame."""


@dataclass(frozen=True)
class ColourOutline:
    """What the keyframe says about an entity's outline.

    Attributes:
        colours: inside and outside.
        trusted: (H, W) float32, 1 where colours find the given outline by themselves, else 0.
        margin: pixels by which the given mask reaches beyond the outline that colours find; below 0 where it falls
            short. Masks often have one, and it stays with them.
    """

    colours: Colours
    trusted: NDArray[np.float32]
    margin: float


def learn_outline(picture: Picture, distance: Distance) -> ColourOutline | None:
    """Learn the colours on both sides of an outline, and where they find it by themselves.

    Args:
        picture: (H, W, 3) uint8 RGB, the keyframe.
        distance: (H, W) float32, signed distance to the given outline.

    Returns:
        What is needed to follow it; None where colours do not find it.
    """
    mask = distance < 0
    if mask.all() or not mask.any():
        return None
    band = _band(mask)
    window = around(mask, round(4 * band) + 2)
    labels = np.ascontiguousarray(band_labels(distance[window], 2 * band))
    inside, colours = learn_cut(np.ascontiguousarray(picture[window]), labels, rounds=1)
    if colours is None or inside.all() or not inside.any():
        return None
    found = signed_distance(inside)
    given = distance[window]
    margin = float(np.median((found - given)[np.abs(found) < 1]))
    rim = np.abs(given + np.float32(margin)) < 1
    agreeing = rim & (np.abs(found - given - np.float32(margin)) < AGREEMENT_PX)
    if not rim.any() or agreeing.sum() < LEAST_AGREEMENT_OVERALL * rim.sum():
        return None
    near_agreeing, near_rim = _nearby(agreeing, band), _nearby(rim, band)
    trusted = np.zeros(distance.shape, np.float32)
    trusted[window] = (near_agreeing > LEAST_AGREEMENT * near_rim) & (near_rim > 0)
    return ColourOutline(colours, trusted, margin)


def corrected(picture: Picture, distance: Distance, origin: NDArray[np.float32], outline: ColourOutline) -> Distance:
    """Move an outline to where the colours change, where they are trusted; unchanged if they change too much.

    Args:
        picture: (H, W, 3) uint8 RGB.
        distance: (H, W) float32, signed distance to the mask's outline, its margin included.
        origin: (H, W, 2) float32, where each pixel is in the keyframe.
        outline: what the keyframe says.

    Returns:
        (H, W) float32, the mask's, its margin included.
    """
    tight = distance + np.float32(outline.margin)
    mask = tight < 0
    if mask.all() or not mask.any():
        return distance
    band = _band(mask)
    window = around(mask, round(2 * band) + 2)
    labels = np.ascontiguousarray(band_labels(tight[window], band))
    trusted = sampled(outline.trusted, origin[window]) > 0.5
    inside = mask.copy()
    cut_out = cut(np.ascontiguousarray(picture[window]), labels, outline.colours)
    inside[window] = np.where(trusted, cut_out, mask[window])
    area, before = int(inside.sum()), int(mask.sum())
    if not before / MOST_CORRECTION <= area <= before * MOST_CORRECTION:
        return distance
    # Where both say the same, the distance keeps its fraction of a pixel: slow motion would else stand still.
    return np.where(inside == mask, distance, signed_distance(inside) - np.float32(outline.margin))


def _band(mask: FrameMask) -> float:
    return max(LEAST_BAND_PX, BAND * float(np.sqrt(mask.sum())))


def _nearby(mask: FrameMask, band: float) -> NDArray[np.float32]:
    """Share of the pixels within about a band's width that are in a mask."""
    side = 2 * round(band) + 1
    once = cv2.blur(mask.astype(np.float32), (side, side))
    return np.asarray(cv2.blur(once, (side, side)), dtype=np.float32)
