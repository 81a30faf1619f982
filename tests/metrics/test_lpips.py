"""LPIPS: parity with the package, the crop against whole frames, endpoints, regions, files that are not weights."""

from __future__ import annotations

import doctest
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import lpips
import numpy as np
import pytest
import torch
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.errors import InputError, MissingWeightsError, UnknownNameError
from vivid_bench.metrics import lpips as lpips_module
from vivid_bench.metrics.lpips import SMALLEST_SIDE, BackgroundLpips, EditLpips, backbone_name, lpips_map, region_lpips
from vivid_bench.types import Frames, Mask
from vivid_bench.weights import VARIABLE

FILES = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth", "squeeze": "squeezenet1_1-b8a52dc0.pth"}


@cache
def package_network(net: str) -> lpips.LPIPS:
    """The package's own: a random backbone, its shipped linear weights."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lpips.LPIPS(net=net, pnet_rand=True, spatial=True, verbose=False)


def save_backbone(network: lpips.LPIPS, path: Path) -> None:
    """Save a backbone as torchvision would, the classifier's weights left out but for one."""
    path.parent.mkdir(parents=True)
    state = {backbone_name(name): tensor for name, tensor in network.net.state_dict().items()}
    torch.save(state | {"classifier.1.bias": torch.zeros(3)}, path)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Nor may what torchvision keeps on this machine be found.
    for variable in (VARIABLE, "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


def package_lpips(network: lpips.LPIPS, edited: Frames, target: Frames, region: Mask) -> float:
    """The definition, whole frames at once: composite, spatial map, mean over the region of the clip."""
    composite = np.where(region[..., None], edited, target)
    first, second = (torch.from_numpy(f).permute(0, 3, 1, 2).float() / 127.5 - 1 for f in (composite, target))
    with torch.inference_mode():
        distances = network(first, second)[:, 0].numpy()
    return float(distances[region].mean(dtype=np.float64))


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(lpips_module)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_equals_the_package(weights: Path, net: str) -> None:
    network = package_network(net)
    save_backbone(network, weights / net / FILES[net])
    source, reference = textured(3, 50, 70), textured(3, 50, 70, seed=5)
    edited = noisy(reference, 40)
    mask = box_mask(3, 50, 70, (20, 10, 41, 33))
    mask[1, :, 35:] = False
    clip = edit_clip(source, mask, reference, edited)
    background, edit = BackgroundLpips(net)(clip), EditLpips(net)(clip)
    assert background.value == pytest.approx(package_lpips(network, edited, source, ~mask), abs=1e-6)
    assert edit.value == pytest.approx(package_lpips(network, edited, reference, mask), abs=1e-6)
    first = package_lpips(network, edited[:1], reference[:1], mask[:1])
    assert edit.per_frame is not None
    assert edit.per_frame[0] == pytest.approx(first, rel=1e-3)


@pytest.mark.parametrize(("net", "box"), [("alex", (200, 150, 203, 170)), ("squeeze", (330, 141, 349, 147))])
def test_a_box_is_that_part_of_the_whole_map(net: str, box: tuple[int, int, int, int]) -> None:
    first, second = np.random.default_rng(0).integers(0, 256, (2, 1, 301, 490, 3), dtype=np.uint8)
    network = package_network(net)
    x0, y0, x1, y1 = box
    assert x0 > lpips_module.MARGIN + 16
    whole = lpips_map(network, first, second)[:, y0:y1, x0:x1]
    np.testing.assert_allclose(lpips_map(network, first, second, box), whole, atol=1e-6)


@pytest.mark.parametrize("name", ["background_lpips", "edit_lpips"])
def test_identical_clips_have_exactly_0_and_noise_raises_it(name: str) -> None:
    metric = (BackgroundLpips if name == "background_lpips" else EditLpips)("mini-lpips")
    assert metric.info.name == f"{name}@mini-lpips"
    assert metric.info.needs_weights == "mini-lpips"
    source = textured(2, 40, 48)
    mask = box_mask(2, 40, 48, (12, 10, 34, 28))
    scores = [metric(edit_clip(source, mask, source, noisy(source, n))) for n in (0, 4, 16, 64)]
    values = [score.value for score in scores]
    assert (scores[0].status, values[0]) == ("exact", 0.0)
    assert values == sorted(values)
    assert len(set(values)) == 4


def test_what_the_network_cannot_see_is_not_identical() -> None:
    """SqueezeNet's first layer, 3 px wide in steps of 2, never reaches the last column of an even width."""
    source = textured(2, 40, 48)
    edited = source.copy()
    edited[:, :, -1] = 255 - edited[:, :, -1]
    score = EditLpips("mini-lpips")(edit_clip(source, box_mask(2, 40, 48, (40, 10, 48, 28)), source, edited))
    assert (score.value, score.status) == (0.0, "ok")


def test_equal_frames_have_exactly_0_through_the_network() -> None:
    frames = textured(2, 40, 48)
    assert not lpips_map(package_network("squeeze"), frames, frames.copy()).any()


def test_each_region_is_blind_to_the_other() -> None:
    source, reference = textured(2, 40, 48), textured(2, 40, 48, seed=5)
    mask = box_mask(2, 40, 48, (12, 10, 34, 28))
    edited, noise = noisy(reference, 20), textured(2, 40, 48, seed=9)
    inside, outside = np.where(mask[..., None], noise, edited), np.where(mask[..., None], edited, noise)

    def value(metric: lpips_module.Lpips, frames: Frames) -> float | None:
        return metric(edit_clip(source, mask, reference, frames)).value

    background, edit = BackgroundLpips("mini-lpips"), EditLpips("mini-lpips")
    assert value(background, inside) == value(background, edited) != value(background, outside)
    assert value(edit, outside) == value(edit, edited) != value(edit, inside)


def test_frames_are_batched_without_changing_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    network = package_network("squeeze")
    target = textured(5, 40, 48)
    edited, region = noisy(target, 30), box_mask(5, 40, 48, (12, 10, 34, 28))
    sums, counts = region_lpips(network, edited, target, region)
    monkeypatch.setitem(lpips_module.PIXELS_AT_ONCE, "cpu", 2 * 40 * 48)
    in_twos, _ = region_lpips(network, edited, target, region)
    np.testing.assert_allclose(in_twos / counts, sums / counts, atol=1e-6)


def test_masks_that_come_and_go() -> None:
    source = textured(3, 40, 48)
    mask = box_mask(3, 40, 48, (12, 10, 34, 28))
    mask[1] = False
    score = EditLpips("mini-lpips")(edit_clip(source, mask, source, noisy(source, 30)))
    assert score.per_frame is not None
    assert score.per_frame[1] is None
    assert score.value == pytest.approx((score.per_frame[0] + score.per_frame[2]) / 2, rel=1e-3)
    mask[:] = False
    score = EditLpips("mini-lpips")(edit_clip(source, mask, source, source))
    assert (score.status, score.reason) == ("not_applicable", "the edit region is empty in all frames")


def test_a_clip_of_one_frame_and_none_without_a_reference() -> None:
    frame = textured(1, 40, 48)
    clip = edit_clip(frame, box_mask(1, 40, 48, (12, 10, 34, 28)), None, noisy(frame, 9))
    assert BackgroundLpips("mini-lpips")(clip).status == "ok"
    score = EditLpips("mini-lpips")(clip)
    assert (score.status, score.reason) == ("not_applicable", "the sample has no reference")


@pytest.mark.parametrize("net", sorted(SMALLEST_SIDE))
def test_smallest_frames(weights: Path, net: str) -> None:
    side = SMALLEST_SIDE[net]
    network = package_network(net)
    save_backbone(network, weights / net / FILES[net])
    frame = textured(1, side, side)
    nothing = np.zeros((1, side, side), bool)
    assert BackgroundLpips(net)(edit_clip(frame, nothing, None, noisy(frame, 9))).status == "ok"
    small = frame[:, :-1]
    score = BackgroundLpips(net)(edit_clip(small, nothing[:, :-1], None, small))
    assert score.status == "not_applicable"
    assert score.reason == f"frames of {side}x{side - 1} px; {net} needs at least {side} px a side"
    with pytest.raises(RuntimeError, match="too small"):
        lpips_map(network, small, small)


def test_weights_that_are_not_there_or_unknown(weights: Path) -> None:
    frame = textured(1, 40, 48)
    clip = edit_clip(frame, np.zeros((1, 40, 48), bool), None, frame)
    with pytest.raises(MissingWeightsError, match="weights alex"):
        BackgroundLpips("alex")(clip)
    with pytest.raises(UnknownNameError, match='did you mean "squeeze"'):
        EditLpips("squeze")


def test_files_that_are_not_the_weights(weights: Path) -> None:
    frame = textured(1, 40, 48)
    clip = edit_clip(frame, np.zeros((1, 40, 48), bool), None, noisy(frame, 9))
    path = weights / "squeeze" / FILES["squeeze"]
    path.parent.mkdir()
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match=r"squeezenet1_1-b8a52dc0\.pth: expected a file of tensors"):
        BackgroundLpips("squeeze")(clip)
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="expected the weights of a squeeze backbone, as torchvision names them"):
        BackgroundLpips("squeeze")(clip)
    state = {backbone_name(name): torch.zeros(1) for name in package_network("squeeze").net.state_dict()}
    torch.save(state, path)
    with pytest.raises(InputError, match=r"found other tensors"):
        BackgroundLpips("squeeze")(clip)


def test_making_a_metric_imports_no_torch_and_loading_prints_nothing() -> None:
    code = (
        "import sys; from vivid_bench.metrics.lpips import EditLpips, load_network; EditLpips('alex').info;"
        "assert 'torch' not in sys.modules; load_network('mini-lpips', 'cpu')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_backbone_names() -> None:
    assert backbone_name("slice2.3.bias") == "features.3.bias"
    assert backbone_name("slice4.8.squeeze.weight") == "features.8.squeeze.weight"
