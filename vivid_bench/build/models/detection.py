"""Entity selection by Grounding DINO and SAM, through transformers.

Grounding DINO: Liu et al., arXiv 2303.05499. SAM: Kirillov et al., "Segment Anything", arXiv 2304.02643. The order of
steps is that of IDEA-Research/Grounded-Segment-Anything, `automatic_label_ram_demo.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.models.loading import load
from vivid_bench.build.types import Entity
from vivid_bench.errors import InputError
from vivid_bench.types import Frames, Mask

if TYPE_CHECKING:
    import torch

Image = NDArray[np.uint8]  # (H, W, 3) RGB
Tagger = Callable[[Image], str]
"""What names the things in a picture, in any form that `parse_tags` reads."""

BOX_THRESHOLD, TEXT_THRESHOLD = 0.35, 0.25
"""The authors' defaults (IDEA-Research/GroundingDINO, README and `demo/`)."""

MOST_OVERLAP = 0.5
"""IoU above which the less sure of two boxes goes (`automatic_label_ram_demo.py`, `--iou_threshold`)."""

BOXES_AT_ONCE = 32
"""That SAM answers for in one call: each takes some 20 MB."""

LARGEST_BOX = 0.9
"""Share of the frame: a box with more is the scene, no entity in it. Our choice."""

LEAST_LEFT = 0.5
"""Share of its own pixels that a mask must keep beside the surer ones; with less it is the same thing again, or crumbs
of it. Our choice."""


class GroundedSelector:
    """A `Selector`: boxes by Grounding DINO for the tags, a mask for each by SAM, both in float32 (one frame a clip).

    Args:
        detector: Grounding DINO: a folder in transformers' format or a cached name on the hub, e.g.
            `IDEA-Research/grounding-dino-base`.
        segmenter: SAM, likewise, e.g. `facebook/sam-vit-huge`.
        tags: names of the things to look for, or a tagger that is asked anew in each keyframe.
        device: `cpu` or `cuda`.
        box_threshold: 0 to 1; boxes with a lower score are dropped.
        text_threshold: 0 to 1; words with a lower score do not join a box's label.

    Raises:
        InputError: as `loading.load` does; or there are no tags, or more than the detector can read.
    """

    def __init__(
        self,
        detector: str,
        segmenter: str,
        tags: Sequence[str] | Tagger,
        device: str,
        *,
        box_threshold: float = BOX_THRESHOLD,
        text_threshold: float = TEXT_THRESHOLD,
    ) -> None:
        import torch

        precision = torch.float32
        self._detector = load(
            detector, "GroundingDinoForObjectDetection", device, dtype=precision, model_types=("grounding-dino",)
        )
        self._segmenter = load(segmenter, "SamModel", device, dtype=precision, model_types=("sam",))
        self._device = device
        self._tagger = tags if callable(tags) else None
        self._prompt = "" if callable(tags) else self._checked(prompt(tags))
        self._box_threshold, self._text_threshold = box_threshold, text_threshold

    def __call__(self, frames: Frames, keyframe: int) -> list[Entity]:
        """Choose entities in the keyframe.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            keyframe: index of the frame to look at.

        Returns:
            Entities, the surest first, their masks without overlap: a pixel belongs to the surest. The score is the
            box's, the label its phrase.

        Raises:
            InputError: the tagger's answer holds more tags than the detector can read.
        """
        image = frames[keyframe]
        text = self._prompt
        if self._tagger:
            tags = parse_tags(self._tagger(image))
            if not tags:
                return []
            text = self._checked(prompt(tags))
        boxes, scores, labels = self._boxes(image, text)
        masks = self._masks(image, boxes)
        return [Entity(mask, scores[i], labels[i]) for i, mask in apart(masks)]

    def _checked(self, text: str) -> str:
        """Refuse a prompt of which the detector would leave out the end without a word."""
        most = self._detector.model.config.max_text_len
        if (tokens := len(self._detector.processor.tokenizer(text).input_ids)) > most:
            found = f"{tokens} tokens: {text[:80]}..."
            raise InputError("tags", expected=f"at most {most} tokens", found=found, fix="give fewer or shorter tags")
        return text

    def _boxes(self, image: Image, text: str) -> tuple[torch.Tensor, list[float], list[str | None]]:
        """Find boxes: (N, 4) float32 of x0, y0, x1, y1 in pixels, the surest first; their scores; their labels."""
        import torch

        processor = self._detector.processor
        inputs = processor(images=image, text=text, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            outputs = self._detector.model(**inputs)
        found = processor.post_process_grounded_object_detection(
            outputs, inputs.input_ids, threshold=self._box_threshold, text_threshold=self._text_threshold,
            target_sizes=[image.shape[:2]],
        )[0]  # fmt: skip
        boxes, scores = found["boxes"].cpu(), found["scores"].cpu()
        kept = fit_boxes(boxes, scores, image.shape[:2])
        return boxes[kept], [float(scores[i]) for i in kept], [_label(found["text_labels"][i]) for i in kept]

    def _masks(self, image: Image, boxes: torch.Tensor) -> Mask:
        """Segment what is in each box: of SAM's three answers the one that it trusts most."""
        import torch

        found: Mask = np.zeros((len(boxes), *image.shape[:2]), bool)
        if not len(boxes):
            return found
        model, processor = self._segmenter.model, self._segmenter.processor
        inputs = processor(image, input_boxes=[boxes.tolist()], return_tensors="pt")
        sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
        with torch.inference_mode():
            embeddings = model.get_image_embeddings(inputs["pixel_values"].to(self._device))
            for start in range(0, len(boxes), BOXES_AT_ONCE):
                batch = slice(start, start + BOXES_AT_ONCE)
                asked = inputs["input_boxes"][:, batch].to(self._device, torch.float32)
                outputs = model(image_embeddings=embeddings, input_boxes=asked, multimask_output=True)
                best = outputs.iou_scores[0].argmax(dim=-1)
                chosen = outputs.pred_masks[0, torch.arange(len(best)), best][:, None].cpu()
                found[batch] = processor.image_processor.post_process_masks([chosen], *sizes)[0][:, 0].numpy()
        return found


def prompt(tags: Iterable[str]) -> str:
    """Return tags as Grounding DINO reads them: in lower case, each followed by a dot.

    Raises:
        InputError: there are none.

    Example:
        >>> prompt(["Person", "red  car"])
        'person. red car.'
    """
    parts = parse_tags("|".join(tags))
    if not parts:
        raise InputError("tags", expected="the names of things", found="none", fix="give some, e.g. person,dog")
    return ". ".join(parts) + "."


def parse_tags(text: str) -> tuple[str, ...]:
    """Read a list of tags: a tagger's text, or a user's.

    Tags end at `|` (Recognize Anything), commas, semicolons, dots and line ends. They are put in lower case, each
    counts once, and what holds no letter (the numbers of a list) is no tag.

    Example:
        >>> parse_tags("Person | dog | dog")
        ('person', 'dog')
        >>> parse_tags("- a Person\\n- red car.")
        ('a person', 'red car')
    """
    parts = (" ".join(part.split()).strip("-*\"' ").lower() for part in re.split(r"[|,;.\n]", text))
    return tuple(dict.fromkeys(part for part in parts if any(map(str.isalpha, part))))


def fit_boxes(boxes: torch.Tensor, scores: torch.Tensor, size: tuple[int, int]) -> list[int]:
    """Drop boxes that cover nearly the whole frame or nothing, or that overlap with a surer one.

    Args:
        boxes: (N, 4) float32, x0, y0, x1, y1 in pixels.
        scores: (N,) float32.
        size: height and width of the frame, pixels.

    Returns:
        Indices of the boxes that stay, the surest first.
    """
    from torchvision.ops import box_area, clip_boxes_to_image, nms

    area = box_area(clip_boxes_to_image(boxes, size))
    fit = ((area > 0) & (area <= LARGEST_BOX * size[0] * size[1])).nonzero()[:, 0]
    return [int(i) for i in fit[nms(boxes[fit], scores[fit], MOST_OVERLAP)]]


def apart(masks: Mask) -> list[tuple[int, NDArray[np.bool_]]]:
    """Give each pixel to the first of the masks that claims it.

    Args:
        masks: (N, H, W) bool, the surest first.

    Returns:
        Indices and masks, (H, W) bool, of those that keep at least half of their pixels.

    Example:
        >>> import numpy as np
        >>> whole, part = np.array([[True, True, False]]), np.array([[False, True, True]])
        >>> [(i, mask.tolist()) for i, mask in apart(np.stack([whole, part, whole]))]
        [(0, [[True, True, False]]), (1, [[False, False, True]])]
    """
    taken = np.zeros(masks.shape[1:], bool)
    kept = []
    for index, mask in enumerate(masks):
        own = mask & ~taken
        if own.any() and own.sum() >= LEAST_LEFT * mask.sum():
            kept.append((index, own))
            taken |= own
    return kept


def _label(phrase: str) -> str | None:
    """Clean what Grounding DINO's tokens spell: separators and marks such as [SEP] may be among them."""
    return " ".join(re.sub(r"\[[A-Z]+\]|\.", " ", phrase).split()) or None
