"""Editing samples from rendered scenes: source, mask and exact reference for add, modify and delete."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.masks import MASK_KINDS, augment, dilate
from vivid_bench.scenes import backgrounds, entities, motion
from vivid_bench.scenes.folds import COLOURS, Entity, combinations, streams
from vivid_bench.types import DELETE_PROMPT, Frames, Hole, Mask, Task

Rng = np.random.Generator

_BYSTANDER_SHARE = 0.35
_MASK_MARGIN_PX = 1.5
_OPAQUE = 0.95
_CHROMA_BLUR_PX = 1.5


@dataclass(frozen=True)
class SceneSample:
    """One editing sample. Outside the mask, source and reference are equal to the bit.

    Attributes:
        source, reference: (T, H, W, 3) uint8 RGB; the same array where the hole is hidden.
        mask: (T, H, W) bool, True = edit: entity and shadow, grown a little, then augmented.
        prompt: caption of what the reference shows in the hole, or the delete prompt.
        scene_id: names the scene; no two samples share one.
        entity: what the reference shows in the hole; None for delete.
        entity_mask: (T, H, W) bool, that entity's opaque pixels without its shadow; None for delete.
    """

    task: Task
    source: Frames
    mask: Mask
    reference: Frames
    prompt: str
    hole: Hole
    mask_kind: str
    scene_id: str
    entity: Entity | None
    entity_mask: Mask | None


def render_sample(
    task: Task,
    seed: int,
    *,
    fold: str,
    frames: int = 17,
    height: int = 96,
    width: int = 96,
    hole: Hole | None = None,
    mask_kind: str | None = None,
    photograph: str | None = None,
    shown: Entity | None = None,
) -> SceneSample:
    """Render one sample; the same arguments give the same bytes.

    Args:
        task: add, modify or delete.
        seed: any integer from 0 up; folds and tasks never share a random stream.
        fold: `train`, `validation` or `test`; textures and attribute combinations are disjoint.
        frames, height, width: the clip's size.
        hole: `visible` or `hidden` (delete only); None lets the seed choose for delete, else `visible`.
        mask_kind: one of MASK_KINDS; None lets the seed choose.
        photograph: name in PHOTOGRAPHS of the fold, in place of a procedural background.
        shown: what the reference shows in the hole, in place of the seed's choice (add and modify); all else is
            as without it, but for the mask and which of two entities is in front.

    Raises:
        ValueError: for an unknown fold, a hidden hole outside delete, a photograph of another fold, or an entity to
            show in a delete.
    """
    size = (height, width)
    allowed = combinations(fold)
    if photograph is not None and photograph not in backgrounds.PHOTOGRAPHS.get(fold, ()):
        raise ValueError(f"fold {fold!r} has no photograph {photograph!r}")
    if task != "delete" and hole == "hidden":
        raise ValueError(f"task {task!r} has no hidden hole: its reference must differ from the source")
    if task == "delete" and shown is not None:
        raise ValueError("the reference of a delete shows no entity")
    rng = streams(fold, task, seed)
    random_hole: Hole = "hidden" if task == "delete" and rng["mask"].random() < 0.5 else "visible"
    random_kind = str(rng["mask"].choice(MASK_KINDS))
    hole, mask_kind = hole or random_hole, mask_kind or random_kind
    radius = max(2, round(rng["mask"].uniform(0.03, 0.07) * min(size)))

    camera = motion.camera_path(rng["camera"], frames, *size)
    background = _background(rng["background"], fold, camera, size, photograph)
    bystander = _bystander(rng["bystander"], allowed, camera, size)
    clean = entities.composite(background, bystander)
    scene_id = f"{fold}-{task}-{seed:06d}"
    if hole == "hidden":
        mask = augment(_pasted_mask(rng["pool"], allowed, camera, size), mask_kind, radius)
        return SceneSample(task, clean, mask, clean, DELETE_PROMPT, hole, mask_kind, scene_id, None, None)

    first = _pick(rng["entity"], allowed)
    if task == "add" and shown is not None:
        first = shown
    path = motion.entity_path(rng["entity"], camera, *size)
    may_be_behind = bool(rng["entity"].random() < 0.5)
    layer = entities.render_entity(rng["entity"], first, path, *size)
    behind = may_be_behind and _share_in_sight(layer, bystander) > 0.5
    drawn = _shown(layer, background, bystander, behind)
    touched = drawn.touched
    if task == "modify":
        second = _pick(rng["other"], tuple(e for e in allowed if e.colour != first.colour))
        second = shown or second
        layer = entities.render_entity(rng["other"], second, path, *size)
        changed = _shown(layer, background, bystander, behind)
        touched = touched | changed.touched
        source, reference, entity, opaque = drawn.frames, changed.frames, second, changed.opaque
    elif task == "add":
        source, reference, entity, opaque = clean, drawn.frames, first, drawn.opaque
    else:
        source, reference = drawn.frames, clean
    mask = touched | (source != reference).any(axis=3)
    mask = augment(dilate(mask, _MASK_MARGIN_PX), mask_kind, radius)
    if task == "delete":
        return SceneSample(task, source, mask, reference, DELETE_PROMPT, hole, mask_kind, scene_id, None, None)
    return SceneSample(task, source, mask, reference, entity.caption(), hole, mask_kind, scene_id, entity, opaque)


def dominant_colour(frames: Frames, mask: Mask) -> str:
    """The colour word nearest (in RGB) to the mean of the mask's inner pixels.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        mask: (T, H, W) bool; inner pixels are 2 px or more from its edge, or all where none is.

    Returns:
        A key of COLOURS.

    Raises:
        ValueError: for an empty mask.
    """
    if not mask.any():
        raise ValueError("an empty mask has no colour")
    inner = mask & ~dilate(~mask, 1.5)
    mean = frames[inner if inner.any() else mask].mean(axis=0)
    return min(COLOURS, key=lambda name: float(np.square(mean - COLOURS[name]).sum()))


@dataclass(frozen=True)
class _Shown:
    """A scene with an entity: pixels that the entity or its shadow touch, and its opaque pixels in sight."""

    frames: Frames
    touched: Mask
    opaque: Mask


def _shown(layer: entities.Rendered, background: Frames, bystander: list[entities.Rendered], behind: bool) -> _Shown:
    """Put an entity into the scene, behind or in front of the bystander."""
    opaque = layer.opacity > _OPAQUE
    touched = entities.footprint(layer)
    if behind:
        for other in bystander:
            opaque &= ~entities.footprint(other)
            touched &= other.opacity < 1
    layers = [layer, *bystander] if behind else [*bystander, layer]
    return _Shown(entities.composite(background, layers), touched, opaque)


def _share_in_sight(layer: entities.Rendered, bystander: list[entities.Rendered]) -> float:
    opaque = layer.opacity > _OPAQUE
    covered = np.zeros_like(opaque)
    for other in bystander:
        covered |= entities.footprint(other)
    return float((opaque & ~covered).sum() / max(1, opaque.sum()))


def _pick(rng: Rng, allowed: tuple[Entity, ...]) -> Entity:
    return allowed[rng.integers(len(allowed))]


def _background(rng: Rng, fold: str, camera: motion.Affines, size: tuple[int, int], photograph: str | None) -> Frames:
    height, width = motion.canvas_size(camera, *size)
    if photograph is None:
        canvas = backgrounds.render_background(rng, fold, height, width, min(size))
    else:
        canvas = backgrounds.crop_photograph(rng, photograph, height, width)
    # As in 8-bit 4:2:0 footage, colour is smoother than brightness and comes in steps of about 2; such clips
    # also pack much smaller without loss.
    green = canvas[..., 1]
    layers = canvas.astype(np.float32) - green[..., None]
    layers = cv2.GaussianBlur(layers, (0, 0), _CHROMA_BLUR_PX)
    layers[..., 1] = green
    planes = np.stack([_warp(layers, m, size, cv2.INTER_LINEAR) for m in camera])
    planes[..., 1] = np.rint(planes[..., 1])
    planes[..., ::2] = 2 * np.rint(planes[..., ::2] / 2) + planes[..., 1:2]
    return np.clip(planes, 0, 255).astype(np.uint8)


def _bystander(
    rng: Rng, allowed: tuple[Entity, ...], camera: motion.Affines, size: tuple[int, int]
) -> list[entities.Rendered]:
    """Sometimes a second entity, which belongs to source and reference alike."""
    if rng.random() >= _BYSTANDER_SHARE:
        return []
    path = motion.entity_path(rng, camera, *size)
    return [entities.render_entity(rng, _pick(rng, allowed), path, *size)]


def _pasted_mask(rng: Rng, allowed: tuple[Entity, ...], camera: motion.Affines, size: tuple[int, int]) -> Mask:
    """VIVID-10M's delete mask: another scene's entity mask, carried by this background's motion."""
    middle = len(camera) // 2
    elsewhere = motion.camera_path(rng, 1, *size)
    path = motion.entity_path(rng, elsewhere, *size)
    layer = entities.render_entity(rng, _pick(rng, allowed), path, *size)
    stamp = dilate(entities.footprint(layer), _MASK_MARGIN_PX)[0].astype(np.uint8)
    back = np.linalg.inv(_square(camera[middle]))
    carry = [(_square(m) @ back)[:2] for m in camera]
    return np.stack([_warp(stamp, m, size, cv2.INTER_NEAREST) for m in carry]).astype(np.bool_)


def _square(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([affine, [0.0, 0.0, 1.0]])


def _warp(
    image: NDArray[np.uint8], affine: NDArray[np.float64], size: tuple[int, int], interpolation: int
) -> NDArray[np.uint8]:
    return np.asarray(cv2.warpAffine(image, affine, size[::-1], flags=interpolation))
