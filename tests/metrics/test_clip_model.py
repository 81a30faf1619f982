"""CLIP features: those of transformers with the same weights; loading from folders and files."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from clip_weights import MODEL_CFG, TinyClip, write_open_clip, write_transformers_clip
from metric_clips import textured
from torchvision.transforms.v2 import functional as F
from transformers import CLIPProcessor

from vivid_bench.errors import InputError
from vivid_bench.metrics import clip_model
from vivid_bench.metrics.clip_model import load_clip
from vivid_bench.weights import VARIABLE

PARITY = 1e-5  # relative to the largest, in float32


@pytest.mark.parametrize("size", [(32, 32), (48, 48), (40, 72), (72, 40), (20, 24)])
def test_features_are_those_of_transformers(tiny_clip: TinyClip, size: tuple[int, int]) -> None:
    frames = list(textured(3, *size))
    captions = ["a red circle", "", "a large green star on a brick wall"]
    processor = CLIPProcessor.from_pretrained(tiny_clip.folder)
    inputs = processor(
        text=captions, images=[torch.from_numpy(f).permute(2, 0, 1) for f in frames], return_tensors="pt", padding=True
    )
    with torch.no_grad():
        expected = tiny_clip.model(**inputs)
    ours = load_clip(tiny_clip.name, "cpu")
    assert ours.image_features(frames) == pytest.approx(expected.image_embeds.numpy(), rel=PARITY, abs=PARITY)
    for caption, features in zip(captions, expected.text_embeds.numpy(), strict=True):
        assert ours.text_features(caption) == pytest.approx(features, rel=PARITY, abs=PARITY)


def test_images_of_several_sizes_are_prepared_one_by_one(tiny_clip: TinyClip) -> None:
    model = load_clip(tiny_clip.name, "cpu")
    images = [textured(1, 40, 50)[0], textured(1, 64, 32)[0]]
    together = model.image_features(images)
    for image, features in zip(images, together, strict=True):
        assert model.image_features([image])[0] == pytest.approx(features, abs=1e-6)


def test_batches_make_no_difference(tiny_clip: TinyClip) -> None:
    model = load_clip(tiny_clip.name, "cpu")
    frames = list(textured(37, 32, 32, (1, 0)))
    assert model.image_features(frames)[36] == pytest.approx(model.image_features(frames[36:])[0], abs=1e-6)


def test_a_cut_caption_keeps_its_end(tiny_clip: TinyClip) -> None:
    """The context is 16 tokens, two of which are the start and the end; "a" is one token."""
    model = load_clip(tiny_clip.name, "cpu")
    fits, cut = " ".join("a" * 14), " ".join("a" * 15)
    assert not model.is_truncated(fits)
    assert model.is_truncated(cut)
    assert np.array_equal(model.text_features(fits), model.text_features(cut))


def test_a_file_is_loaded_as_its_architecture(
    tiny_clip: TinyClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI's models use QuickGELU, which open_clip learns from the tag, and a file's name does not tell."""
    (tmp_path / "tiny-vit.json").write_text(json.dumps({**MODEL_CFG, "quick_gelu": False}))
    open_clip.add_model_config(tmp_path / "tiny-vit.json")
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda architecture, tag: {"quick_gelu": tag == "openai"})
    file = tiny_clip.folder.parent / tiny_clip.name / "open_clip_model.safetensors"
    expected = load_clip(tiny_clip.name, "cpu").text_features("a cat")
    monkeypatch.setattr(clip_model, "locate", lambda name: file)
    same, other = (load_clip(f"tiny-vit/{tag}", "cpu").text_features("a cat") for tag in ("openai", "other"))
    assert same == pytest.approx(expected, abs=1e-6)
    assert other != pytest.approx(expected, abs=1e-3)


def test_other_weights_of_the_same_name_are_other_weights(
    tiny_clip: TinyClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_clip(tiny_clip.name, "cpu").text_features("a cat")
    write_open_clip(tmp_path / tiny_clip.name, write_transformers_clip(tmp_path / "transformers-clip", seed=1))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert load_clip(tiny_clip.name, "cpu").text_features("a cat") != pytest.approx(before, abs=1e-2)


def test_a_file_that_no_model_is_known_for(
    tiny_clip: TinyClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    file = tiny_clip.folder.parent / tiny_clip.name / "open_clip_model.safetensors"
    (tmp_path / "mine" / file.name).write_bytes(file.read_bytes())
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match=r"found a file alone.*no open_clip_config\.json"):
        load_clip("mine", "cpu")


def test_half_precision_features_have_length_1(tiny_clip: TinyClip, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_clip(tiny_clip.name, "cpu")
    monkeypatch.setattr(
        model.network, "encode_image", lambda batch: torch.tensor([[1.0, 2.0, 3.0]]).repeat(len(batch), 1).half()
    )
    assert np.linalg.norm(model.image_features(list(textured(2, 32, 32))), axis=1) == pytest.approx(1, abs=1e-6)


def test_a_broken_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "open_clip_config.json").write_text("{}")
    (tmp_path / "broken" / "open_clip_model.safetensors").write_bytes(b"no weights")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match=r"broken: expected the weights broken.*fetch them again"):
        load_clip("broken", "cpu")


def test_a_model_is_shown_pictures_as_it_was_trained(
    tiny_clip: TinyClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SigLIP's models squash a picture to their square, where CLIP's take its middle."""
    frame = textured(1, 40, 80)[0]
    folder = tiny_clip.folder.parent / tiny_clip.name
    other = tmp_path / "squashing"
    shutil.copytree(folder, other)
    config = json.loads((other / "open_clip_config.json").read_text())
    config["preprocess_cfg"] |= {"resize_mode": "squash", "interpolation": "bilinear"}
    (other / "open_clip_config.json").write_text(json.dumps(config))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    squashed = F.resize(
        torch.from_numpy(frame).permute(2, 0, 1), [32, 32], F.InterpolationMode.BILINEAR, antialias=True
    ).permute(1, 2, 0)
    model = load_clip("squashing", "cpu")
    assert model.image_features([frame]) == pytest.approx(model.image_features([squashed.numpy()]), abs=1e-6)


def test_a_model_that_would_download_its_tokenizer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "roberta.safetensors"
    monkeypatch.setattr(clip_model, "locate", lambda name: file)
    with pytest.raises(InputError, match="whose tokenizer is a download of its own"):
        load_clip("roberta-ViT-B-32/laion2b_s12b_b32k", "cpu")


def test_half_precision_moves_a_cosine_by_less_than_a_thousandth() -> None:
    """What a GPU computes in, on a CPU, with the weights that ship."""
    frames = list(textured(8, 64, 64, (3, 2)))
    model = load_clip("mini-clip", "cpu")
    text, exact = model.text_features("A large striped red star."), model.image_features(frames)
    network = copy.deepcopy(model.network).half()
    with torch.inference_mode():
        half = torch.nn.functional.normalize(
            network.encode_image(model.prepared(frames).half()).float(), dim=-1
        ).numpy()
    assert half @ text == pytest.approx(exact @ text, abs=1e-3)
    assert np.sum(half[:-1] * half[1:], axis=1) == pytest.approx(np.sum(exact[:-1] * exact[1:], axis=1), abs=1e-3)
