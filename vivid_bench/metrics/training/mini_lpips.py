"""Train `mini-lpips`, a SqueezeNet backbone and linear weights for the `lpips` package, on the mini suite's scenes.

    python -m vivid_bench.metrics.training.mini_lpips --out DIR            # model.safetensors and training.json
    python -m vivid_bench.metrics.training.mini_lpips --measure FOLD       # figures of the shipped weights

First the backbone learns to name a frame's distortion and its strength, and the entity's colour, shape and pattern.
Then backbone and linear weights learn to order: the stronger of two strengths gets the larger distance.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lpips import LPIPS, normalize_tensor
from numpy.typing import NDArray
from rich.progress import track
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from vivid_bench.files import sha256_path, write_text
from vivid_bench.metrics.lpips import backbone_name, load_network, read_network, region_lpips
from vivid_bench.metrics.training.distortions import LEVELS, STRENGTHS, distort, l1_distance, ordering_rates
from vivid_bench.scenes import COLOURS, PATTERNS, SHAPES, render_sample
from vivid_bench.types import Frames, Mask

WEIGHTS_FILE, RECORD_FILE = "model.safetensors", "training.json"

SEED = 20411
SCENES = 300
FRAMES_PER_SCENE = 17
FRAMES_KEPT = (0, 8, 16)
CROP = 64
NAMING_STEPS, ORDERING_STEPS = 240, 220
NAMING_BATCH, ORDERING_BATCH = 32, 12
LEARNING_RATE = 1e-3
WITHIN_KIND = 0.6
"""Share of pairs that are two strengths of one distortion; the others set the distortions' scales to each other."""

KINDS = tuple(STRENGTHS)
ATTRIBUTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("colour", tuple(COLOURS)),
    ("shape", SHAPES),
    ("pattern", PATTERNS),
)
MEASURED_SCENES = 100


@dataclass(frozen=True)
class Examples:
    """Frames of add and modify samples.

    Attributes:
        frames, sources: (N, H, W, 3) uint8, with the entity, and with none or another one in its place.
        masks: (N, H, W) bool.
        labels: (N, 3) int64, the entity's attributes as indices into ATTRIBUTES.
    """

    frames: Frames
    sources: Frames
    masks: Mask
    labels: NDArray[np.int64]


def render_examples(fold: str, seeds: Iterable[int], kept: tuple[int, ...] = FRAMES_KEPT) -> Examples:
    """Render one scene a seed and keep some of its frames, those with an empty mask left out."""
    rows = []
    for seed in seeds:
        sample = render_sample("add" if seed % 2 else "modify", seed, fold=fold, frames=FRAMES_PER_SCENE)
        label = [words.index(getattr(sample.entity, name)) for name, words in ATTRIBUTES]
        rows += [(sample.reference[t], sample.source[t], sample.mask[t], label) for t in kept if sample.mask[t].any()]
    frames, sources, masks, labels = zip(*rows, strict=True)
    return Examples(np.stack(frames), np.stack(sources), np.stack(masks), np.array(labels, np.int64))


def new_network(seed: int) -> LPIPS:
    """Return the package's network with random weights, all of them trainable."""
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        # The package calls torchvision's constructors in the old way.
        warnings.simplefilter("ignore")
        network = LPIPS(net="squeeze", pretrained=False, pnet_rand=True, pnet_tune=True, verbose=False)
    for linear in network.lins:
        nn.init.constant_(linear.model[1].weight, 0.1)
    return network.to(memory_format=torch.channels_last)


def train(network: LPIPS, examples: Examples, naming_steps: int, ordering_steps: int, seed: int) -> dict[str, float]:
    """Train in place: first the backbone by naming, then all of it by ordering; return both losses at the end."""
    rng = np.random.default_rng(seed)
    heads = nn.Linear(network.chns[-1], len(KINDS) * LEVELS + 1 + sum(len(words) for _, words in ATTRIBUTES))
    naming = _optimise(
        [*network.net.parameters(), *heads.parameters()],
        lambda: naming_loss(network, heads, examples, rng),
        track(range(naming_steps), "naming"),
        naming_steps,
    )
    linears = [linear.model[1].weight for linear in network.lins]

    def ordered() -> Tensor:
        # A negative weight would let a difference count as likeness.
        for weight in linears:
            weight.data.clamp_(min=0)
        return ordering_loss(network, examples, rng)

    steps = track(range(ordering_steps), "ordering")
    ordering = _optimise([*network.net.parameters(), *linears], ordered, steps, ordering_steps)
    _set_scale(network, linears, examples, rng)
    return {"naming": naming, "ordering": ordering}


def _optimise(parameters: list[Tensor], loss: Callable[[], Tensor], steps: Iterable[int], total: int) -> float:
    """Do the steps and return the mean loss of the last tenth of them."""
    optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=total)
    losses = []
    for _ in steps:
        value = loss()
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(value.item())
    return float(np.mean(losses[-max(1, total // 10) :]))


def naming_loss(network: LPIPS, heads: nn.Linear, examples: Examples, rng: np.random.Generator) -> Tensor:
    """Cross-entropy of the distortion with its strength (or none), and of the entity's attributes, for one batch."""
    chosen = rng.integers(len(examples.frames), size=NAMING_BATCH)
    windows = [_window(examples.masks[n], rng) for n in chosen]
    distorted = rng.integers(len(KINDS) * LEVELS + 1, size=NAMING_BATCH)
    crops = []
    for n, window, target in zip(chosen, windows, distorted, strict=True):
        frame = examples.frames[n]
        if target:
            kind, level = divmod(int(target) - 1, LEVELS)
            frame = distort(frame, KINDS[kind], level, int(rng.integers(2**31)))
        crops.append(frame[window])
    logits = heads(_levels(network, np.stack(crops))[-1].mean(dim=(2, 3)))
    sizes = [len(KINDS) * LEVELS + 1, *(len(words) for _, words in ATTRIBUTES)]
    targets = torch.from_numpy(np.column_stack([distorted, examples.labels[chosen]]))
    losses = [F.cross_entropy(part, targets[:, i]) for i, part in enumerate(logits.split(sizes, dim=1))]
    return torch.stack(losses).sum()


def ordering_loss(network: LPIPS, examples: Examples, rng: np.random.Generator) -> Tensor:
    """Softplus of how far the log of the stronger distance falls short of 1.5 times the weaker one, for one batch."""
    targets: list[NDArray[np.uint8]] = []
    weak: list[NDArray[np.uint8]] = []
    strong: list[NDArray[np.uint8]] = []
    regions: list[NDArray[np.bool_]] = []
    for n in rng.integers(len(examples.frames), size=ORDERING_BATCH):
        window = _window(examples.masks[n], rng)
        region = examples.masks[n] if rng.random() < 0.5 else np.ones_like(examples.masks[n])
        if not region[window].any():
            region = np.ones_like(region)
        frame = examples.frames[n]
        for edited, group in zip(_pair(frame, examples.sources[n], rng), (weak, strong), strict=True):
            group.append(np.where(region[..., None], edited, frame)[window])
        targets.append(frame[window])
        regions.append(region[window])
    sides = _levels(network, np.stack(targets + weak + strong))
    inside = torch.from_numpy(np.stack(regions)).float()[:, None]
    size = inside.shape[2:]
    distances = torch.zeros(2, ORDERING_BATCH)
    for linear, level in zip(network.lins, sides, strict=True):
        target, low, high = normalize_tensor(level).chunk(3)
        both = [linear((side - target).square()) for side in (low, high)]
        maps = [F.interpolate(one, size, mode="bilinear") for one in both]
        distances = distances + torch.stack([(one * inside).sum(dim=(1, 2, 3)) for one in maps])
    weaker, stronger = (distances / inside.sum(dim=(1, 2, 3)) + 1e-6).log()
    return F.softplus((weaker + np.log(1.5) - stronger) / 0.2).mean()


def _pair(
    frame: NDArray[np.uint8], source: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the frame with a weaker and with a stronger fault."""
    kind, seed = str(rng.choice(KINDS)), int(rng.integers(2**31))
    if rng.random() < WITHIN_KIND:
        low = int(rng.integers(LEVELS - 1))
        return distort(frame, kind, low, seed), distort(frame, kind, low + 1, seed)
    low = int(rng.integers(2))
    other = int(rng.integers(len(KINDS) + 1))
    weak = distort(frame, kind, low, seed)
    if other == len(KINDS):
        # A missing or wrong entity is worse than the two weaker levels of any distortion.
        return weak, source
    return weak, distort(frame, KINDS[other], low + 2, seed + 1)


def _window(mask: NDArray[np.bool_], rng: np.random.Generator) -> tuple[slice, slice]:
    """Return a random crop that holds a pixel of the mask near its middle."""
    pixels = np.argwhere(mask)
    middle = pixels.mean(axis=0) + rng.uniform(-CROP / 6, CROP / 6, 2)
    top, left = (int(np.clip(m - CROP / 2, 0, side - CROP)) for m, side in zip(middle, mask.shape, strict=True))
    return slice(top, top + CROP), slice(left, left + CROP)


def _levels(network: LPIPS, frames: Frames) -> list[Tensor]:
    values = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    return list(network.net(network.scaling_layer(values)))


def _set_scale(network: LPIPS, linears: list[Tensor], examples: Examples, rng: np.random.Generator) -> None:
    """Scale distances so that the strongest level of all distortions has 0.5 on average."""
    frames = examples.frames[rng.integers(len(examples.frames), size=32)]
    everywhere = np.ones(frames.shape[:3], np.bool_)
    strongest = [np.stack([distort(f, kind, LEVELS - 1, n) for n, f in enumerate(frames)]) for kind in KINDS]
    with torch.no_grad():
        for weight in linears:
            weight.clamp_(min=0)
        mean = np.mean([distance(network, edited, frames, everywhere) for edited in strongest])
        for weight in linears:
            weight.mul_(0.5 / float(mean))


def distance(network: LPIPS, edited: Frames, target: Frames, regions: Mask) -> NDArray[np.float64]:
    """LPIPS of each frame's region, as the metric computes it; see `distortions.Distance`."""
    sums, counts = region_lpips(network, edited, target, regions)
    return np.asarray(sums / counts)


def save(network: LPIPS, path: Path) -> None:
    """Write all weights as float16, the backbone's under torchvision's names."""
    state = {backbone_name(name): tensor for name, tensor in network.net.state_dict().items()}
    state |= {
        f"lin{n}.{k}": tensor for n, linear in enumerate(network.lins) for k, tensor in linear.state_dict().items()
    }
    save_file({name: tensor.detach().half().contiguous() for name, tensor in state.items()}, path)


def measure(network: LPIPS, fold: str, scenes: int = MEASURED_SCENES) -> dict[str, object]:
    """Measure how often strengths are ordered right, and the right entity before a wrong one, beside L1.

    Args:
        network: of `load_network`.
        fold: of the scenes; one frame of each is used.

    Returns:
        For `mini-lpips` and `l1`, shares by distortion, 0 to 1: neighbouring strengths in the right order over the
        whole `frame` and in the `edit` region; and how often a missing or wrong entity is farther than the right one
        under the distortion's second strongest level.
    """
    examples = render_examples(fold, range(scenes), kept=(FRAMES_PER_SCENE // 2,))
    frames, regions = examples.frames, examples.masks
    faulty = {kind: np.stack([distort(f, kind, LEVELS - 2, n) for n, f in enumerate(frames)]) for kind in KINDS}
    figures: dict[str, object] = {}
    for name, metric in (("mini-lpips", partial(distance, network)), ("l1", l1_distance)):
        wrong = metric(examples.sources, frames, regions)
        farther = {kind: wrong > metric(edited, frames, regions) for kind, edited in faulty.items()}
        figures[name] = {
            "frame": ordering_rates(metric, frames, np.ones_like(regions), KINDS),
            "edit": ordering_rates(metric, frames, regions, KINDS),
            "wrong_entity_is_farther": {kind: float(np.mean(share)) for kind, share in farther.items()},
        }
    return figures


def main() -> None:
    """Train, or measure what ships."""
    parser = argparse.ArgumentParser(description="Train mini-lpips on rendered scenes, or measure the shipped weights.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path, help="folder for the weights and their record")
    action.add_argument("--measure", metavar="FOLD", help="print the shipped weights' figures on a fold")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(load_network("mini-lpips", "cpu"), arguments.measure), indent=1))
        return
    started = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    examples = render_examples("train", track(range(SCENES), "scenes"))
    network = new_network(SEED)
    losses = train(network, examples, NAMING_STEPS, ORDERING_STEPS, SEED)
    path = arguments.out / WEIGHTS_FILE
    save(network, path)
    record = {
        "parameters": sum(parameter.numel() for parameter in set(network.parameters())),
        "sha256": sha256_path(path),
        "seed": SEED,
        "scenes": SCENES,
        "frames": len(examples.frames),
        "naming_steps": NAMING_STEPS,
        "ordering_steps": ORDERING_STEPS,
        "losses": losses,
        "minutes": round((time.perf_counter() - started) / 60, 1),
        "torch": torch.__version__,
        "strengths": STRENGTHS,
        "validation": measure(read_network("squeeze", path, "cpu"), "validation"),
    }
    write_text(arguments.out / RECORD_FILE, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
