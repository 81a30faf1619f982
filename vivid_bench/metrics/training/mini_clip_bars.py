"""What mini-clip is held to, measured on scenes of a fold that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.clip_model import ClipModel
from vivid_bench.metrics.crops import View, views
from vivid_bench.metrics.training.mini_clip_scenes import VIEWS, WORDS, near_misses, telea
from vivid_bench.scenes import render_sample
from vivid_bench.types import Frames, Mask

CHOICES = 10
FRAMES, SIDE = 5, 96
FIRST_SEED = 10_000
"""The mini suite's scenes have smaller seeds."""


@dataclass(frozen=True)
class HeldOut:
    """A modify sample, and what edits of it can look like.

    Attributes:
        caption: of what the reference shows.
        wrong_word: the word, a key of WORDS, by which `wrong` misses the caption.
        mask: (T, H, W) bool.
        reference: (T, H, W, 3) uint8 RGB, the right entity.
        wrong: an entity that differs from it by one word.
        empty: the hole filled by Telea's method.
    """

    caption: str
    wrong_word: str
    mask: Mask
    reference: Frames
    wrong: Frames
    empty: Frames


@dataclass(frozen=True)
class Bars:
    """Shares of the samples, 0 to 1.

    Attributes:
        picked: the reference's own caption scores highest of ten, the others being other scenes'.
        ordered: reference > wrong entity > nothing, by the sample's caption.
        right_over_wrong: reference > wrong entity, by the word that is wrong.
        wrong_over_nothing: wrong entity > nothing.
    """

    picked: float
    ordered: float
    right_over_wrong: dict[str, float]
    wrong_over_nothing: float


def render_held_out(fold: str, count: int, frames: int = FRAMES) -> list[HeldOut]:
    """Render modify samples of a fold; the wrong word goes round colour, shape, pattern, size."""
    return [_render(fold, n, frames) for n in range(count)]


def _render(fold: str, number: int, frames: int) -> HeldOut:
    seed, word = FIRST_SEED + number, list(WORDS)[number % len(WORDS)]
    render = partial(render_sample, "modify", seed, fold=fold, frames=frames, height=SIDE, width=SIDE)
    sample = render()
    assert sample.entity is not None
    others = near_misses(sample.entity, word)
    other = others[np.random.default_rng(seed).integers(len(others))]
    wrong = render(shown=other).reference
    empty = np.stack([telea(frame, mask) for frame, mask in zip(sample.source, sample.mask, strict=True)])
    return HeldOut(sample.prompt, word, sample.mask, sample.reference, wrong, empty)


def measure_bars(model: ClipModel, samples: list[HeldOut]) -> dict[View, Bars]:
    """Score samples as `clip_text_full`, `clip_text_region` and `clip_text_masked` do, and compare."""
    texts = np.stack([model.text_features(sample.caption) for sample in samples])
    return {view: _bars(model, samples, texts, view) for view in VIEWS}


def _bars(model: ClipModel, samples: list[HeldOut], texts: NDArray[np.float32], view: View) -> Bars:
    right, wrong, empty = (
        np.stack([_clip_feature(model, getattr(sample, what), sample.mask, view) for sample in samples])
        for what in ("reference", "wrong", "empty")
    )
    scores = [(feature * texts).sum(axis=1) for feature in (right, wrong, empty)]
    better, present = scores[0] > scores[1], scores[1] > scores[2]
    words = np.array([sample.wrong_word for sample in samples])
    return Bars(
        picked=float(np.mean([_picks(n, samples, right[n] @ texts.T) for n in range(len(samples))])),
        ordered=float(np.mean(better & present)),
        right_over_wrong={word: float(np.mean(better[words == word])) for word in WORDS},
        wrong_over_nothing=float(np.mean(present)),
    )


def _clip_feature(model: ClipModel, frames: Frames, mask: Mask, view: View) -> NDArray[np.float32]:
    """Return the mean of the frames' features: its product with a text's is the mean of the frames' cosines."""
    images = [image for image in views(frames, mask, view) if image is not None]
    return np.asarray(model.image_features(images).mean(axis=0))


def _picks(number: int, samples: list[HeldOut], scores: NDArray[np.float32]) -> bool:
    """Return whether a sample's caption has the highest score among ten different ones."""
    captions = {sample.caption: n for n, sample in enumerate(samples)}
    del captions[samples[number].caption]
    others = np.random.default_rng(number).choice(sorted(captions.values()), CHOICES - 1, replace=False)
    return bool(scores[number] > scores[others].max())
