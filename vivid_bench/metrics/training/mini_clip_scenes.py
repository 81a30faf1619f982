"""Pictures that mini-clip learns from: scenes with nothing in them, with an entity, and with near misses of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from vivid_bench.masks import bounding_box
from vivid_bench.metrics.crops import View, cut_square, views
from vivid_bench.metrics.removal import neighbours
from vivid_bench.scenes import COLOURS, PATTERNS, SHAPES, SIZES, Entity, combinations, render_sample
from vivid_bench.types import HOLE_GREY, Frames

SHOWN = 3
"""Entities that a scene is rendered with: the first, and two that differ from it."""

VIEWS: tuple[View, ...] = ("region", "masked", "full")
_VIEW_SHARES = (0.4, 0.3, 0.3)
_ONE_WORD_SHARE = 0.7
_TELEA_SHARE, _GREY_SHARE = 0.35, 0.1
_BLUR_SHARE, _MOST_BLUR_PX = 0.25, 1.2

Rng = np.random.Generator
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Variants:
    """One scene, rendered with different things in its hole.

    Attributes:
        clean: (T, H, W, 3) uint8 RGB, nothing in the hole.
        edits: (SHOWN, T, H, W, 3) uint8, one for each entity.
        masks: (SHOWN, T, H, W) bool, each entity's.
        entities: what the edits show; all differ.
    """

    clean: Frames
    edits: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    entities: tuple[Entity, ...]


WORDS = {"colour": tuple(COLOURS), "shape": SHAPES, "pattern": PATTERNS, "size": SIZES}
"""What each word of an entity can be."""


def near_misses(entity: Entity, word: str) -> list[Entity]:
    """Return the entities that differ from this one by that word alone, a key of WORDS; of any fold."""
    own = getattr(entity, word)
    return [replace(entity, **{word: value}) for value in WORDS[word] if value != own]


def render_variants(seed: int, frames: int, side: int) -> Variants:
    """Render a scene of the training fold, `frames` square frames of it."""
    render = partial(render_sample, "add", seed, fold="train", frames=frames, height=side, width=side)
    first = render()
    assert first.entity is not None
    others = _others(np.random.default_rng((seed, 1)), first.entity)
    samples = [first, *(render(shown=entity) for entity in others)]
    return Variants(
        clean=first.source,
        edits=np.stack([sample.reference for sample in samples]),
        masks=np.stack([sample.mask for sample in samples]),
        entities=(first.entity, *others),
    )


def _others(rng: Rng, entity: Entity) -> list[Entity]:
    """Draw distinct entities of the fold that differ from one: by one word, or now and then by any."""
    everything = combinations("train")
    # By the word that differs: colours outnumber the other words and are learnt first.
    near = [own for word in WORDS if (own := [e for e in near_misses(entity, word) if e in everything])]
    drawn: list[Entity] = []
    while len(drawn) < SHOWN - 1:
        among = near[rng.integers(len(near))] if rng.random() < _ONE_WORD_SHARE else everything
        other = among[rng.integers(len(among))]
        if other not in (entity, *drawn):
            drawn.append(other)
    return drawn


def render_scenes(count: int, frames: int, side: int) -> list[Variants]:
    """Render scenes 0 to `count` - 1, with a progress bar; those in which an entity leaves the frame are left out."""
    scenes = (render_variants(seed, frames, side) for seed in track(range(count), description="render"))
    return [scene for scene in scenes if scene.masks.any(axis=(2, 3)).all()]


def draw_pictures(rng: Rng, scenes: Sequence[Variants]) -> list[Image]:
    """Show one frame of each scene as one of the metrics would: nothing, then each of its entities.

    Returns:
        1 + SHOWN pictures of each scene, (h, w, 3) uint8 of different sizes.
    """
    return [picture for scene in scenes for picture in _shown(rng, scene)]


def _shown(rng: Rng, scene: Variants) -> list[Image]:
    frame = int(rng.integers(len(scene.clean)))
    view = VIEWS[rng.choice(len(VIEWS), p=_VIEW_SHARES)]
    masks = scene.masks[:, frame]
    if rng.random() < 0.5:  # as in modify, whose mask holds what was there and what comes
        masks = np.broadcast_to(masks.any(axis=0), masks.shape)
    empty = nothing(rng, scene.clean[frame], masks[0])
    pictures = [(empty, masks[0]), *zip(scene.edits[:, frame], masks, strict=True)]
    images = [views(picture[None], mask[None], view)[0] for picture, mask in pictures]
    flip, blur = rng.random() < 0.5, rng.random() < _BLUR_SHARE
    sigma = float(rng.uniform(0.3, _MOST_BLUR_PX))
    shown = []
    for image in images:
        assert image is not None, "render_scenes leaves such scenes out"
        changed = cv2.GaussianBlur(image, (0, 0), sigma) if blur else image
        shown.append(np.ascontiguousarray(changed[:, ::-1] if flip else changed))
    return shown


def draw_backgrounds(rng: Rng, scenes: Sequence[Variants]) -> list[Image]:
    """Show of each scene what removal success looks at: what is behind a hole, a square beside it, the hole grey.

    Returns:
        3 pictures of each scene, (h, w, 3) uint8 of different sizes.
    """
    return [picture for scene in scenes for picture in _backgrounds(rng, scene)]


def _backgrounds(rng: Rng, scene: Variants) -> list[Image]:
    frame = int(rng.integers(len(scene.clean)))
    clean, mask = scene.clean[frame], scene.masks[0, frame]
    box = bounding_box(mask)
    assert box is not None, "render_scenes leaves such scenes out"
    side = max(box[2] - box[0], box[3] - box[1])
    squares = neighbours(mask, box) or [box]
    x0, y0, x1, y1 = squares[rng.integers(len(squares))]
    grey = np.where(mask[..., None], np.uint8(HOLE_GREY), clean)
    pictures = [cut_square(clean, box, side), clean[y0:y1, x0:x1], cut_square(grey, box, side)]
    step = -1 if rng.random() < 0.5 else 1
    return [np.ascontiguousarray(picture[:, ::step]) for picture in pictures]


def nothing(rng: Rng, clean: Image, mask: NDArray[np.bool_]) -> Image:
    """Return a frame without the entity: as it is behind it, filled by Telea's method, or grey."""
    kind = rng.random()
    if kind < _TELEA_SHARE:
        return telea(clean, mask)
    if kind < _TELEA_SHARE + _GREY_SHARE:
        return np.where(mask[..., None], np.uint8(HOLE_GREY), clean)
    return clean


def telea(frame: Image, mask: NDArray[np.bool_]) -> Image:
    """Fill a frame's mask by Telea's method: (H, W, 3) uint8."""
    return np.asarray(cv2.inpaint(frame, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA), dtype=np.uint8)
