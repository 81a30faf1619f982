"""A vision-language model that is asked about a picture, through transformers: any with a chat template."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.models import loading
from vivid_bench.errors import InputError
from vivid_bench.metrics.patch_features import quiet

TAG_PROMPT = (
    "List the people, animals, vehicles and other separate things in this picture, as nouns in lower case with commas "
    "between them. Answer with the list only."
)
TAG_TOKENS = 96


class ChatModel:
    """A vision-language model, in bfloat16 on a GPU. Its answers are greedy: the same picture gets the same words.

    Args:
        weights: a folder in transformers' format or a cached name on the hub, e.g. `Qwen/Qwen2.5-VL-7B-Instruct`.
        device: `cpu` or `cuda`.

    Raises:
        InputError: as `loading.load` does; or there is no chat template.
    """

    def __init__(self, weights: str, device: str) -> None:
        self._dtype = loading.half_on_gpu(device)
        loaded = loading.load(weights, "AutoModelForImageTextToText", device, dtype=self._dtype)
        self._model, self._processor = loaded.model, loaded.processor
        self.name = weights
        self._device = device
        if not getattr(self._processor, "chat_template", None):
            raise InputError(
                weights, expected="a vision-language model with a chat template", found="none",
                fix="name one that was trained to follow instructions",
            )  # fmt: skip

    def answer(self, image: NDArray[np.uint8], question: str, max_tokens: int) -> str:
        """Ask about a picture.

        Args:
            image: (H, W, 3) uint8 RGB.
            question: in words.
            max_tokens: the answer ends there; a sentence that is not complete by then is left out if another one is.

        Returns:
            The answer on one line; empty where the model says nothing.
        """
        import torch

        inputs = self._inputs(image, question)
        with torch.inference_mode(), quiet():
            tokens = self._model.generate(
                **inputs,
                max_new_tokens=max_tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
            )[0, inputs["input_ids"].shape[1] :]
        text = " ".join(self._processor.decode(tokens, skip_special_tokens=True).split())
        return _whole_sentences(text) if len(tokens) == max_tokens else text

    def _inputs(self, image: NDArray[np.uint8], question: str) -> Any:
        from PIL import Image

        content = [{"type": "image", "image": Image.fromarray(image)}, {"type": "text", "text": question}]
        return self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True,
            return_tensors="pt",
        ).to(self._device, self._dtype)  # fmt: skip


class ChatTagger:
    """A tagger (`detection.Tagger`) that asks a vision-language model what is in a picture."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    def __call__(self, image: NDArray[np.uint8]) -> str:
        """Name the things in a picture, (H, W, 3) uint8 RGB; `detection.parse_tags` reads the answer."""
        return self._model.answer(image, TAG_PROMPT, TAG_TOKENS)


def _whole_sentences(text: str) -> str:
    """Leave out a last sentence without an end, unless it is the only one."""
    end = max(text.rfind(mark) for mark in (". ", "! ", "? "))
    return text if end < 0 or text.endswith((".", "!", "?")) else text[: end + 1]
