"""Train mini-clip, the small CLIP that ships with the suite, on the mini suite's kind of scenes.

This is how the shipped weights were made:

    python -m vivid_bench.metrics.training.mini_clip --out vivid_bench/metrics/weights/mini-clip
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from vivid_bench.files import atomic_path, write_text
from vivid_bench.metrics.clip_model import ClipModel
from vivid_bench.metrics.training.mini_clip_bars import measure_bars, render_held_out
from vivid_bench.metrics.training.mini_clip_scenes import (
    SHOWN,
    WORDS,
    Variants,
    draw_backgrounds,
    draw_pictures,
    render_scenes,
)
from vivid_bench.scenes import combinations

PAD, START, END = "<pad>", "<start_of_text>", "<end_of_text>"
CONTEXT_LENGTH = 24
EMBED_DIM = 128
MARGIN = 0.1
"""By how much, in cosine, the right entity shall score above a wrong one, and that above nothing."""
COMMON = 0.2
"""Cosine of captions that share no word of colour, shape, pattern and size."""
HIGHEST_SCALE = 100.0
BACKGROUND_SCALE = 10.0
"""Inverse temperature of telling backgrounds apart."""
LOG_EVERY = 50


@dataclass(frozen=True)
class Recipe:
    """How mini-clip is trained.

    Attributes:
        scenes: rendered scenes, each with SHOWN entities in turn and with none.
        frames, side: of each scene.
        steps, batch: of the image tower; a batch is so many scenes, half of which give backgrounds too.
        text_steps, text_batch: of the text tower.
        learning_rate: the highest.
        warm_up: share of the steps in which it rises.
    """

    scenes: int = 6000
    frames: int = 3
    side: int = 96
    steps: int = 12_000
    batch: int = 24
    text_steps: int = 200
    text_batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    seed: int = 0


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on the fold's captions: their words are tokens, any other text is spelt in pieces.

    The end token has the highest id of all, for open_clip pools a text where the id is highest.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=[PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((entity.caption() for entity in combinations("train")), trainer)
    tokenizer.add_special_tokens([AddedToken(START, special=True), AddedToken(END, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(token, tokenizer.token_to_id(token)) for token in (START, END)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END)


def write_untrained(folder: Path) -> None:
    """Write what open_clip's `local-dir:` needs to build the model: its configuration and its tokenizer."""
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    configuration = {
        "model_cfg": {
            "embed_dim": EMBED_DIM,
            "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 1], "width": 24, "head_width": 48},
            "text_cfg": {
                "context_length": CONTEXT_LENGTH,
                "vocab_size": len(tokenizer),
                "hf_tokenizer_name": "mini-clip",
                "width": 128,
                "heads": 4,
                "layers": 2,
            },
        },
        "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]},
    }
    write_text(folder / "open_clip_config.json", json.dumps(configuration, indent=2) + "\n")


def load(folder: Path, *, trained: bool = True) -> ClipModel:
    """Load a folder as the metrics do; without its weights, for training, if `trained` is False."""
    import open_clip

    name = f"local-dir:{folder}"
    model = open_clip.create_model(name, load_weights=trained)
    return ClipModel(model, open_clip.get_tokenizer(name), "cpu")


def train_texts(model: ClipModel, captions: Sequence[str], recipe: Recipe) -> list[float]:
    """Train the text tower alone, in place, so that captions are alike by the words they share; returns the losses.

    The cosine of two captions shall be COMMON + (1 - COMMON) x the share of their words that are equal. That leaves a
    direction common to all, which tells an entity of any kind from nothing, and places captions never seen.
    """
    rng = np.random.default_rng((recipe.seed, 0))
    parameters = [p for name, p in model.network.named_parameters() if _is_text(name)]
    tokens = model.tokenizer(list(captions))
    words = np.array([caption.split()[1:] for caption in captions])  # without the article
    alike = torch.from_numpy((words[:, None] == words).mean(axis=2))
    target = (COMMON + (1 - COMMON) * alike).float()

    def loss() -> Tensor:
        chosen = torch.from_numpy(rng.choice(len(captions), min(recipe.text_batch, len(captions)), replace=False))
        texts = model.network.encode_text(tokens[chosen], normalize=True)
        return F.mse_loss(texts @ texts.T, target[chosen][:, chosen])

    return _descend(model, parameters, loss, recipe.text_steps, recipe, "train texts")


def train_images(model: ClipModel, scenes: Sequence[Variants], recipe: Recipe) -> list[float]:
    """Train the image tower and the scale in place against the texts as they are; returns the loss of each step.

    Beside CLIP's own objective, linear heads that are thrown away name colour, shape, pattern and size: shapes and
    patterns are learnt sooner so.
    """
    rng = np.random.default_rng((recipe.seed, 1))
    entities = combinations("train")
    row = {entity: n for n, entity in enumerate(entities)}
    heads = torch.nn.ModuleList(torch.nn.Linear(EMBED_DIM, len(values)) for values in WORDS.values())
    words = torch.tensor([[WORDS[word].index(getattr(entity, word)) for word in WORDS] for entity in entities])
    parameters = [p for name, p in model.network.named_parameters() if not _is_text(name)] + [*heads.parameters()]
    with torch.no_grad():
        texts = model.network.encode_text(model.tokenizer([e.caption() for e in entities]), normalize=True)

    def loss() -> Tensor:
        chosen = [scenes[n] for n in rng.choice(len(scenes), recipe.batch, replace=False)]
        with_background = chosen[: len(chosen) // 2]
        pictures, backgrounds = draw_pictures(rng, chosen), draw_backgrounds(rng, with_background)
        features = _encode(model, [*pictures, *backgrounds])
        entity = features[: len(pictures)].view(len(chosen), 1 + SHOWN, -1)
        beside = features[len(pictures) :].view(len(with_background), 3, -1)
        rows = torch.tensor([[row[shown] for shown in scene.entities] for scene in chosen])
        by_caption = objective(F.normalize(entity, dim=-1), texts, rows, model.network.logit_scale.exp())
        by_word = [
            F.cross_entropy(head(entity[:, 1:]).flatten(0, 1), words[rows.flatten(), n]) for n, head in enumerate(heads)
        ]
        return by_caption + torch.stack(by_word).sum() + background_objective(F.normalize(beside, dim=-1))

    return _descend(model, parameters, loss, recipe.steps, recipe, "train images")


def _encode(model: ClipModel, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return the images' features, not of length 1; in bfloat16, which halves the time on a CPU that has it."""
    prepared = model.prepared(pictures).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        features: Tensor = model.network.encode_image(prepared)
    return features.float()


def _is_text(name: str) -> bool:
    return not name.startswith("visual.") and name != "logit_scale"


def _descend(
    model: ClipModel, parameters: list[Tensor], loss: Callable[[], Tensor], steps: int, recipe: Recipe, what: str
) -> list[float]:
    """Minimise a loss by AdamW: the rate rises over `warm_up` of the steps, then falls to 0 as half a cosine."""
    model.network.train()
    for parameter in parameters:
        parameter.requires_grad_(True)
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=steps + 1, pct_start=recipe.warm_up, cycle_momentum=False
    )
    losses = []
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        model.network.logit_scale.data.clamp_(0, np.log(HIGHEST_SCALE))
        losses.append(value.item())
        if step % LOG_EVERY == 0 or step == steps:
            print(f"{what}: step {step} of {steps}, loss {np.mean(losses[-LOG_EVERY:]):.3f}", flush=True)
    model.network.eval().requires_grad_(False)
    return losses


def objective(images: Tensor, texts: Tensor, rows: Tensor, scale: Tensor) -> Tensor:
    """Loss of a batch: CLIP's, and the order right entity > wrong entity > nothing for each caption of a scene.

    Captions that no picture shows are there to be told apart from; a caption may be right for several pictures, so its
    share of CLIP's loss sums over all of them.

    Args:
        images: (scenes, 1 + SHOWN, D) features of length 1, nothing first.
        texts: (captions, D) features of length 1.
        rows: (scenes, SHOWN) int64, which caption each entity has.
        scale: the inverse temperature.
    """
    cosines = images @ texts.T  # (scenes, 1 + SHOWN, captions)
    by_image = F.cross_entropy(scale * cosines[:, 1:].flatten(0, 1), rows.flatten())
    right = torch.zeros_like(cosines, dtype=torch.bool)
    right[:, 1:] = F.one_hot(rows, len(texts)).bool()
    shown = right.flatten(0, 1).any(dim=0)
    every, right = scale * cosines.flatten(0, 1)[:, shown], right.flatten(0, 1)[:, shown]
    by_text = (every.logsumexp(dim=0) - every.masked_fill(~right, -torch.inf).logsumexp(dim=0)).mean()
    return (by_image + by_text) / 2 + _ranking(cosines, rows, scale.detach())


def background_objective(images: Tensor) -> Tensor:
    """Loss by which what lies behind a hole is like what lies beside it, unlike other scenes' and a hole filled grey.

    Captions say nothing of backgrounds; removal success asks for them.

    Args:
        images: (scenes, 3, D) features of length 1: behind the hole, beside it, the hole filled grey.
    """
    behind, beside, grey = images.unbind(1)
    return F.cross_entropy(BACKGROUND_SCALE * behind @ torch.cat([beside, grey]).T, torch.arange(len(images)))


def _ranking(cosines: Tensor, rows: Tensor, scale: Tensor) -> Tensor:
    # (scenes, 1 + SHOWN, SHOWN): each of a scene's pictures with each of its own captions.
    own = cosines.gather(2, rows[:, None].expand(-1, 1 + SHOWN, -1))
    nothing, entities = own[:, :1], own[:, 1:]
    right = entities.diagonal(dim1=1, dim2=2)[:, None]
    wrong = ~torch.eye(SHOWN, dtype=torch.bool).expand_as(entities)
    too_low = F.softplus(scale * (MARGIN - (right - entities)))[wrong].mean()
    too_empty = F.softplus(scale * (MARGIN - (entities - nothing)))[wrong].mean()
    return too_low + too_empty


def save(model: ClipModel, folder: Path) -> None:
    """Write the weights as float16 (counters stay integers)."""
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.network.state_dict().items()
    }
    with atomic_path(folder / "open_clip_model.safetensors") as file:
        save_file(state, file, metadata={"format": "pt"})


def make(out: Path, recipe: Recipe, held_out: int = 200) -> None:
    """Render scenes, train, write the folder, and measure what was written on `held_out` validation scenes."""
    start, start_cpu = time.perf_counter(), time.process_time()
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    write_untrained(out)
    model = load(out, trained=False)
    train_texts(model, [entity.caption() for entity in combinations("train")], recipe)
    losses = train_images(model, render_scenes(recipe.scenes, recipe.frames, recipe.side), recipe)
    save(model, out)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    bars = measure_bars(load(out), render_held_out("validation", held_out))
    record = {
        "command": "python -m vivid_bench.metrics.training.mini_clip --out DIR",
        "data": "scenes rendered in the training fold",
        "recipe": asdict(recipe),
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "device": "cpu",
        "threads": torch.get_num_threads(),
        "seconds": round(seconds),
        "cpu_seconds": round(cpu_seconds),
        "last_loss": round(float(np.mean(losses[-50:])), 4),
        "held_out": {"fold": "validation", "samples": held_out, "bars": {view: asdict(b) for view, b in bars.items()}},
    }
    write_text(out / "training.json", json.dumps(record, indent=2) + "\n")


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Train mini-clip, the small CLIP that ships with the suite.")
    parser.add_argument("--out", type=Path, required=True, help="the weights' folder")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--scenes", type=int, default=Recipe.scenes)
    arguments = parser.parse_args()
    make(arguments.out, Recipe(steps=arguments.steps, scenes=arguments.scenes))


if __name__ == "__main__":
    main()
