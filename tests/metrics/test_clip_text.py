"""CLIP text alignment: by hand, as torchmetrics' CLIPScore, and what is left out."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_weights import TinyClip
from metric_clips import box_mask, edit_clip, noisy, textured
from torchmetrics.multimodal import CLIPScore
from transformers import CLIPModel, CLIPProcessor

from vivid_bench.errors import MissingWeightsError
from vivid_bench.metrics import clip_model, clip_text, load_metric
from vivid_bench.metrics.crops import views
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.types import Mask, Task

SOURCE = textured(4, 40, 48, (1, 0))
MASK = box_mask(4, 40, 48, (12, 10, 34, 28))
EDITED = noisy(SOURCE, 40)


def captioned(
    caption: str = "a red circle", task: Task = "add", mask: Mask = MASK, keyframes: tuple[int, ...] = ()
) -> EditClip:
    plain = edit_clip(SOURCE, mask, SOURCE, EDITED, task)
    sample = plain.sample.sample.model_copy(update={"prompt": caption, "keyframes": keyframes or None})
    return EditClip(SampleClip(sample, SOURCE, mask, SOURCE), EDITED)


class Transformers4(torch.nn.Module):
    """A CLIP whose features are tensors, as torchmetrics 1.9 expects; transformers 5 wraps them in an output."""

    def __init__(self, model: CLIPModel) -> None:
        super().__init__()
        self.model = model
        self.config = model.config

    def get_image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.model.get_image_features(pixels).pooler_output

    def get_text_features(self, tokens: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        return self.model.get_text_features(tokens, attention).pooler_output


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(clip_text)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("view", ["full", "region", "masked"])
def test_scores_are_torchmetrics_clip_score(tiny_clip: TinyClip, view: str) -> None:
    """CLIPScore is 100 times the cosine, not below 0; it is given the pictures that the view shows."""
    caption = "a red circle"
    score = load_metric(f"clip_text_{view}@{tiny_clip.name}")(captioned(caption))
    processor = CLIPProcessor.from_pretrained(tiny_clip.folder)
    theirs = CLIPScore(model_name_or_path=lambda: (Transformers4(tiny_clip.model), processor))
    shown = [torch.from_numpy(image).permute(2, 0, 1) for image in views(EDITED, MASK, view) if image is not None]
    assert score.per_frame is not None
    for value, image in zip(score.per_frame, shown, strict=True):
        assert value is not None
        # Values by frame keep four digits.
        assert max(0, 100 * value) == pytest.approx(float(theirs(image, caption).detach()), rel=1e-3)
    with torch.no_grad():
        out = tiny_clip.model(**processor(text=[caption], images=shown, return_tensors="pt"))
    assert score.value == pytest.approx(float((out.image_embeds @ out.text_embeds[0]).mean()), rel=1e-5)
    assert score.details == {"truncated": 0, "empty_frames": 0}


def test_frames_without_a_mask_are_left_out_and_counted(tiny_clip: TinyClip) -> None:
    mask = MASK.copy()
    mask[1:3] = False
    name = f"clip_text_region@{tiny_clip.name}"
    score = load_metric(name)(captioned(mask=mask))
    every = load_metric(name)(captioned()).per_frame
    assert every is not None
    assert score.per_frame == (every[0], None, None, every[3])
    assert score.details == {"truncated": 0, "empty_frames": 2}
    full = load_metric(f"clip_text_full@{tiny_clip.name}")(captioned(mask=mask))
    assert full.details == {"truncated": 0, "empty_frames": 0}


def test_keyframes_are_not_scored(tiny_clip: TinyClip) -> None:
    score = load_metric(f"clip_text_full@{tiny_clip.name}")(captioned(keyframes=(0, 2)))
    assert score.per_frame is not None
    assert [t for t, value in enumerate(score.per_frame) if value is None] == [0, 2]


def test_cut_captions_are_counted(tiny_clip: TinyClip) -> None:
    score = load_metric(f"clip_text_full@{tiny_clip.name}")(captioned("red " * 30))
    assert score.details is not None
    assert score.details["truncated"] == 1


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (captioned(task="delete"), "the prompt of a delete describes no picture"),
        (captioned(" "), "the sample has no caption"),
        (captioned(mask=np.zeros_like(MASK)), "the mask is empty in all scored frames"),
        (captioned(keyframes=(0, 1, 2, 3)), "all frames are keyframes"),
    ],
)
def test_where_it_has_no_meaning(tiny_clip: TinyClip, clip: EditClip, reason: str) -> None:
    score = load_metric(f"clip_text_masked@{tiny_clip.name}")(clip)
    assert (score.status, score.reason) == ("not_applicable", reason)


def test_missing_weights_are_the_scorings_to_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Path:
        raise MissingWeightsError(name)

    monkeypatch.setattr(clip_model, "locate", missing)
    with pytest.raises(MissingWeightsError, match="nowhere"):
        load_metric("clip_text_full@nowhere")(captioned())
