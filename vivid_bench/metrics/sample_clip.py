"""The arrays that metrics share: a sample's, and those of one edit of it.

What several metrics need is computed once, on first use: a sample's flow serves all its edits; an edit's histograms of
differences serve PSNR, MSE and L1. Frames are visited one at a time; no clip is ever held as floats.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vivid_bench.flow import parallel
from vivid_bench.masks import boundary_band, bounding_box
from vivid_bench.metrics.errors import difference_histogram
from vivid_bench.metrics.ssim import WINDOW_RADIUS, erode, ssim_map
from vivid_bench.metrics.warp_error import PairWarps, pair_error, pair_warps
from vivid_bench.types import Frames, Mask, Region, Sample

Value = TypeVar("Value")


def _first(kept: dict[Hashable, object], key: Hashable, make: Callable[[], Value]) -> Value:
    if key not in kept:
        kept[key] = make()
    return cast(Value, kept[key])


class SampleClip:
    """One sample's arrays, shared by all edits scored on it.

    Args:
        sample: what the arrays belong to.
        source: (T, H, W, 3) uint8 RGB.
        mask: (T, H, W) bool, True = edit.
        reference: (T, H, W, 3) uint8 RGB, or None where no ground truth exists.
        device: where metrics run their networks.

    Keyframes are not scored: every region is empty there, so they leave all sums, and a value by frame is None. Warp
    errors lose both pairs that touch a keyframe (see `vivid_bench.keyframes`).

    Attributes:
        scored: (T,) bool, False at the sample's keyframes.
    """

    def __init__(
        self, sample: Sample, source: Frames, mask: Mask, reference: Frames | None, device: str = "cpu"
    ) -> None:
        self.sample = sample
        self.device = device
        self._once: dict[Hashable, object] = {}
        self.source = source
        self.mask = mask
        self.reference = reference
        self.scored: NDArray[np.bool_] = np.ones(len(mask), np.bool_)
        self.scored[list(sample.keyframes or ())] = False

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return what `make` gave when first asked for under `key`: what several metrics, or edits, share."""
        return _first(self._once, key, make)

    @cached_property
    def boundary(self) -> Mask:
        """(T, H, W) bool: the band on both sides of the mask's edge."""
        return boundary_band(self.mask)

    @property
    def scored_pairs(self) -> list[int]:
        """Frames t of which neither t nor t+1 is a keyframe."""
        return [t for t in range(len(self.scored) - 1) if self.scored[t] and self.scored[t + 1]]

    def region(self, region: Region, frame: int) -> NDArray[np.bool_]:
        """Return a region's pixels in one frame: (H, W) bool, none at a keyframe."""
        if not self.scored[frame]:
            return np.zeros_like(self.mask[frame])
        if region == "full":
            return np.ones_like(self.mask[frame])
        if region == "background":
            return np.asarray(~self.mask[frame])
        pixels = self.mask if region == "edit" else self.boundary
        return np.asarray(pixels[frame])

    def ssim_region(self, region: Region, frame: int) -> NDArray[np.bool_]:
        """Return the pixels over which SSIM is averaged: the background's windows must not reach into the mask."""
        pixels = self.region(region, frame)
        return erode(pixels, WINDOW_RADIUS) if region == "background" else pixels

    def target(self, region: Region) -> Frames | None:
        """Return what an edit is compared with: the source in the background, the reference elsewhere."""
        return self.source if region == "background" else self.reference

    def why_missing(self, region: Region) -> str | None:
        """Say why nothing can be compared in a region, or None."""
        if self.target(region) is None:
            return "the sample has no reference"
        if not any(self.region(region, frame).any() for frame in range(len(self.mask))):
            return f"the {region} region is empty in all {'' if self.scored.all() else 'scored '}frames"
        return None

    def warps(self, region: Region) -> PairWarps:
        """Flow and valid pixels of each pair: of the source for the background, of the reference for the edit."""
        if region in self._source_warps:
            return self._source_warps[region]
        return self._reference_warps

    @cached_property
    def _source_warps(self) -> dict[Region, PairWarps]:
        scored = self.scored[:, None, None]
        regions: dict[Region, Mask] = {"background": scored & ~self.mask}
        # Where the source is its own ground truth its flow serves both regions.
        if self.sample.task == "delete" and self.reference is not None and np.array_equal(self.source, self.reference):
            regions["edit"] = scored & self.mask
        return pair_warps(self.source, regions)

    @cached_property
    def _reference_warps(self) -> PairWarps:
        assert self.reference is not None
        return pair_warps(self.reference, {"edit": self.scored[:, None, None] & self.mask})["edit"]


class EditClip:
    """One edit of a sample.

    Args:
        sample: the sample's arrays.
        edited: (T, H, W, 3) uint8 RGB, of the source's size and length (the caller has checked it).
    """

    def __init__(self, sample: SampleClip, edited: Frames) -> None:
        self.sample = sample
        self.edited = edited
        self._once: dict[Hashable, object] = {}
        self._histograms: dict[Region, NDArray[np.int64]] = {}
        self._ssim: dict[Region, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}

    @property
    def sample_id(self) -> str:
        """The sample's id."""
        return self.sample.sample.id

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return what `make` gave when first asked for under `key`: what several metrics share."""
        return _first(self._once, key, make)

    def difference_histograms(self, region: Region) -> NDArray[np.int64]:
        """Count absolute differences in a region: (T, 256) int64, by frame and value, over pixels and channels."""
        if region not in self._histograms:
            target = self._target(region)

            def histogram(frame: int) -> NDArray[np.int64]:
                return difference_histogram(self.edited[frame], target[frame], self.sample.region(region, frame))

            self._histograms[region] = np.stack(parallel(histogram, range(len(self.edited))))
        return self._histograms[region]

    def ssim_sums(self, region: Region) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Sum the SSIM map over a region, and count its pixels: (T,) float64 and (T,) int64, by frame."""
        if region not in self._ssim:
            # The edit region and its boundary overlap: one map serves both.
            regions: tuple[Region, ...] = ("edit", "boundary") if region in ("edit", "boundary") else (region,)
            target = self._target(region)
            by_frame = parallel(lambda frame: self._frame_ssim(frame, target[frame], regions), range(len(self.edited)))
            for index, name in enumerate(regions):
                self._ssim[name] = (
                    np.array([sums[index] for sums, _ in by_frame], np.float64),
                    np.array([counts[index] for _, counts in by_frame], np.int64),
                )
        return self._ssim[region]

    def warp_errors(self, region: Region) -> list[tuple[float, int] | None]:
        """Sum squared differences, and count them, for each pair of frames; None where no pixel is valid."""
        warps = self.sample.warps(region)

        def error(frame: int) -> tuple[float, int] | None:
            pair = warps[frame]
            return None if pair is None else pair_error(self.edited[frame], self.edited[frame + 1], pair)

        return parallel(error, range(len(warps)))

    def _target(self, region: Region) -> Frames:
        target = self.sample.target(region)
        assert target is not None, "ask why_missing first"
        return target

    def _frame_ssim(
        self, frame: int, target: NDArray[np.uint8], regions: tuple[Region, ...]
    ) -> tuple[list[float], list[int]]:
        pixels = [self.sample.ssim_region(region, frame) for region in regions]
        box = bounding_box(np.logical_or.reduce(pixels))
        if box is None:
            return [0.0] * len(regions), [0] * len(regions)
        x0, y0, x1, y1 = box
        map_ = ssim_map(self.edited[frame], target, box)
        inside = [region[y0:y1, x0:x1] for region in pixels]
        return (
            [float(np.sum(map_[region], dtype=np.float64)) for region in inside],
            [int(np.count_nonzero(region)) for region in inside],
        )
