from __future__ import annotations

import numpy as np
import pytest

from vivid_bench.build.filters import LIMITS, Measures, measure, reject_reason
from vivid_bench.build.types import Track
from vivid_bench.types import Mask

FRAMES, HEIGHT, WIDTH = 4, 40, 50


def track(masks: Mask, first: int = 0, last: int = FRAMES - 1, confidence: float = 1.0, error: float = 0.0) -> Track:
    ones = np.full(len(masks), confidence, np.float32)
    return Track(masks, first, last, ones, np.full(len(masks), error, np.float32))


def box(y0: int, x0: int, y1: int, x1: int) -> Mask:
    masks = np.zeros((FRAMES, HEIGHT, WIDTH), np.bool_)
    masks[:, y0:y1, x0:x1] = True
    return masks


def test_the_figures_of_a_box() -> None:
    masks = box(10, 10, 20, 30)  # 200 of 2000 pixels
    masks[2, 10:15, 10:30] = False  # 100 pixels
    found = measure(track(masks, confidence=0.75, error=0.5))
    assert found.area == pytest.approx((3 * 0.1 + 0.05) / 4)
    assert found.step == pytest.approx(2.0)
    assert found.border == 0.0
    assert found.confidence == pytest.approx(0.75)
    assert found.flow_error == pytest.approx(0.5 * 480 / HEIGHT)


def test_the_outline_on_the_border() -> None:
    # The outline of a 10x20 box has 56 pixels; 20 of them lie in the frame's first row.
    assert measure(track(box(0, 10, 10, 30))).border == pytest.approx(20 / 56)
    assert measure(track(box(0, 0, HEIGHT, WIDTH))).border == 1.0


GOOD = Measures(area=0.1, step=1.1, border=0.0, confidence=0.9, flow_error=0.2)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("area", LIMITS.min_area / 2, "too small"),
        ("area", LIMITS.max_area * 1.1, "too large"),
        ("step", LIMITS.max_step * 1.1, "its size jumps"),
        ("border", LIMITS.max_border * 1.1, "cut off by the frame's border"),
        ("confidence", LIMITS.min_confidence / 2, "followed without confidence"),
        ("flow_error", LIMITS.max_flow_error * 1.1, "flow error"),
    ],
)
def test_each_limit_rejects_for_its_reason(name: str, value: float, reason: str) -> None:
    whole = track(box(10, 10, 20, 30))
    assert reject_reason(whole, GOOD) is None
    assert reject_reason(whole, Measures(**{**GOOD.__dict__, name: value})) == reason


def test_a_track_must_hold_to_both_ends() -> None:
    masks = box(10, 10, 20, 30)
    assert reject_reason(track(masks, first=1), GOOD) == "lost before the clip's end"
    assert reject_reason(track(masks, last=2), GOOD) == "lost before the clip's end"
    masks[1] = False
    assert reject_reason(track(masks), GOOD) == "lost before the clip's end"


def test_masks_that_the_user_gave_may_be_empty_in_between() -> None:
    masks = box(10, 10, 20, 30)
    masks[1] = False
    given = track(masks)
    assert reject_reason(given, measure(given), is_given=True) is None
    tiny = track(box(10, 10, 11, 11))
    assert reject_reason(tiny, measure(tiny), is_given=True) == "too small"
