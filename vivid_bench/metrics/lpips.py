"""LPIPS inside a region: a learned perceptual distance."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError, UnknownNameError
from vivid_bench.masks import bounding_box
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import TASKS, Frames, Mask, MetricInfo, Region, Score
from vivid_bench.weights import locate

if TYPE_CHECKING:
    import torch

    from vivid_bench.metrics.sample_clip import EditClip

    Network = Any  # lpips.LPIPS, which has no types

ARCHITECTURES = {"alex": "alex", "vgg": "vgg", "squeeze": "squeeze", "mini-lpips": "squeeze"}
"""Name of the weights -> the `lpips` package's name of their network."""

SMALLEST_SIDE = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Network -> pixels: what is smaller does not get through its pooling."""

STRIDES = {"alex": (4, 8, 16, 16, 16), "vgg": (1, 2, 4, 8, 16), "squeeze": (2, 4, 8, 16, 16, 16, 16)}
"""Network -> pixels between neighbours in the feature map of each level."""

MARGIN = 128
"""Pixels around a box that decide the map inside it: at most 126 (squeeze), interpolation included."""

PIXELS_AT_ONCE = {"cpu": 200_000, "cuda": 4_000_000}
"""Frames are batched up to so many pixels; on CPU larger batches leave the cache and are slower."""


def lpips_map(
    network: Network, first: Frames, second: Frames, box: tuple[int, int, int, int] | None = None
) -> NDArray[np.float32]:
    """Perceptual distance of pairs of frames at every pixel. Lower is better; equal frames have exactly 0.

    d(p) = sum over levels l of upsample(sum over channels c of w_lc (f_lc(a) - f_lc(b))^2)(p): f_l are the network's
    features of v / 127.5 - 1, scaled to unit length over the channels; w_l >= 0 are the learned weights; upsampling is
    bilinear to the frame's size. This is what `lpips.LPIPS(spatial=True)` computes.
    Source: Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018.

    With a box the networks see only the box and the pixels that decide it (`MARGIN`); the map differs from the whole
    frames' by rounding alone (below 1e-6). On a GPU the network runs in half precision.

    Args:
        network: of `load_network`.
        first, second: (N, H, W, 3) uint8, each side at least `SMALLEST_SIDE`.
        box: x0, y0, x1, y1 (half-open) of the part to compute; the whole frame if None.

    Returns:
        (N, y1-y0, x1-x0) float32, from 0 up.

    Example:
        >>> import numpy as np
        >>> frames = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3), dtype=np.uint8)
        >>> network = load_network("mini-lpips", "cpu")
        >>> float(lpips_map(network, frames, frames).max())
        0.0
        >>> bool((lpips_map(network, frames, 255 - frames) > 0.01).all())
        True
    """
    import torch
    from torch.nn import functional as F

    height, width = first.shape[1:3]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    # Aligned with the pooling grids, so that the features are those of the whole frame.
    left, top = (max(0, low - MARGIN) // 16 * 16 for low in (x0, y0))
    seen = slice(None), slice(top, y1 + MARGIN), slice(left, x1 + MARGIN)
    with torch.inference_mode():
        features = [_features(network, frames[seen]) for frames in (first, second)]
        total = torch.zeros((), device=features[0][0].device)
        levels = zip(network.lins, *features, STRIDES[network.pnet_type], strict=True)
        sizes = _level_sizes(network.pnet_type, height, width)
        for (linear, a, b, stride), (rows, columns) in zip(levels, sizes, strict=True):
            distance = linear((a - b).square())
            above, before = top // stride, left // stride
            below, after = rows - above - distance.shape[2], columns - before - distance.shape[3]
            distance = F.pad(distance, (before, after, above, below))
            total = total + F.interpolate(distance, (height, width), mode="bilinear")[:, 0, y0:y1, x0:x1]
        return np.asarray(total.cpu().numpy())


def _features(network: Network, frames: Frames) -> list[torch.Tensor]:
    """Return each level's features at unit length."""
    import lpips
    import torch

    device = network.scaling_layer.shift.device
    # Frames lie in memory with the channels last, and so stay: convolutions are twice as fast on them.
    values = torch.from_numpy(np.array(frames, order="C")).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.autocast("cuda", torch.float16, enabled=device.type == "cuda"):
        levels = network.net(network.scaling_layer(values))
    return [lpips.normalize_tensor(level.float()) for level in levels]


def region_lpips(
    network: Network, edited: Frames, target: Frames, region: Mask
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sum over a region, frame by frame, the distance that the region's pixels alone cause.

    Outside the region the edit gets the target's pixels first, so that nothing but the region differs; the features of
    its surroundings see them. LPIPS of the clip = sum of sums / sum of counts. Lower is better.

    Args:
        network: of `load_network`.
        edited, target: (T, H, W, 3) uint8.
        region: (T, H, W) bool.

    Returns:
        (T,) float64 sums of `lpips_map` over the region, and (T,) int64 counts of its pixels.
    """
    sums = np.zeros(len(edited), np.float64)
    counts = np.count_nonzero(region, axis=(1, 2)).astype(np.int64)
    # Where the region's pixels are equal the distance is exactly 0, at no cost.
    differs = list(_differing(edited, target, region))
    device = network.scaling_layer.shift.device.type
    at_once = max(1, PIXELS_AT_ONCE.get(device, PIXELS_AT_ONCE["cpu"]) // region[0].size)
    for start in range(0, len(differs), at_once):
        batch = differs[start : start + at_once]
        inside = region[batch]
        beside = target[batch]
        composite = np.stack([_pasted(edited[t], b, i) for t, b, i in zip(batch, beside, inside, strict=True)])
        box = bounding_box(np.asarray(inside.any(axis=0)))
        assert box is not None  # an empty region does not differ
        x0, y0, x1, y1 = box
        distances = lpips_map(network, composite, beside, box)
        sums[batch] = np.sum(distances, axis=(1, 2), where=inside[:, y0:y1, x0:x1], dtype=np.float64)
    return sums, counts


def _pasted(frame: NDArray[np.uint8], onto: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a copy of `onto` with the frame's pixels inside: a tenth of the time that `np.where` takes."""
    return np.asarray(cv2.copyTo(frame, inside.view(np.uint8), onto.copy()))


def _differing(edited: Frames, target: Frames, region: Mask) -> Iterator[int]:
    """Yield the frames in which a pixel of the region differs."""
    for t in range(len(edited)):
        if cv2.norm(edited[t], target[t], cv2.NORM_INF, region[t].astype(np.uint8)) > 0:
            yield t


def load_network(weights: str, device: str) -> Network:
    """Return the `lpips` package's network with weights of that name, in evaluation mode; kept once loaded.

    Args:
        weights: a key of `ARCHITECTURES`. `alex`, `vgg` and `squeeze` are torchvision's backbones, found by
            `vivid_bench.weights.locate`, with the linear weights (v0.1) that the package ships; `mini-lpips` is ours.
        device: of torch.

    Raises:
        MissingWeightsError: when they are not on this machine.
        InputError: when the file holds something else.
    """
    path = locate(weights)
    return read_network(ARCHITECTURES[weights], path if path.is_file() else path / "model.safetensors", device)


@cache
def read_network(architecture: str, path: Path, device: str) -> Network:
    """Return the package's network with the backbone of a file, and that file's linear weights if it holds them.

    Raises:
        InputError: see `load_network`.
    """
    backbone = _read_tensors(path)
    network = _skeleton(architecture)
    # The package ships the linear weights of its own backbones; ours come with their backbone.
    linear = backbone if "lin0.model.1.weight" in backbone else _shipped_linear_weights(architecture)
    try:
        state = {f"net.{name}": backbone[backbone_name(name)] for name in network.net.state_dict()}
        for level, module in enumerate(network.lins):
            # The package registers each of these layers under two names.
            for name in module.state_dict():
                state[f"lin{level}.{name}"] = state[f"lins.{level}.{name}"] = linear[f"lin{level}.{name}"]
        state = {name: tensor.float() for name, tensor in state.items()}
        network.load_state_dict(state, strict=False, assign=True)
    except (KeyError, RuntimeError) as error:
        raise InputError(
            path,
            expected=f"the weights of a {architecture} backbone, as torchvision names them",
            found=f"other tensors ({str(error).splitlines()[0]})",
            fix="replace the file",
        ) from error
    return network.requires_grad_(False).eval().to(device)


def backbone_name(name: str) -> str:
    """Return torchvision's name of a weight that the package keeps in slices: slice2.3.bias -> features.3.bias."""
    return "features." + name.partition(".")[2]


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # both libraries raise many kinds for a file that is cut or something else
        raise InputError(
            path, expected="a file of tensors", found=f"one that cannot be read ({error})", fix="replace the file"
        ) from error


def _shipped_linear_weights(architecture: str) -> dict[str, torch.Tensor]:
    import lpips

    return _read_tensors(Path(lpips.__file__).parent / "weights" / "v0.1" / f"{architecture}.pth")


def _skeleton(architecture: str) -> Network:
    """Return the package's network without memory for its weights: nothing is drawn at random or downloaded."""
    import lpips
    import torch

    with torch.device("meta"), warnings.catch_warnings():
        # The package calls torchvision's constructors in the old way.
        warnings.simplefilter("ignore")
        return lpips.LPIPS(net=architecture, pretrained=False, pnet_rand=True, verbose=False)


@cache
def _level_sizes(architecture: str, height: int, width: int) -> tuple[tuple[int, int], ...]:
    """Return rows and columns of each level's feature map for frames of a size."""
    import torch

    features = _skeleton(architecture).net(torch.empty(1, 3, height, width, device="meta"))
    return tuple((level.shape[2], level.shape[3]) for level in features)


class Lpips:
    """LPIPS over a region of the whole clip: of the background against the source, of the edit against the reference.

    Lower is better. Weights go into the metric's name, e.g. `edit_lpips@alex`.

    Args:
        region: `background` or `edit`.
        weights: a key of `ARCHITECTURES`.

    Raises:
        UnknownNameError: for other weights.
    """

    def __init__(self, region: Region, weights: str) -> None:
        if weights not in ARCHITECTURES:
            raise UnknownNameError("LPIPS weights", weights, ARCHITECTURES)
        self._weights = weights
        self.info = MetricInfo(
            name=f"{region}_lpips@{weights}",
            version="1",
            unit="",
            range=(0.0, None),
            higher_is_better=False,
            tasks=TASKS,
            region=region,
            needs_reference=region != "background",
            needs_weights=weights,
            citation="Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018; package lpips, v0.1, spatial map",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; status `exact` for identical pixels. Raises what `load_network` raises."""
        region = self.info.region
        if reason := self._why_not(clip):
            return not_applicable(self.info, clip.sample_id, reason)
        target = clip.sample.target(region)
        assert target is not None
        pixels = np.stack([clip.sample.region(region, frame) for frame in range(len(clip.edited))])
        network = load_network(self._weights, clip.sample.device)
        sums, counts = region_lpips(network, clip.edited, target, pixels)
        per_frame = [float(s) / int(n) if n else None for s, n in zip(sums, counts, strict=True)]
        value = float(sums.sum()) / int(counts.sum())
        # Not value == 0: what the network cannot see, as the last column of an even width, may differ too.
        exact = not any(True for _ in _differing(clip.edited, target, pixels))
        return scored(self.info, clip.sample_id, value, exact=exact, per_frame=per_frame)

    def _why_not(self, clip: EditClip) -> str | None:
        if reason := clip.sample.why_missing(self.info.region):
            return reason
        height, width = clip.edited.shape[1:3]
        smallest = SMALLEST_SIDE[ARCHITECTURES[self._weights]]
        if min(height, width) < smallest:
            return f"frames of {width}x{height} px; {self._weights} needs at least {smallest} px a side"
        return None


BackgroundLpips = partial(Lpips, "background")
EditLpips = partial(Lpips, "edit")
