"""What calls of a model cost, measured while they run; `cost` counts ahead, without running anything."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from vivid_bench.vivid.pipeline import VividPipeline


@dataclass
class Spent:
    """Sums over measured blocks.

    Attributes:
        seconds: wall-clock time. Counting is part of it: some 5 % of `vivid-mini`'s time, less of a larger model's.
        flops: floating-point operations of matrix products, convolutions and attention, as torch's `FlopCounterMode`
            counts them in the very calls that ran; a multiply-add is two.
    """

    seconds: float = 0.0
    flops: int = 0

    def __add__(self, other: Spent) -> Spent:
        """Return the sum of two."""
        return Spent(self.seconds + other.seconds, self.flops + other.flops)

    def times(self, factor: int) -> Spent:
        """Return so many times the cost."""
        return Spent(factor * self.seconds, factor * self.flops)


@contextmanager
def measure(spent: Spent) -> Iterator[None]:
    """Add the block's cost to `spent`, when it ends without an error."""
    start = time.perf_counter()
    with FlopCounterMode(display=False) as counter:
        yield
    spent.seconds += time.perf_counter() - start
    spent.flops += int(counter.get_total_flops())


def weights_sha256(pipeline: VividPipeline) -> str:
    """Return the hash of all weights in memory: names, types, shapes and bytes, wherever they were loaded from."""
    digest = hashlib.sha256()
    for part in ("text_encoder", "vae", "transformer"):
        for name, tensor in sorted(getattr(pipeline, part).state_dict().items()):
            digest.update(f"{part}.{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
