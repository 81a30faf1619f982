from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import CogVideoXPipeline
from transformers import T5Tokenizer

from vivid_bench.errors import InputError
from vivid_bench.vivid import base as module
from vivid_bench.vivid.base import find_base
from vivid_bench.vivid.convert import convert
from vivid_bench.vivid.loading import load_pipeline, stored_dtype

Change = Callable[[Path], object]


@pytest.fixture
def base(base_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a base that a test may spoil."""
    return Path(shutil.copytree(base_folders["5b"], tmp_path / "base"))


def edit_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_new_channels_are_zero_and_all_else_is_the_bases(base: Path, tmp_path: Path) -> None:
    convert(base, tmp_path / "vivid")
    old, new = CogVideoXPipeline.from_pretrained(base), load_pipeline(tmp_path / "vivid")
    assert (new.transformer.config.in_channels, new.transformer.config.out_channels) == (4 + 4 + 4, 4)
    for name in ("text_encoder", "vae", "transformer"):
        theirs, ours = getattr(old, name).state_dict(), getattr(new, name).state_dict()
        assert theirs.keys() == ours.keys()
        for key, value in theirs.items():
            if key == "patch_embed.proj.weight":
                assert not ours[key][:, 4:].any()
                assert torch.equal(ours[key][:, :4], value)
            else:
                assert torch.equal(ours[key], value)
    assert dict(new.scheduler.config) == dict(old.scheduler.config)
    assert type(new.scheduler) is type(old.scheduler)
    assert new.tokenizer("a red circle").input_ids == old.tokenizer("a red circle").input_ids


def test_sharded_bfloat16_weights_stay_bfloat16(base_folders: dict[str, Path], tmp_path: Path) -> None:
    pipeline = CogVideoXPipeline.from_pretrained(base_folders["2b"]).to(torch.bfloat16)
    pipeline.save_pretrained(tmp_path / "base", max_shard_size="20KB")
    assert len(list((tmp_path / "base" / "transformer").glob("*.safetensors"))) > 1
    convert(tmp_path / "base", tmp_path / "vivid")
    assert {stored_dtype(tmp_path / "vivid" / name) for name in ("text_encoder", "vae", "transformer")} == {
        torch.bfloat16
    }
    assert load_pipeline(tmp_path / "vivid").transformer.dtype == torch.bfloat16


def test_a_sentencepiece_tokenizer_is_saved_so_that_it_needs_sentencepiece_no_more(base: Path, tmp_path: Path) -> None:
    import sentencepiece

    shutil.rmtree(base / "tokenizer")
    (base / "tokenizer").mkdir()
    words = ["remove", "objects", "and", "generate", "areas", "that", "blend", "with", "a", "red", "circle"] * 20
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words),
        model_writer=(base / "tokenizer" / "spiece.model").open("wb"),
        vocab_size=50,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (base / "tokenizer" / "tokenizer_config.json").write_text('{"tokenizer_class": "T5Tokenizer", "extra_ids": 100}')
    convert(base, tmp_path / "vivid")
    assert (tmp_path / "vivid" / "tokenizer" / "tokenizer.json").is_file()
    text = "a red circle, removed"
    theirs, ours = (T5Tokenizer.from_pretrained(f / "tokenizer")(text).input_ids for f in (base, tmp_path / "vivid"))
    assert theirs == ours


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: (b / "model_index.json").unlink(), r"model_index.json: expected .* found none; .*CogVideoX-5b"),
        (lambda b: (b / "model_index.json").write_text("{"), "expected a JSON file"),
        (
            lambda b: edit_json(b / "model_index.json", _class_name="CogVideoXImageToVideoPipeline"),
            "expected CogVideoXPipeline, found CogVideoXImageToVideoPipeline",
        ),
        (lambda b: edit_json(b / "model_index.json", _class_name="VividPipeline"), "found VividPipeline"),
        (lambda b: edit_json(b / "model_index.json", vae=["diffusers", "AutoencoderKL"]), "found AutoencoderKL"),
        (lambda b: edit_json(b / "transformer" / "config.json", in_channels=8), "8 in and 4 out, as of an image-to"),
        (lambda b: edit_json(b / "transformer" / "config.json", patch_size_t=2), "as of CogVideoX 1.5"),
        (lambda b: shutil.rmtree(b / "text_encoder"), "text_encoder: expected a folder .* found none"),
        (
            lambda b: (b / "vae" / "diffusion_pytorch_model.safetensors").rename(b / "vae" / "model.bin"),
            "vae: expected safetensors weights, found pickled weights only",
        ),
        (lambda b: edit_json(b / "transformer" / "config.json", num_layers=3), "weights missing, 0 foreign"),
        (lambda b: edit_json(b / "transformer" / "config.json", num_layers=1), "0 weights missing, .* foreign"),
    ],
)
def test_a_base_of_another_kind_is_named(base: Path, tmp_path: Path, change: Change, message: str) -> None:
    change(base)
    with pytest.raises(InputError, match=message):
        convert(find_base(str(base)), tmp_path / "vivid")
    assert not (tmp_path / "vivid").exists()


def test_a_missing_shard_is_named(base_folders: dict[str, Path], tmp_path: Path) -> None:
    CogVideoXPipeline.from_pretrained(base_folders["2b"]).save_pretrained(tmp_path / "base", max_shard_size="20KB")
    shard = sorted((tmp_path / "base" / "transformer").glob("*.safetensors"))[1]
    shard.unlink()
    with pytest.raises(InputError, match=f"expected all shards, found no {shard.name}"):
        find_base(str(tmp_path / "base"))


def test_all_problems_are_found_in_one_pass(base: Path) -> None:
    edit_json(base / "transformer" / "config.json", in_channels=8)
    (base / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match="2 problems:"):
        find_base(str(base))


def test_a_taken_folder_is_left_alone(base: Path, tmp_path: Path) -> None:
    (tmp_path / "vivid").mkdir()
    (tmp_path / "vivid" / "mine").touch()
    with pytest.raises(InputError, match="expected a new folder"):
        convert(base, tmp_path / "vivid")
    assert [path.name for path in (tmp_path / "vivid").iterdir()] == ["mine"]


def test_nothing_is_downloaded_unless_asked(monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    asked: list[dict[str, Any]] = []

    def fetch(name: str, **options: Any) -> str:
        asked.append(options)
        return str(base)

    monkeypatch.setattr(module, "snapshot_download", fetch)
    assert find_base("someone/base") == find_base("someone/base", download=True) == base
    assert [options["local_files_only"] for options in asked] == [True, False]
    assert not any("bin" in pattern for options in asked for pattern in options["allow_patterns"])
