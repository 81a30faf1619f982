"""CLIP models, loaded by open_clip from weights that are on this machine, and the features they give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as F

from vivid_bench.errors import InputError
from vivid_bench.video import one_ahead
from vivid_bench.weights import locate

BATCH = 32
"""Images that go through a network together."""


class ClipModel:
    """A CLIP model in evaluation mode: float32 on a CPU, float16 on a GPU.

    Args:
        model: of open_clip, with the preprocessing configuration that `open_clip.create_model` attaches.
        tokenizer: of open_clip.
    """

    def __init__(self, model: Any, tokenizer: Any, device: str) -> None:
        preprocessing = model.visual.preprocess_cfg
        size = model.visual.image_size
        self.side: int = size if isinstance(size, int) else size[0]
        self._interpolation = InterpolationMode(preprocessing["interpolation"])
        self._squash = preprocessing["resize_mode"] == "squash"
        self._mean = torch.tensor(preprocessing["mean"], device=device)[:, None, None]
        self._std = torch.tensor(preprocessing["std"], device=device)[:, None, None]
        self._dtype = torch.float16 if device.startswith("cuda") else torch.float32
        self.network = model.eval().requires_grad_(False).to(device, self._dtype, memory_format=torch.channels_last)
        self.tokenizer = tokenizer
        self._device = device
        self._context_length = int(model.context_length)

    @torch.inference_mode()
    def image_features(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the features of images, (N, D) float32 of length 1.

        Images are (h, w, 3) uint8 of any size. They are resized as the model was trained: CLIP's shorter side to the
        model's (bicubic, antialiased), of which the middle square is taken, as transformers and torchmetrics do;
        SigLIP's are squashed to its square.
        """
        batches = [images[first : first + BATCH] for first in range(0, len(images), BATCH)]
        # The next batch is resized while one is in the network.
        features = [
            _unit(self.network.encode_image(batch.to(self._dtype))) for batch in one_ahead(self.prepared, batches)
        ]
        return np.asarray(torch.cat(features).numpy())

    def prepared(self, images: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Return what the network is given of images, (N, 3, S, S) float32 on its device."""
        if len({image.shape for image in images}) == 1:
            squares = self._square(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))
        else:
            squares = torch.stack([self._square(torch.from_numpy(image).permute(2, 0, 1)) for image in images])
        return (squares.to(self._device).float() / 255 - self._mean) / self._std

    def _square(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        scale = self.side / min(height, width)
        size = [max(self.side, int(height * scale)), max(self.side, int(width * scale))]
        if self._squash:
            size = [self.side, self.side]
        resized = F.resize(images, size, self._interpolation, antialias=True)
        square: Tensor = F.center_crop(resized, [self.side, self.side])
        return square

    @torch.inference_mode()
    def text_features(self, text: str) -> NDArray[np.float32]:
        """Return the features of a text, (D,) float32 of length 1; too long a text is cut, its end token kept."""
        tokens = self.tokenizer([text], context_length=self._context_length).to(self._device)
        return np.asarray(_unit(self.network.encode_text(tokens))[0].numpy())

    def is_truncated(self, text: str) -> bool:
        """Return whether a text has more tokens than the model takes."""
        longer = self._context_length + 1
        last, padding = (int(self.tokenizer([t], context_length=longer)[0, -1]) for t in (text, ""))
        return last != padding


def _unit(features: Tensor) -> Tensor:
    # In float32: half precision gives lengths that are off by 1e-3.
    return functional.normalize(features.float(), dim=-1).cpu()


def load_clip(weights: str, device: str) -> ClipModel:
    """Load a model, once a process for each place that weights lie in.

    Args:
        weights: `<architecture>/<pretrained tag>` of open_clip, e.g. `ViT-L-14/openai`, or the name of a folder that
            holds `open_clip_config.json`, as open_clip's `push_to_hub` writes it, e.g. `mini-clip`.

    Raises:
        MissingWeightsError: they are not on this machine.
        UnknownNameError: neither the catalogue nor open_clip knows the name.
        InputError: the file holds another model.
    """
    return _read(locate(weights), weights, device)


@cache
def _read(path: Path, weights: str, device: str) -> ClipModel:
    try:
        model, tokenizer = _from_folder(path) if path.is_dir() else _from_file(path, weights)
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        raise InputError(
            path, expected=f"the weights {weights}", found=str(error).partition("\n")[0], fix="fetch them again"
        ) from error
    return ClipModel(model, tokenizer, device)


def _from_folder(folder: Path) -> tuple[Any, Any]:
    import open_clip

    name = f"local-dir:{folder}"
    return open_clip.create_model(name), open_clip.get_tokenizer(name)


def _from_file(path: Path, weights: str) -> tuple[Any, Any]:
    import open_clip

    architecture, _, tag = weights.partition("/")
    # Given a file, open_clip does not know its tag, hence neither its activation nor its preprocessing.
    pretrained = open_clip.get_pretrained_cfg(architecture, tag)
    config = open_clip.get_model_config(architecture)
    if not pretrained or config is None:
        raise ValueError("a file alone: no model of open_clip has that name, and no open_clip_config.json is beside it")
    if {"hf_tokenizer_name", "hf_model_name"} & config["text_cfg"].keys():
        raise ValueError(
            "a model whose tokenizer is a download of its own: save it as a folder (open_clip push_to_hub)"
        )
    kept = ("mean", "std", "interpolation", "resize_mode")
    preprocessing = {key: pretrained[key] for key in kept if pretrained.get(key)}
    model = open_clip.create_model(
        architecture,
        pretrained=str(path),
        force_quick_gelu=bool(pretrained.get("quick_gelu")),
        force_preprocess_cfg=preprocessing,
    )
    return model, open_clip.get_tokenizer(architecture)
