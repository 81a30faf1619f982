"""Masks of add and modify samples: loosened, but never over most of the frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from raw_videos import shot

from vivid_bench.build.entity_stages import FoundEntity
from vivid_bench.build.filters import LIMITS
from vivid_bench.build.results import BuiltSample
from vivid_bench.build.samples import entity_samples
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.types import Captions, Clip, Entity, Track
from vivid_bench.masks import binarise
from vivid_bench.types import Mask
from vivid_bench.video import read_video, write_lossless


def made(folder: Path, mask: Mask, seed: int) -> tuple[BuiltSample, Mask]:
    """Return the one sample of a clip with these masks given, and its mask as it was written."""
    clip = Clip("a-c0000", "a.mp4", shot(0, len(mask), *mask.shape[1:]), 24.0, 1)
    write_lossless(folder / "clips" / clip.id / "source.mkv", clip.frames, clip.fps)
    count = len(mask)
    track = Track(mask, 0, count - 1, np.ones(count, np.float32), np.zeros(count, np.float32))
    found = FoundEntity(Entity(mask[1], 1.0), track, given=True, captions=Captions("a", "a", "a"))
    settings = BuildSettings(name="own", seed=seed, frames=count)
    (sample,) = entity_samples(clip, [found], ["add"], settings, folder)
    assert isinstance(sample, BuiltSample)
    written, _ = binarise(read_video(folder / sample.sample.mask.path, grey=True).frames)
    return sample, written


def test_a_form_that_covers_too_much_gives_way_to_the_mask_itself(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:48, :64]
    band = np.broadcast_to(np.abs(rows * 64 / 48 - columns) < 13, (3, 48, 64)).copy()
    assert 0.33 < band.mean() < LIMITS.max_area  # its box is the whole frame; it is its own hull
    kinds = set()
    for seed in range(12):
        sample, mask = made(tmp_path / str(seed), band, seed)
        assert mask.mean() <= LIMITS.max_area
        assert sample.measures["area"] == round(float(mask.mean()), 4)
        assert np.array_equal(mask, band)
        kinds.add(sample.sample.mask_kind)
    assert kinds == {"original", "hull"}


def test_the_area_on_the_card_is_the_written_masks(tmp_path: Path) -> None:
    box = np.zeros((3, 48, 64), np.bool_)
    box[:, 10:22, 10:26] = True
    kinds = set()
    for seed in range(12):
        sample, mask = made(tmp_path / str(seed), box, seed)
        assert mask[box].all()
        assert sample.measures["area"] == round(float(mask.mean()), 4)
        kinds.add(sample.sample.mask_kind)
    assert len(kinds) > 3
