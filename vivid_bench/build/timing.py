"""Where a build's time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

Item = TypeVar("Item")


@dataclass
class Timing:
    """Seconds and frames by stage; what was on disk already is not counted."""

    seconds: dict[str, float] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, frames: int) -> Iterator[None]:
        """Count the block's time, and so many frames, to a stage."""
        start = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - start, frames)

    def watched(self, name: str, items: Iterator[Item], frames: Callable[[Item], int]) -> Iterator[Item]:
        """Yield items, counting the time that each takes to come and its frames to a stage."""
        while True:
            start = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                self.add(name, time.perf_counter() - start, 0)
                return
            self.add(name, time.perf_counter() - start, frames(item))
            yield item

    def add(self, name: str, seconds: float, frames: int) -> None:
        """Count time and frames to a stage."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.frames[name] = self.frames.get(name, 0) + frames

    def merge(self, other: Timing) -> None:
        """Add another process's."""
        for name, seconds in other.seconds.items():
            self.add(name, seconds, other.frames[name])
