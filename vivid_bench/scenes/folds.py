"""What each fold may use: words, attribute combinations and random streams, disjoint between folds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from vivid_bench.types import TASKS, Task

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (208, 30, 36),
    "orange": (242, 122, 16),
    "yellow": (242, 226, 44),
    "green": (44, 158, 58),
    "cyan": (46, 200, 214),
    "blue": (38, 74, 212),
    "purple": (136, 46, 178),
    "pink": (246, 138, 192),
    "white": (238, 238, 238),
    "black": (26, 26, 26),
}
"""Colour word -> RGB, 0 to 255."""

SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "heart", "cross", "diamond", "hexagon")
PATTERNS: tuple[str, ...] = ("plain", "striped", "spotted", "checkered")
SIZES: tuple[str, ...] = ("small", "medium", "large")
FOLDS: tuple[str, ...] = ("train", "validation", "test")

_SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
_SPLIT_SEED = 2411
_STREAMS = ("camera", "background", "entity", "other", "bystander", "mask", "pool")


@dataclass(frozen=True)
class Entity:
    """What an entity looks like, in words; the words are keys of COLOURS, SHAPES, PATTERNS and SIZES."""

    colour: str
    shape: str
    pattern: str
    size: str

    def caption(self) -> str:
        """One sentence that holds all four words, e.g. "A large striped red star."."""
        return f"A {self.size} {self.pattern} {self.colour} {self.shape}."


@cache
def combinations(fold: str) -> tuple[Entity, ...]:
    """All entities of a fold; no two folds share one, and every word occurs in `train`."""
    entities = [Entity(*words) for words in product(COLOURS, SHAPES, PATTERNS, SIZES)]
    order = np.random.Generator(np.random.PCG64(_SPLIT_SEED)).permutation(len(entities))
    start = 0
    for name in FOLDS:
        stop = start + round(_SHARES[name] * len(entities))
        if name == fold:
            return tuple(entities[i] for i in order[start:stop])
        start = stop
    raise ValueError(f"unknown fold {fold!r}: expected one of {', '.join(FOLDS)}")


def streams(fold: str, task: Task, seed: int) -> dict[str, np.random.Generator]:
    """Independent random streams by purpose, so that e.g. another mask leaves the picture as it is."""
    root = np.random.SeedSequence([FOLDS.index(fold), TASKS.index(task), seed])
    children = root.spawn(len(_STREAMS))
    return {name: np.random.Generator(np.random.PCG64(s)) for name, s in zip(_STREAMS, children, strict=True)}
