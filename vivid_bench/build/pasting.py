"""A mask sequence for a delete sample: a stamp from the pool, put on the background and carried with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivid_bench.build.carrying import ClipFlow, carry
from vivid_bench.build.pool import Stamp, draw
from vivid_bench.build.positioning import keep_out, place
from vivid_bench.build.types import Track
from vivid_bench.types import Mask

TRIES = 20


@dataclass(frozen=True)
class Rejected:
    """Why no mask could be pasted on a clip.

    Attributes:
        reason: what most tries failed for, the first of them where several did as often: `empty pool`, `no place`
            (in the keyframe), `leaves the frame`, `touches an entity` or `motion lost`.
        tries: reason -> number of tries that failed for it; empty for an empty pool.
    """

    reason: str
    tries: dict[str, int]


def paste(
    flow: ClipFlow, keyframe: int, entities: Mask, pool: Sequence[Stamp], rng: np.random.Generator
) -> Track | Rejected:
    """Paste a stamp where no entity is, and let it move with the background through the whole clip.

    Each of up to TRIES tries draws a stamp and a place. In no frame does the result touch an entity's mask grown by
    `positioning.keep_out`. The same arguments give the same bytes.

    Args:
        flow: of the clip, see `carrying.estimate_flow`; empty for one frame.
        keyframe: index of the frame that the stamp is placed in.
        entities: (T, H, W) bool, everything that is not background.
        pool: stamps, in a fixed order.
        rng: draws stamps and places.

    Returns:
        A track over all frames, or why there is none.
    """
    if not pool:
        return Rejected("empty pool", {})
    height, width = entities.shape[1:]
    forbidden = keep_out(entities)
    failed: Counter[str] = Counter()
    for _ in range(TRIES):
        placed = place(draw(pool, rng, height, width), forbidden[keyframe], rng)
        if placed is None:
            failed["no place"] += 1
            continue
        carried = carry(placed, keyframe, forbidden, flow)
        if carried.stopped is None:
            return carried.track
        failed[carried.stopped] += 1
    return Rejected(failed.most_common(1)[0][0], dict(failed))
