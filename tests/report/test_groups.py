from __future__ import annotations

import numpy as np
import pytest

from vivid_bench.report.groups import (
    ClipFacts,
    background_motion,
    group_clips,
    mask_motion,
    mask_share,
    thirds,
)


def test_thirds_by_hand() -> None:
    groups = thirds([6.0, 1.0, 2.0, 5.0, 4.0, 3.0], "%")
    assert groups == {"up to 2 %": (1, 2), "2 to 4 %": (4, 5), "above 4 %": (0, 3)}


def test_equal_values_are_never_parted() -> None:
    assert thirds([1.0, 1.0, 1.0, 2.0], "%") == {"up to 1 %": (0, 1, 2), "above 1 %": (3,)}
    assert thirds([3.0, 3.0], "%") == {"up to 3 %": (0, 1)}
    assert thirds([None, None], "%") == {"not known": (0, 1)}


def test_mask_share_leaves_empty_frames_out() -> None:
    mask = np.zeros((3, 4, 5), bool)
    mask[0, :2, :5] = True  # 10 of 20
    mask[2, 0, 0] = True  # 1 of 20
    assert mask_share(mask) == pytest.approx((0.5 + 0.05) / 2)
    assert mask_share(np.zeros((2, 4, 5), bool)) is None


def test_mask_motion_in_per_cent_of_the_diagonal() -> None:
    mask = np.zeros((4, 30, 40), bool)  # diagonal 50
    mask[0, 2, 2] = mask[1, 5, 6] = True  # 3 down and 4 right: 5 pixels
    mask[3, 0, 0] = True  # after an empty frame: no step is known
    assert mask_motion(mask) == pytest.approx(100 * 5 / 50)
    assert mask_motion(mask[3:]) is None


def test_background_motion() -> None:
    texture = np.kron(np.random.default_rng(0).integers(0, 256, (20, 40)), np.ones((4, 4))).astype(np.uint8)
    source = np.stack([np.repeat(texture[:60, t : t + 80, None], 3, axis=-1) for t in (0, 2, 4)])  # diagonal 100
    mask = np.zeros(source.shape[:3], bool)
    assert background_motion(source, mask) == pytest.approx(2.0, abs=0.2)
    assert background_motion(source[:1], mask[:1]) is None
    assert background_motion(source, ~mask) is None


def test_groupings() -> None:
    facts = [ClipFacts("rect", "visible", 0.1 * n, 1.0, None) for n in (1, 2, 3)]
    facts.append(ClipFacts(None, "visible", 0.4, 1.0, None))
    groupings = {grouping.title: grouping.groups for grouping in group_clips(facts)}
    # One hole, one motion of the mask and no motion of the background tell nothing.
    assert groupings == {
        "mask kind": {"rect": (0, 1, 2), "not known": (3,)},
        "mask size": {"up to 20 %": (0, 1), "20 to 30 %": (2,), "above 30 %": (3,)},
    }
