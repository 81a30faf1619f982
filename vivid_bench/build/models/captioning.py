"""Local captions by a vision-language model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.models.chat import ChatModel
from vivid_bench.build.types import Captions
from vivid_bench.errors import InputError
from vivid_bench.masks import bounding_box, dilate
from vivid_bench.types import DELETE_PROMPT, Frames, Mask

_OUTLINED = "the thing with the red outline"
PROMPTS = {
    "short": f"What is {_OUTLINED}? Answer with a noun phrase of at most five words and nothing else.",
    "medium": f"Describe {_OUTLINED} in one short sentence: what it is and how it looks. "
    "Do not mention the outline, the picture or what is around it.",
    "long": f"Describe {_OUTLINED} in two or three sentences: what it is, its colours, material, shape and pose, and "
    "what it does. Do not mention the outline, the picture or what is around it.",
}
"""The questions for the three levels of detail. Ours: VIVID-10M's are not known."""

HINT = " It is probably this: {label}."
MAX_TOKENS = {"short": 24, "medium": 64, "long": 160}

OUTLINE = (255, 0, 0)
"""A red mark makes such models attend to what it surrounds (Shtedritski, Rupprecht, Vedaldi, "What does CLIP know about
a red circle?", ICCV 2023, arXiv 2304.06712)."""

OUTLINE_PX_AT_480 = 3
CONTEXT = 0.25
"""Of the longer side of the entity's box: what the picture shows around it on each side."""
MIN_CONTEXT = 32  # pixels


class ChatCaptioner:
    """A `Captioner` that asks a vision-language model three questions about one picture of the entity.

    Args:
        model: may be shared with a tagger.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    def __call__(self, frames: Frames, masks: Mask, label: str | None) -> Captions:
        """Say what is inside a mask, in the frame where it is largest.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            masks: (T, H, W) bool, not empty everywhere.
            label: what the selector called it, given to the model as a hint.

        Returns:
            Three captions of one line.

        Raises:
            InputError: an answer is empty, or is the prompt of all deletes.
            ValueError: the mask is empty in every frame.
        """
        picture = outlined(frames, masks)
        hint = HINT.format(label=label) if label else ""
        return Captions(**{level: self._caption(picture, PROMPTS[level] + hint, level) for level in PROMPTS})

    def _caption(self, picture: NDArray[np.uint8], question: str, level: str) -> str:
        text = self._model.answer(picture, question, MAX_TOKENS[level])
        found = None
        if not any(character.isalnum() for character in text):
            found = f"{text!r}" if text else "an empty answer"
        elif text.casefold() == DELETE_PROMPT.casefold():
            found = "the prompt of all deletes"
        if found:
            fix = "caption this entity by hand, or with another model"
            raise InputError(self._model.name, expected=f"a {level} caption", found=found, fix=fix)
        return text


def outlined(frames: Frames, masks: Mask) -> NDArray[np.uint8]:
    """Show a masked entity with some of what is around it, and a red line along the outside of its mask.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        masks: (T, H, W) bool.

    Returns:
        (h, w, 3) uint8 RGB, cut from the first of the frames in which the mask is largest.

    Raises:
        ValueError: the mask is empty in every frame.
    """
    t = int(masks.sum(axis=(1, 2)).argmax())
    box = bounding_box(masks[t])
    if box is None:
        raise ValueError("the mask is empty in every frame")
    px = max(2, round(OUTLINE_PX_AT_480 * masks.shape[1] / 480))
    line = dilate(masks[t : t + 1], px)[0] & ~masks[t]
    picture: NDArray[np.uint8] = frames[t].copy()
    picture[line] = OUTLINE
    x0, y0, x1, y1 = box
    around = max(MIN_CONTEXT, round(CONTEXT * max(x1 - x0, y1 - y0)))
    return np.ascontiguousarray(picture[max(0, y0 - around) : y1 + around, max(0, x0 - around) : x1 + around])
