"""Stage 5 for one clip: a delete sample, its mask out of the pool, where no entity is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vivid_bench.build.carrying import estimate_flow
from vivid_bench.build.entity_stages import FoundEntity
from vivid_bench.build.filters import measure, reject_reason
from vivid_bench.build.parts import Parts
from vivid_bench.build.pasting import TRIES, Rejected, paste
from vivid_bench.build.pool import Stamp
from vivid_bench.build.results import BuiltSample, Reject
from vivid_bench.build.samples import draw_augmentation, generator, tracked, write_sample
from vivid_bench.build.types import Clip
from vivid_bench.masks import augment, bounding_box
from vivid_bench.types import DELETE_PROMPT, Mask


def delete_samples(
    clip: Clip, found: Sequence[FoundEntity], pool: Sequence[Stamp], parts: Parts, out: Path
) -> Iterator[BuiltSample | Reject]:
    """Yield a clip's delete samples, at most `masks_per_clip`.

    The stamp is made looser before it is put down, so that what moves with the background, and keeps away from the
    entities, is the mask as it is given to methods. A clip's masks keep away from each other, too: two at nearly the
    same place would ask the same twice.

    Args:
        pool: stamps of the whole build; those of the clip's own video are used only where there are no others.
    """
    settings = parts.settings
    if lost := [one.track for one in found if not _is_whole(one)]:
        yield Reject(stage="delete", name=clip.id, reason="an entity was lost", detail=tracked(lost[0]))
        return
    flow, taken = estimate_flow(clip.frames, parts.motion), _all_of(found, clip)
    others = [stamp for stamp in pool if stamp.origin != clip.video] or pool
    for index in range(settings.masks_per_clip):
        name = f"{clip.id}-delete-{index}"
        rng = generator(settings, name)
        kind, radius = draw_augmentation(rng, clip.frames)
        # A pool can hold a stamp of each of thousands of videos.
        chosen = rng.choice(len(others), min(TRIES, len(others)), replace=False)
        stamps = [loosened(others[i], kind, radius) for i in chosen]
        track = paste(flow, clip.keyframe, taken, stamps, rng)
        if isinstance(track, Rejected):
            tries = ", ".join(f"{reason} {count} times" for reason, count in sorted(track.tries.items()))
            yield Reject(stage="delete", name=name, reason=track.reason, detail=tries)
            continue
        measures = measure(track)
        if reason := reject_reason(track, measures):
            yield Reject(stage="delete", name=name, reason=reason, detail=str(measures))
            continue
        taken |= track.masks
        sample = write_sample(out, clip, name, "delete", track.masks, DELETE_PROMPT, kind, settings)
        yield BuiltSample(sample=sample, measures=measures.rounded())


def loosened(stamp: Stamp, kind: str, radius: int) -> Stamp:
    """Return a stamp augmented in one of VIVID-10M's six ways; `radius` as `masks.augment` takes it."""
    mask = augment(np.pad(stamp.mask, radius)[None], kind, radius)[0]
    box = bounding_box(mask)
    assert box is not None
    x0, y0, x1, y1 = box
    return replace(stamp, mask=mask[y0:y1, x0:x1].copy(), share=stamp.share * mask.sum() / stamp.mask.sum())


def _is_whole(found: FoundEntity) -> bool:
    return found.given or (found.track.first == 0 and found.track.last == len(found.track.masks) - 1)


def _all_of(found: Sequence[FoundEntity], clip: Clip) -> Mask:
    masks = np.zeros(clip.frames.shape[:3], np.bool_)
    for one in found:
        masks |= one.track.masks
    return masks
