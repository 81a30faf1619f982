"""What every baseline keeps, whatever it fills the hole with."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivid_bench import baselines
from vivid_bench.baselines.biharmonic.adapter import Biharmonic
from vivid_bench.baselines.flow_propagation.adapter import FlowPropagation
from vivid_bench.baselines.navier_stokes.adapter import NavierStokes
from vivid_bench.baselines.telea.adapter import Telea
from vivid_bench.baselines.temporal_median.adapter import TemporalMedian
from vivid_bench.errors import MethodError
from vivid_bench.method_card import MethodCard
from vivid_bench.registry import load_target
from vivid_bench.types import DELETE_PROMPT, HOLE_GREY, EditRequest, Frames, Mask, Task

BASELINES = [Telea, NavierStokes, TemporalMedian, FlowPropagation, Biharmonic]
every_baseline = pytest.mark.parametrize("baseline", BASELINES)


def request(frames: Frames, mask: Mask, task: Task = "delete") -> EditRequest:
    return EditRequest("clip", task, frames, mask, DELETE_PROMPT, 24.0, 0)


def noise(*shape: int, seed: int = 0) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def hole(shape: tuple[int, int, int], *boxes: tuple[slice, slice, slice]) -> Mask:
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask[box] = True
    return mask


CASES = {
    "empty mask": (noise(3, 20, 24), hole((3, 20, 24))),
    "empty in some frames": (noise(4, 20, 24), hole((4, 20, 24), np.s_[1:3, 5:12, 6:15])),
    "whole frame": (noise(4, 20, 24), hole((4, 20, 24), np.s_[2:3, :, :])),
    "first and last frame whole": (noise(4, 20, 24), hole((4, 20, 24), np.s_[0:1, :, :], np.s_[3:4, :, :])),
    "one frame": (noise(1, 20, 24), hole((1, 20, 24), np.s_[:, 3:9, 3:9])),
    "two frames": (noise(2, 20, 24), hole((2, 20, 24), np.s_[:, 3:9, 3:9])),
    "odd size": (noise(3, 21, 33), hole((3, 21, 33), np.s_[:, 4:15, 7:22])),
    "8x8": (noise(3, 8, 8), hole((3, 8, 8), np.s_[:, 2:6, 2:6])),
    "one pixel wide": (noise(3, 9, 1), hole((3, 9, 1), np.s_[:, 3:6, :])),
    "one pixel": (noise(2, 1, 1), hole((2, 1, 1))),
    "corner": (noise(3, 20, 24), hole((3, 20, 24), np.s_[:, :6, :7])),
    "all four borders": (noise(3, 20, 24), ~hole((3, 20, 24), np.s_[:, 6:14, 6:18])),
    "two holes": (noise(3, 20, 24), hole((3, 20, 24), np.s_[:, 2:6, 2:6], np.s_[:, 12:18, 14:23])),
    "single known pixel": (noise(2, 12, 12), ~hole((2, 12, 12), np.s_[:, 5:6, 5:6])),
}


@every_baseline
@pytest.mark.parametrize("case", CASES)
def test_only_the_hole_changes_and_the_request_stays(baseline: type[Telea], case: str) -> None:
    frames, mask = CASES[case]
    kept_frames, kept_mask = frames.copy(), mask.copy()
    edited = baseline().edit(request(frames, mask))
    assert edited.shape == frames.shape
    assert edited.dtype == np.uint8
    assert not np.shares_memory(edited, frames)
    np.testing.assert_array_equal(edited[~mask], frames[~mask])
    np.testing.assert_array_equal(frames, kept_frames)
    np.testing.assert_array_equal(mask, kept_mask)


@every_baseline
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_pixels_in_the_hole_are_never_looked_at(baseline: type[Telea], data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    t, h, w = (data.draw(st.integers(low, high)) for low, high in ((1, 4), (8, 24), (8, 24)))
    frames = rng.integers(0, 256, (t, h, w, 3), np.uint8)
    mask = rng.random((t, h, w)) < data.draw(st.sampled_from([0.02, 0.2, 0.9]), label="share")
    mask[rng.integers(t), : rng.integers(h + 1), : rng.integers(w + 1)] = True
    other = frames.copy()
    other[mask] = rng.integers(0, 256, (int(mask.sum()), 3), np.uint8)
    first, second = (baseline().edit(request(clip, mask)) for clip in (frames, other))
    np.testing.assert_array_equal(first, second, err_msg="the hole leaks")


@pytest.mark.parametrize(
    ("baseline", "tolerance"),
    # Telea's weights are float32 and truncated: OpenCV is up to 2 steps off even on a flat frame.
    [(Telea, 2), (NavierStokes, 0), (TemporalMedian, 0), (FlowPropagation, 0), (Biharmonic, 0)],
)
def test_a_flat_background_comes_back(baseline: type[Telea], tolerance: int) -> None:
    background = np.broadcast_to(np.array([40, 90, 200], np.uint8), (5, 24, 30, 3))
    mask = np.zeros((5, 24, 30), bool)
    for t in range(5):
        mask[t, 6:14, 2 + 4 * t : 12 + 4 * t] = True
    source = background.copy()
    source[mask] = (255, 0, 0)
    edited = baseline().edit(request(source, mask))
    assert np.abs(edited.astype(int) - background).max() <= tolerance


@every_baseline
def test_a_fully_masked_clip_comes_back_grey(baseline: type[Telea]) -> None:
    edited = baseline().edit(request(noise(3, 16, 16), np.ones((3, 16, 16), bool)))
    np.testing.assert_array_equal(edited, np.full((3, 16, 16, 3), HOLE_GREY))


@every_baseline
@pytest.mark.parametrize("task", ["add", "modify"])
def test_other_tasks_are_refused(baseline: type[Telea], task: Task) -> None:
    with pytest.raises(MethodError, match=f'can only delete, sample "clip" asks for {task}'):
        baseline().edit(request(*CASES["one frame"], task))


@every_baseline
def test_the_card_is_complete_and_loads(baseline: type[Telea]) -> None:
    card = Path(baselines.__path__[0]) / baseline.__module__.split(".")[-2] / "method.toml"
    content = tomllib.loads(card.read_text())
    required = {"name", "version", "kind", "tasks", "adapter", "keyframes", "summary", "licence"}
    assert required <= content.keys()
    method = MethodCard.model_validate(content)
    assert method.name == card.parent.name.replace("_", "-")
    assert load_target(method.adapter) is baseline
    baseline(device="cpu", **method.parameters)
    assert (card.parent / "README.md").read_text().startswith(f"# {method.name}\n")
