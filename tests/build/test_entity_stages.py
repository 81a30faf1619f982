"""In which frame a clip's entities are chosen."""

from __future__ import annotations

import numpy as np
import pytest

from vivid_bench.build.entity_stages import look
from vivid_bench.build.types import Entity
from vivid_bench.types import Frames

FRAMES = np.zeros((9, 10, 10, 3), np.uint8)


def entity(pixels: int, score: float = 1.0) -> Entity:
    mask = np.zeros((10, 10), np.bool_)
    mask.flat[:pixels] = True
    return Entity(mask, score)


class Shows:
    """A selector that finds what it is told to; the others show nothing."""

    def __init__(self, by_frame: dict[int, list[Entity]]) -> None:
        self.by_frame = by_frame
        self.asked: list[int] = []

    def __call__(self, frames: Frames, keyframe: int) -> list[Entity]:
        self.asked.append(keyframe)
        return self.by_frame.get(keyframe, [])


@pytest.mark.parametrize(
    ("by_frame", "chosen"),
    [
        ({}, 4),  # nothing anywhere
        ({1: [entity(4)]}, 1),  # it rests everywhere else
        ({4: [entity(74)], 1: [entity(100)]}, 4),  # sqrt(0.74) = 0.860 of the most, and the keyframe itself
        ({4: [entity(72)], 1: [entity(100)]}, 1),  # sqrt(0.72) = 0.849: too little
        ({1: [entity(100)], 5: [entity(100, 0.9)]}, 5),  # nearly as much, nearer
        ({1: [entity(100, 0.5)], 7: [entity(25), entity(25, 0.5)]}, 7),  # 0.5 against 0.5 + 0.25
    ],
)
def test_the_frame_that_shows_most_or_nearly_so_near_the_keyframe(
    by_frame: dict[int, list[Entity]], chosen: int
) -> None:
    selector = Shows(by_frame)
    seen = look(FRAMES, 4, selector, (1 / 8, 3 / 8, 5 / 8, 7 / 8))
    assert (seen.keyframe, seen.entities) == (chosen, by_frame.get(chosen, []))
    assert sorted(selector.asked) == [1, 3, 4, 5, 7]


def test_a_model_looks_at_the_keyframe_alone() -> None:
    selector = Shows({1: [entity(100)]})
    seen = look(FRAMES, 4, selector)
    assert (seen.keyframe, seen.entities, selector.asked) == (4, [], [4])
