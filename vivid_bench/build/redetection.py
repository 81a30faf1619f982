"""Finding an entity again that flow has lost, by how it looked in the frame before."""

from __future__ import annotations

import cv2
import numpy as np

from vivid_bench.build.outlines import Distance, Picture, around

REACH = 1.5
"""How far the entity may have gone, in sides of its bounding box, on top of REACH_PX pixels."""
REACH_PX = 16
MOST_DIFFERENCE = 20.0
"""Most root mean square difference, of 255, between the entity then and now."""
LEAST_CONTRAST = 1.5
"""By how much the entity's place has to fit better than a typical one nearby: in one even colour, every place fits."""


def find_again(old: Picture, new: Picture, distance: Distance, same_colour: int) -> tuple[Distance, float] | None:
    """Look for what an outline encloses in one frame near the same place in another.

    Args:
        old, new: (H, W, 3) uint8 RGB.
        distance: (H, W) float32, signed distance to the outline in `old`; negative somewhere.
        same_colour: most difference of a colour channel, of 255, for a pixel to count as confirmed.

    Returns:
        The outline moved to where it fits best, and the share of its pixels that are confirmed there; None where no
        place fits well, or all fit alike.
    """
    mask = distance < 0
    rows, columns = around(mask, 0)
    pattern, weight = old[rows, columns], mask[rows, columns]
    height, width = weight.shape
    top, left = (max(0, s.start - round(REACH * side) - REACH_PX) for s, side in ((rows, height), (columns, width)))
    area = new[top : rows.stop + round(REACH * height) + REACH_PX, left : columns.stop + round(REACH * width) + REACH_PX]
    # Sums of squared differences over the mask's pixels, for every place.
    shaped = np.repeat(weight.astype(np.float32)[..., None], 3, axis=2)
    fit = cv2.matchTemplate(area.astype(np.float32), pattern.astype(np.float32), cv2.TM_SQDIFF, mask=shaped)
    difference = np.sqrt(np.maximum(fit, 0) / (3 * weight.sum()))
    y, x = divmod(int(np.argmin(difference)), difference.shape[1])
    best = float(difference[y, x])
    if best > MOST_DIFFERENCE or float(np.median(difference)) < LEAST_CONTRAST * max(best, 1.0):
        return None
    motion = np.empty((*distance.shape, 2), np.float32)
    motion[:] = columns.start - left - x, rows.start - top - y
    found = area[y : y + height, x : x + width]
    same = cv2.absdiff(found, pattern).max(axis=2) < same_colour
    return motion, float(same[weight].mean())
