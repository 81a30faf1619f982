"""Network metrics as evaluation scripts compute them: frame by frame, metric by metric; and the bare networks.

The networks have random weights: their speed is that of trained ones, their figures mean nothing.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_model
from torchvision.models import alexnet

from vivid_bench.masks import bounding_box
from vivid_bench.metrics.clip_model import BATCH, load_clip
from vivid_bench.metrics.crops import View, views
from vivid_bench.metrics.lpips import MARGIN, PIXELS_AT_ONCE, load_network
from vivid_bench.types import Frames, Mask

CLIP, NET = "ViT-B-32/openai", "alex"
METRICS = (
    f"edit_lpips@{NET}", f"background_lpips@{NET}",
    *(f"clip_text_{view}@{CLIP}" for view in ("full", "region", "masked")),
    f"clip_image_region@{CLIP}",
    *(f"clip_temporal_{view}@{CLIP}" for view in ("full", "region")),
)  # fmt: skip


def write_weights(folder: Path) -> None:
    """Save random weights where `VIVID_BENCH_WEIGHTS` finds them."""
    torch.manual_seed(0)
    (folder / CLIP).mkdir(parents=True)
    save_model(open_clip.create_model("ViT-B-32"), str(folder / CLIP / "open_clip_model.safetensors"))
    (folder / NET).mkdir()
    torch.save(alexnet().state_dict(), folder / NET / "alexnet-owt-7be5be79.pth")


def per_frame_loop(source: Frames, mask: Mask, reference: Frames, edited: Frames, prompt: str, device: str) -> None:
    """Compute what `METRICS` need the way VideoPainter's evaluation does: a frame, a metric, a call of a network.

    As there, the caption goes through its network with every frame, and nothing is shared between metrics.
    """
    model = load_clip(CLIP, device)
    network = load_network(NET, device)
    _, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")

    @torch.no_grad()
    def image(frame: Frames) -> torch.Tensor:
        return model.network.encode_image(preprocess(Image.fromarray(frame))[None].to(device), normalize=True)

    @torch.no_grad()
    def text() -> torch.Tensor:
        return model.network.encode_text(model.tokenizer([prompt]).to(device), normalize=True)

    @torch.no_grad()
    def distance(first: Frames, second: Frames) -> torch.Tensor:
        a, b = (torch.from_numpy(x).permute(2, 0, 1)[None].to(device).float() / 127.5 - 1 for x in (first, second))
        return network(a, b)

    for y, x, r, m in zip(edited, source, reference, mask, strict=True):
        inside = m[..., None]
        distance(np.where(inside, x, y), x)
        distance(np.where(inside, y, r), r)
    for view in ("full", "region", "masked"):
        for frame in views(edited, mask, view):
            float((image(frame) @ text().T)[0, 0])
    for first, second in zip(views(edited, mask, "region"), views(reference, mask, "region"), strict=True):
        float((image(first) @ image(second).T)[0, 0])
    for view in ("full", "steady"):
        features = [image(frame) for frame in views(edited, mask, view)]
        [float((a @ b.T)[0, 0]) for a, b in pairwise(features)]


class BareNetworks:
    """The networks that `METRICS` need, on tensors that are ready in memory, as often as the metrics need them."""

    def __init__(self, mask: Mask, reference: Frames, edited: Frames, prompt: str, device: str) -> None:
        self.clip, self.lpips = load_clip(CLIP, device), load_network(NET, device)
        shown: tuple[tuple[Frames, View], ...] = (
            (edited, "full"), (edited, "region"), (edited, "masked"), (edited, "steady"), (reference, "region"),
        )  # fmt: skip
        images = torch.cat([self.clip.prepared(views(frames, mask, view)) for frames, view in shown])
        self.images = images.split(BATCH)
        self.tokens = self.clip.tokenizer([prompt]).to(device)
        self.pairs = [*self._pairs(mask, edited, reference, device), *self._pairs(~mask, edited, reference, device)]

    def _pairs(self, region: Mask, edited: Frames, target: Frames, device: str) -> list[tuple[torch.Tensor, ...]]:
        x0, y0, x1, y1 = bounding_box(region.any(axis=0)) or (0, 0, 1, 1)
        seen = slice(None), slice(max(0, y0 - MARGIN), y1 + MARGIN), slice(max(0, x0 - MARGIN), x1 + MARGIN)
        at_once = max(1, PIXELS_AT_ONCE[torch.device(device).type] // region[0].size)
        first, second = (
            torch.from_numpy(np.ascontiguousarray(frames[seen])).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
            for frames in (edited, target)
        )
        return list(zip(first.split(at_once), second.split(at_once), strict=True))

    @torch.inference_mode()
    def run(self) -> None:
        """Run all of them."""
        for batch in self.images:
            self.clip.network.encode_image(batch, normalize=True)
        self.clip.network.encode_text(self.tokens, normalize=True)
        for first, second in self.pairs:
            self.lpips(first, second)
