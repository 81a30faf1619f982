"""PROVE's removal coherence: parity with its own code, hand-worked values, endpoints, masks that come and go."""

from __future__ import annotations

import doctest
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_clips import box_mask, edit_clip, noisy, textured
from removal_cases import CLIPS, save_dinov2

from vivid_bench.errors import InputError, MissingWeightsError
from vivid_bench.metrics import patch_features, prove, prove_windows
from vivid_bench.metrics.patch_features import CropFeatures, load_network
from vivid_bench.metrics.prove import MAX_DISCREPANCY, RcS, RcT, discrepancies, spatial_coherence, temporal_drift
from vivid_bench.metrics.prove_windows import (
    component_boxes,
    patch_mask,
    resized_side,
    shared_weights,
    spatial_weights,
    square_around,
    windows,
)
from vivid_bench.metrics.sample_clip import EditClip

HALF = np.arange(1024) % 32 < 16
"""The left half of the patches."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_dinov2(tmp_path_factory.mktemp("weights") / "tiny-dinov2").parent


@pytest.fixture(autouse=True)
def _folder(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVID_BENCH_WEIGHTS", str(weights))


# Made with xiaomi-research/prove at 7ca299a7: `calculate_rc_s_score` and `calculate_rc_t_score` (utils/metrics.py) with
# its DinoPredictor on the CPU, the network that `save_dinov2` writes and transformers' BitImageProcessor set up as that
# of facebook/dinov2-giant; masks as 0 and 255; then its mean over the frames that are neither None nor NaN. `AS_IT_IS`
# is that; for `IN_DOUBLE` the network's output was cast to float64, in which the predictor's sums are then made.
AS_IT_IS: dict[str, tuple[float | None, float | None]] = {
    "parts": (0.32609795954045645, 0.3522789996603261),
    "small": (0.2924543394505566, 0.0),
    "corner": (0.6114423179432563, None),
    "ellipse": (0.8131805773432618, 0.93923254710872),
    "box": (0.4310914883858979, 0.3433479203118218),
    "wide": (0.8066779594406983, 0.029921531677246094),
    "full": (None, 0.0),
}
IN_DOUBLE: dict[str, tuple[float | None, float | None]] = {
    "parts": (0.32609765264582946, 0.35230094160560127),
    "small": (0.29245144239895593, 0.0),
    "corner": (0.6114478359546532, None),
    "ellipse": (0.8131812052859771, 0.9392315361149056),
    "box": (0.4310889572290802, 0.34333063660479324),
    "wide": (0.8066802409410418, 0.02993831949276024),
    "full": (None, 0.0),
}
TOLERANCE_OF_DISCREPANCY_IN_FLOAT32 = 1e-4
"""Absolute, of values up to 39.6: kernel means near 1, with steps of 6e-8, are subtracted and multiplied by 1000."""


def clip_of(name: str) -> EditClip:
    mask, edited = CLIPS[name]
    return edit_clip(edited, mask, None, edited)


@pytest.mark.parametrize("name", CLIPS)
def test_parity_with_proves_own_code(name: str) -> None:
    clip = clip_of(name)
    for metric, in_double, as_it_is in zip((RcS, RcT), IN_DOUBLE[name], AS_IT_IS[name], strict=True):
        value = metric("tiny-dinov2")(clip).value
        if in_double is None:
            assert value is None
        else:
            assert value == pytest.approx(in_double, rel=1e-5, abs=1e-12)
            assert value == pytest.approx(as_it_is, rel=1e-5, abs=TOLERANCE_OF_DISCREPANCY_IN_FLOAT32)


@pytest.mark.parametrize("module", [prove, prove_windows])
def test_examples_in_docstrings(module: object) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_discrepancy_by_hand() -> None:
    # Cosines: 1 between the first two, 0 between them and the third, so |u - v|^2 is 0 or 2 and k is 1 or e^(-2/200).
    features = torch.tensor([[1.0, 0.0], [5.0, 0.0], [0.0, 0.5]])
    k = math.exp(-2 / 200)
    alone = [1, 0, -1]  # 1 + 1 - 2 k
    mixed = [-1 / 2, 1, -1 / 2]  # mean k over the pairs of {1, 3}: (1 + 1 + 2 k) / 4; of {2}: 1; across: (1 + k) / 2
    same = [1, -1, 0]
    found = discrepancies(features, np.array([alone, mixed, same], float))
    expected = [1000 * (2 - 2 * k), 1000 * ((1 + k) / 2 + 1 - (1 + k)), 0]
    assert found.tolist() == pytest.approx(expected, rel=1e-12)


def test_values_at_the_ends_of_the_ranges() -> None:
    same, other = torch.tensor([[2.0, 0.0]]).expand(1024, 2), torch.tensor([[-1.0, 0.0]]).expand(1024, 2)
    assert spatial_coherence(same, HALF) == 1.0
    assert temporal_drift(same, same, HALF) == 0.0
    assert temporal_drift(same, other, HALF) == pytest.approx(MAX_DISCREPANCY, rel=1e-12)
    assert pytest.approx(39.603, abs=1e-3) == MAX_DISCREPANCY
    opposed = torch.where(torch.from_numpy(HALF)[:, None], same, other)
    # The edge at column 16 runs through the windows that start at column 12; those at 0, 4, 8 lie wholly inside
    # and are compared with the other half, those from 16 on hold nothing inside.
    assert spatial_coherence(opposed, HALF) == pytest.approx(math.exp(-MAX_DISCREPANCY / 3), rel=1e-9)


def test_features_that_are_not_numbers_give_no_score() -> None:
    features = torch.full((1024, 2), math.nan)
    assert math.isnan(spatial_coherence(features, HALF))
    assert math.isnan(temporal_drift(features, features, HALF))


def test_order_of_windows_and_of_patches_in_a_set_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.standard_normal((1024, 6)))
    weights = spatial_weights(HALF)
    order, patches = rng.permutation(len(weights)), rng.permutation(1024)
    straight = discrepancies(features, weights).mean()
    shuffled = discrepancies(features[torch.from_numpy(patches)], weights[order][:, patches]).mean()
    assert float(shuffled) == pytest.approx(float(straight), rel=1e-12)


def test_windows_are_8_patches_wide_and_4_apart() -> None:
    assert windows().shape == (49, 1024)
    assert set(windows().sum(axis=1)) == {64}
    first, last = windows()[0].reshape(32, 32), windows()[-1].reshape(32, 32)
    assert first[:8, :8].all()
    assert last[24:, 24:].all()
    assert windows()[1].reshape(32, 32)[:8, 4:12].all()


def test_which_windows_rc_s_uses() -> None:
    inside = np.zeros((32, 32), bool)
    inside[:2, :3] = True  # 6 patches, of the first window only: 58 outside
    weights = spatial_weights(inside.reshape(-1))
    assert weights.shape == (1, 1024)
    assert weights[0, 0] == pytest.approx(1 / 6)
    assert weights[0, 3] == pytest.approx(-1 / 58)
    inside[0, 0] = False
    assert len(spatial_weights(inside.reshape(-1))) == 0
    inside[:] = True
    assert len(spatial_weights(inside.reshape(-1))) == 0
    inside[31, 31] = False  # one patch outside: too few for its own window, but the others are compared with it
    weights = spatial_weights(inside.reshape(-1))
    assert len(weights) == 48
    assert weights[0, -1] == -1


def test_which_windows_rc_t_uses() -> None:
    shared = np.zeros((32, 32), bool)
    shared[0, :5] = True
    assert shared_weights(shared.reshape(-1)).tolist() == [[pytest.approx(1 / 5)] * 5]
    shared[0, 0] = False
    assert len(shared_weights(shared.reshape(-1))) == 0


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((30, 30, 60, 60), (20, 20, 70, 70)),  # a third of 30 on each side
        ((30, 5, 60, 35), (25, 0, 65, 40)),  # 5 px of room above
        ((0, 30, 30, 60), (0, 30, 30, 60)),  # none on the left
        ((10, 0, 150, 20), (10, 0, 110, 100)),  # longer than the frame is high
        ((31, 30, 32, 31), (31, 30, 32, 31)),  # half of 1 px is no margin
        ((40, 30, 61, 60), (26, 20, 76, 70)),  # centre at 50.5: 35.5 rounds to the even 36
    ],
)
def test_square_crops_by_hand(box: tuple[int, int, int, int], expected: tuple[int, int, int, int]) -> None:
    assert square_around(box, height=100, width=160) == expected


def test_components() -> None:
    mask = np.zeros((60, 60), bool)
    assert component_boxes(mask) == []
    mask[0:10, 0:19] = True  # 190 px
    assert component_boxes(mask) == [(0, 0, 19, 10)]
    mask[30:50, 30:40] = True  # 200 px: the other is now too small beside it
    assert component_boxes(mask) == [(30, 30, 40, 50)]
    mask[50:60, 40:60] = True  # touches at a corner only
    assert sorted(component_boxes(mask)) == [(30, 30, 40, 50), (40, 50, 60, 60)]


def test_a_patch_that_the_mask_touches_is_inside() -> None:
    mask = np.zeros((448, 448), bool)
    mask[13, 14] = True
    inside = patch_mask(mask, (0, 0, 448, 448)).reshape(32, 32)
    assert np.argwhere(inside).tolist() == [[0, 1]]
    # 448 / 67 * 67 comes out below 448: a line is padded, and it is never inside.
    size = next(side for side in range(60, 448) if resized_side(side) == 447)
    assert patch_mask(np.ones((size, size), bool), (0, 0, size, size)).all()


def test_scores_by_frame_leave_out_frames_without_a_mask() -> None:
    clip = clip_of("parts")
    spatial, temporal = RcS("tiny-dinov2")(clip), RcT("tiny-dinov2")(clip)
    assert spatial.per_frame is not None
    assert [value is None for value in spatial.per_frame] == [False, False, True, False]
    assert spatial.details == {"frames": 3}
    assert temporal.per_frame is not None
    assert [value is None for value in temporal.per_frame] == [False, True, True, True]
    assert temporal.details == {"pairs": 1}


def test_only_the_first_81_frames_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "MAX_FRAMES", 2)
    mask, edited = CLIPS["box"]
    for metric, values in ((RcS("tiny-dinov2"), 2), (RcT("tiny-dinov2"), 1)):
        score = metric(edit_clip(edited, mask, None, edited))
        assert score.per_frame is not None
        assert score.per_frame[values:] == (None,) * (3 - values)
        assert score.value == metric(edit_clip(edited[:2], mask[:2], None, edited[:2])).value
    mask = mask.copy()
    mask[:2] = False
    late = RcS("tiny-dinov2")(edit_clip(edited, mask, None, edited))
    assert (late.status, late.reason) == ("not_applicable", "the mask is empty in all scored frames of the first 2")


def test_keyframes_are_not_scored() -> None:
    clip = clip_of("box")
    clip.sample.scored[0] = False
    spatial, temporal = RcS("tiny-dinov2")(clip), RcT("tiny-dinov2")(clip)
    assert spatial.per_frame is not None
    assert spatial.per_frame[0] is None
    assert spatial.details == {"frames": 2}
    assert temporal.details == {"pairs": 1}


@pytest.mark.parametrize("metric", [RcS, RcT])
@pytest.mark.parametrize("task", ["add", "modify"])
def test_for_delete_only_even_without_weights(metric: type[RcS], task: str) -> None:
    mask, edited = CLIPS["box"]
    score = metric("absent")(edit_clip(edited, mask, None, edited, task=task))
    assert (score.status, score.reason) == ("not_applicable", f"defined for delete only, the task is {task}")


def test_reasons_why_there_is_no_score() -> None:
    frame, mask = textured(1, 40, 40), box_mask(1, 40, 40, (10, 10, 30, 30))
    one = edit_clip(frame, mask, None, frame)
    assert RcS("tiny-dinov2")(one).status == "ok"
    assert RcT("tiny-dinov2")(one).reason == "the clip has one frame"
    empty = edit_clip(frame, np.zeros_like(mask), None, frame)
    assert RcS("tiny-dinov2")(empty).reason == "the mask is empty in all scored frames of the first 81"
    full = RcS("tiny-dinov2")(clip_of("full"))
    assert full.status == "not_applicable"
    assert full.reason == (
        "no frame has, for each part of its mask, a window of more than 5 patches inside and 5 outside it"
    )
    corner = RcT("tiny-dinov2")(clip_of("corner"))
    assert corner.reason == "no two scored frames that follow each other share 5 mask patches in a window"


def test_what_is_around_the_hole_beats_what_is_not() -> None:
    clean = textured(2, 96, 96)
    mask = box_mask(2, 96, 96, (30, 30, 66, 66))
    filled = np.where(mask[..., None], np.uint8(255) - clean // 4, clean)
    values = [RcS("tiny-dinov2")(edit_clip(clean, mask, None, edited)).value for edited in (clean, filled)]
    assert values[0] > values[1]


def test_flicker_in_the_hole_raises_rc_t_and_outside_it_matters_less() -> None:
    still = np.repeat(textured(1, 96, 96), 4, axis=0)
    mask = box_mask(4, 96, 96, (30, 30, 66, 66))
    noise = noisy(still, 60)
    inside, outside = np.where(mask[..., None], noise, still), np.where(mask[..., None], still, noise)
    values = [RcT("tiny-dinov2")(edit_clip(still, mask, None, edited)).value for edited in (still, outside, inside)]
    assert values[0] == pytest.approx(0, abs=1e-12)
    assert values[0] < values[1] < values[2]


def test_what_both_measures_need_is_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = 0

    def count(images: list[np.ndarray], weights: str, device: str) -> torch.Tensor:
        nonlocal embedded
        embedded += len(images)
        return torch.ones(len(images), 1024, 2)

    monkeypatch.setattr(prove, "embed_crops", count)
    still = clip_of("box")
    RcT("any")(still)
    RcS("any")(still)
    assert embedded == 3
    embedded = 0
    moving = clip_of("parts")
    RcS("any")(moving)
    assert embedded == 3 * 2
    RcT("any")(moving)
    assert embedded == 3 * 2 + 2
    embedded = 0
    RcS("other")(still)
    assert embedded == 3


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_features_come_in_the_order_asked_for_and_are_let_go(batch: int) -> None:
    frames = np.arange(6, dtype=np.uint8).repeat(4 * 4 * 3).reshape(6, 4, 4, 3)
    box = (1, 1, 3, 3)
    jobs = [((t, box), (t + 1, box)) for t in range(5)]
    sizes = []

    def embed(images: object) -> torch.Tensor:
        sizes.append(len(images))
        return torch.tensor([float(image.mean()) for image in images])

    features = CropFeatures(frames, embed, batch, [crop for job in jobs for crop in job])
    assert [(float(a), float(b)) for a, b in features.of(jobs)] == [(t, t + 1) for t in range(5)]
    assert sum(sizes) == 6
    assert max(sizes) <= batch
    assert not features._kept


def test_the_same_figures_whichever_measure_comes_first() -> None:
    both = clip_of("box")
    together = RcT("tiny-dinov2")(both), RcS("tiny-dinov2")(both)
    assert together == (RcT("tiny-dinov2")(clip_of("box")), RcS("tiny-dinov2")(clip_of("box")))


def test_describing_a_metric_needs_no_weights() -> None:
    info = RcS("dinov2-giant").info
    assert (info.name, info.needs_weights, info.higher_is_better) == ("rc_s@dinov2-giant", "dinov2-giant", True)
    assert not RcT("dinov2-giant").info.higher_is_better


def test_missing_weights_say_so() -> None:
    with pytest.raises(MissingWeightsError, match="dinov2-giant"):
        RcS("dinov2-giant")(clip_of("box"))


def test_weights_of_another_patch_size_are_refused(weights: Path) -> None:
    save_dinov2(weights / "patch-16", patch_size=16, image_size=64)
    with pytest.raises(InputError, match=r"expected 1024 \(patches of 14 px\), found 784 patches"):
        RcS("patch-16")(clip_of("box"))


def test_weights_that_are_not_whole_are_refused(weights: Path, tmp_path: Path) -> None:
    whole = weights / "tiny-dinov2"
    assert load_network("Dinov2Model", whole, "cpu") is load_network("Dinov2Model", whole, "cpu")
    with pytest.raises(InputError, match="model type dinov2"):
        load_network("SamVisionModel", whole, "cpu")
    fewer = shutil.copytree(whole, tmp_path / "fewer")
    config = fewer / "config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    with pytest.raises(InputError, match="none, or of another shape, for 18 of its parameters"):
        load_network("Dinov2Model", fewer, "cpu")
    cut = shutil.copytree(whole, tmp_path / "cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:1000])
    with pytest.raises(InputError, match="header"):
        load_network("Dinov2Model", tmp_path / "cut", "cpu")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"weights of a Dinov2Model"):
        load_network("Dinov2Model", tmp_path / "empty", "cpu")


def test_cpu_crops_are_embedded_one_by_one() -> None:
    assert patch_features.batch_size("cpu") == 1
    assert patch_features.batch_size("cuda") > 1
