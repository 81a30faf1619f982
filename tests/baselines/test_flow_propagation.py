import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench.baselines.flow_propagation.adapter import FlowPropagation
from vivid_bench.baselines.flow_propagation.membrane import membrane
from vivid_bench.baselines.flow_propagation.motion import fit_affine
from vivid_bench.baselines.flow_propagation.tracks import Tracks, apply, sample
from vivid_bench.types import DELETE_PROMPT, EditRequest, Frames, Mask


def texture(height: int, width: int, seed: int = 0) -> Frames:
    """Smooth noise: enough structure for optical flow, no pixel-sized detail."""
    coarse = np.random.default_rng(seed).uniform(30, 225, (height // 6 + 2, width // 6 + 2, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def edit_psnr(edited: Frames, reference: Frames, mask: Mask) -> float:
    return float(10 * np.log10(255**2 / np.square(edited[mask].astype(float) - reference[mask]).mean()))


def delete(source: Frames, mask: Mask) -> Frames:
    return FlowPropagation().edit(EditRequest("clip", "delete", source, mask, DELETE_PROMPT, 24.0, 0))


@pytest.mark.parametrize("shift", [(1, 0), (-2, 1), (0.5, 0.75)])
def test_a_panning_background_is_recovered(shift: tuple[float, float]) -> None:
    canvas = texture(140, 160)
    pans = [np.array([[1, 0, -30 - shift[0] * t], [0, 1, -30 - shift[1] * t]], np.float64) for t in range(11)]
    background = np.stack([cv2.warpAffine(canvas, pan, (96, 72), flags=cv2.INTER_LINEAR) for pan in pans])
    mask = np.zeros(background.shape[:3], bool)
    for t in range(11):
        mask[t, 24:44, 10 + 6 * t : 26 + 6 * t] = True
    source = background.copy()
    source[mask] = (255, 0, 0)
    assert edit_psnr(delete(source, mask), background, mask) > 35


def test_a_zooming_background_is_recovered() -> None:
    canvas = texture(160, 160)
    zooms = [np.array([[1 + 0.01 * t, 0, -32 - t], [0, 1 + 0.01 * t, -32 - t]]) for t in range(9)]
    background = np.stack([cv2.warpAffine(canvas, zoom, (96, 96), flags=cv2.INTER_LINEAR) for zoom in zooms])
    mask = np.zeros(background.shape[:3], bool)
    for t in range(9):
        mask[t, 36:56, 8 + 8 * t : 24 + 8 * t] = True
    source = background.copy()
    source[mask] = 0
    assert edit_psnr(delete(source, mask), background, mask) > 35


def test_a_fully_masked_frame_is_taken_from_its_neighbours() -> None:
    background = np.repeat(texture(48, 64)[None], 5, axis=0)
    mask = np.zeros(background.shape[:3], bool)
    mask[2] = True
    # No motion can be fitted, so the background is taken to stand still, as it does here.
    np.testing.assert_array_equal(delete(background, mask), background)


def test_an_affine_flow_is_found_among_other_movers() -> None:
    y, x = np.mgrid[:60, :80].astype(np.float64)
    flow = np.stack([2 + 0.01 * x - 0.02 * y, -1 + 0.03 * x + 0.01 * y], axis=2).astype(np.float32)
    flow[10:40, 5:35] = (9, -7)  # 900 of 4800 pixels go elsewhere
    motion = fit_affine(flow, np.ones((60, 80), bool))
    np.testing.assert_allclose(motion, [[1.01, -0.02, 2], [0.03, 1.01, -1], [0, 0, 1]], atol=0.02)


def test_too_little_flow_gives_the_identity() -> None:
    trusted = np.zeros((60, 80), bool)
    trusted[0, :11] = True
    np.testing.assert_array_equal(fit_affine(np.ones((60, 80, 2), np.float32), trusted), np.eye(3))


@given(st.tuples(*[st.floats(-255, 255, width=32)] * 3), st.integers(4, 40), st.integers(4, 40))
@settings(max_examples=30, deadline=None)
def test_a_membrane_through_a_constant_is_the_constant(
    value: tuple[float, float, float], height: int, width: int
) -> None:
    image = np.broadcast_to(np.array(value, np.float32), (height, width, 3)).copy()
    hole = np.zeros((height, width), bool)
    hole[1:, : width // 2] = True
    image[hole] = 1e6
    np.testing.assert_allclose(membrane(image, hole), np.broadcast_to(value, image.shape), atol=0.01)


def test_a_membrane_stays_between_its_borders() -> None:
    image = np.zeros((20, 30, 3), np.float32)
    image[:, 20:] = 100
    hole = np.zeros((20, 30), bool)
    hole[:, 10:20] = True
    filled = membrane(image, hole)
    # From 0 on the left to 100 on the right, rising all the way.
    assert (np.diff(filled[:, 9:21], axis=1) > 0).all()
    np.testing.assert_array_equal(filled[~hole], image[~hole])


def test_hops_compose_the_maps_in_both_directions() -> None:
    right, down = np.eye(3), np.eye(3)
    right[0, 2], down[1, 2] = 1, 1
    clip = np.zeros((3, 8, 8, 3), np.uint8)
    tracks = Tracks(clip, np.zeros((3, 8, 8), bool), [right, down], [-right + 2 * np.eye(3), -down + 2 * np.eye(3)])
    start = np.array([[2, 3]], np.float32)
    assert [(t, apply(m, start).tolist()) for t, m in tracks.hops(0, 1)] == [(1, [[3, 3]]), (2, [[3, 4]])]
    assert [(t, apply(m, start).tolist()) for t, m in tracks.hops(2, -1)] == [(1, [[2, 2]]), (0, [[1, 2]])]


def test_a_point_is_visible_only_away_from_the_hole() -> None:
    mask = np.zeros((1, 8, 8), bool)
    mask[0, 4, 4] = True
    tracks = Tracks(np.zeros((1, 8, 8, 3), np.uint8), mask, [], [])
    points = np.array([[4, 4], [3.5, 4], [3, 4], [3, 3], [3.5, 3.5], [7, 7], [7.5, 7], [-0.1, 2]], np.float32)
    assert tracks.visible(0, points).tolist() == [False, False, True, True, False, True, False, False]


def test_sample_interpolates_between_pixels() -> None:
    image = np.array([[0, 10], [20, 30]], np.float32)
    points = np.array([[0, 0], [0.5, 0], [0, 0.5], [0.5, 0.5]], np.float32)
    # 0, (0 + 10) / 2, (0 + 20) / 2, (0 + 10 + 20 + 30) / 4
    np.testing.assert_allclose(sample(image, points), [0, 5, 10, 15])
    assert sample(image, points[:0]).shape == (0,)
