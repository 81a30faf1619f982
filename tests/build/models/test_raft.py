"""RAFT with random weights: what reaches the network, and what comes back."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import moving_clip
from torchvision.models.optical_flow import Raft_Large_Weights, raft_large, raft_small
from torchvision.transforms._presets import OpticalFlow

from vivid_bench import flow
from vivid_bench.build.models import loading, raft
from vivid_bench.build.models.raft import RaftMotion
from vivid_bench.errors import InputError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("raft") / "raft_small.pth"
    torch.save(raft_small(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def estimate(weights: Path) -> RaftMotion:
    return RaftMotion(weights, "cpu")


def direct(weights: Path, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What torchvision's own transform and network give for a pair of frames of a size that it takes."""
    network = raft_small(weights=None)
    network.load_state_dict(torch.load(weights, weights_only=True))
    images = OpticalFlow()(*(torch.from_numpy(frame).permute(2, 0, 1)[None] for frame in (first, second)))
    with torch.inference_mode():
        flow: np.ndarray = network.eval()(*images)[-1][0].permute(1, 2, 0).numpy()
    return flow


def test_frames_of_a_size_that_fits_go_in_as_torchvision_has_them(estimate: RaftMotion, weights: Path) -> None:
    frames = moving_clip(2, 128, 136)
    np.testing.assert_allclose(estimate(frames)[0], direct(weights, *frames), atol=1e-4)


def test_other_frames_are_padded_and_cut_back(estimate: RaftMotion, weights: Path) -> None:
    frames = moving_clip(2, 90, 131)  # to 128x136: 19 and 19 rows, 2 and 3 columns
    padded = np.pad(frames, ((0, 0), (19, 19), (2, 3), (0, 0)), mode="edge")
    np.testing.assert_allclose(estimate(frames)[0], direct(weights, *padded)[19:109, 2:133], atol=1e-4)


def test_the_result_is_shaped_like_that_of_the_other_flow(estimate: RaftMotion) -> None:
    frames = moving_clip(3, 24, 32)
    for backward in (False, True):
        expected = flow.clip_flow(frames, backward=backward)
        estimated = estimate(frames, backward=backward)
        assert (estimated.shape, estimated.dtype) == (expected.shape, expected.dtype)


def test_backward_is_the_flow_of_the_reversed_clip(estimate: RaftMotion) -> None:
    frames = moving_clip(3, 128, 128)
    there = estimate(frames[::-1])
    np.testing.assert_allclose(estimate(frames, backward=True), there[::-1], atol=1e-3)
    assert not np.allclose(estimate(frames), there[::-1], atol=1e-3)


def test_batches_change_nothing(estimate: RaftMotion, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = moving_clip(4, 40, 48)
    at_once = estimate(frames)
    monkeypatch.setattr(raft, "PIXELS_AT_ONCE", 2 * 40 * 48)
    np.testing.assert_allclose(estimate(frames), at_once, atol=1e-3)
    monkeypatch.setattr(raft, "PIXELS_AT_ONCE", 1)
    np.testing.assert_allclose(estimate(frames), at_once, atol=1e-3)


def test_one_frame_has_no_motion(estimate: RaftMotion) -> None:
    assert estimate(moving_clip(1, 24, 32)).shape == (0, 24, 32, 2)


def test_the_same_clip_moves_the_same(estimate: RaftMotion) -> None:
    frames = moving_clip(2, 24, 32)
    np.testing.assert_array_equal(estimate(frames), estimate(frames))


def test_the_weights_decide(weights: Path, estimate: RaftMotion, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)
    state["update_block.flow_head.conv2.bias"] += 1
    torch.save(state, tmp_path / "other.pth")
    other = RaftMotion(tmp_path / "other.pth", "cpu")
    frames = moving_clip(2, 24, 32)
    assert np.abs(other(frames) - estimate(frames)).mean() > 1


def test_the_large_network_is_known_by_its_file(tmp_path: Path) -> None:
    torch.save(raft_large(weights=None).state_dict(), tmp_path / "raft.pth")
    network = RaftMotion(tmp_path / "raft.pth", "cpu")._network
    assert network.mask_predictor is not None
    assert not network.training


def test_a_missing_file_says_where_it_is_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such\.pth: expected a file of RAFT's weights, found no file; `curl"):
        RaftMotion(tmp_path / "no such.pth", "cpu")
    assert Raft_Large_Weights.DEFAULT.url == loading.RAFT_URL


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"mask_predictor.weight": Payload()}, tmp_path / "evil.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Payload(), protocol=2))
    for name in ("evil.pth", "plain.pth"):
        with pytest.raises(InputError, match="cannot be read as weights alone"):
            RaftMotion(tmp_path / name, "cpu")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "found"), [({"a": torch.zeros(1)}, "other parameters than raft_small's"), ([1], "a list")]
)
def test_other_weights_are_refused(tmp_path: Path, content: object, found: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(InputError, match=found):
        RaftMotion(tmp_path / "other.pth", "cpu")


def test_a_cut_off_file_is_refused(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "half.pth").write_bytes(weights.read_bytes()[:10_000])
    with pytest.raises(InputError, match="cannot be read as weights alone"):
        RaftMotion(tmp_path / "half.pth", "cpu")
