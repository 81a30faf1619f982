"""Which weights are loaded, and which are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from vivid_bench.build.models import loading
from vivid_bench.errors import InputError


def load_sam(name: str | Path, **options: Any) -> loading.Loaded:
    return loading.load(str(name), "SamModel", "cpu", dtype=torch.float32, model_types=("sam",), **options)


@pytest.fixture
def sam(saved: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(saved / "sam", tmp_path / "sam")


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import huggingface_hub.constants

    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(cache))
    return cache


def test_a_folder_is_loaded_for_use(saved: Path) -> None:
    loaded = load_sam(saved / "sam")
    assert type(loaded.model).__name__ == "SamModel"
    assert type(loaded.processor).__name__ == "SamProcessor"
    assert not loaded.model.training
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}


def test_weights_take_the_asked_precision(saved: Path) -> None:
    loaded = loading.load(str(saved / "sam"), "SamModel", "cpu", dtype=torch.bfloat16)
    assert loaded.model.dtype == torch.bfloat16


def test_the_fingerprint_is_of_what_decides(sam: Path) -> None:
    before = loading.weights_of(str(sam))
    assert (before.name, before.revision) == ("sam", None)
    assert before.described == f"sam (fingerprint {before.fingerprint[:16]})"
    (sam / "README.md").write_text("words")
    (sam / "pytorch_model.bin").write_bytes(b"another format of the same")
    assert loading.weights_of(str(sam)) == before
    weights = load_file(sam / "model.safetensors")
    weights["vision_encoder.pos_embed"] += 1
    save_file(weights, sam / "model.safetensors", metadata={"format": "pt"})
    assert loading.weights_of(str(sam)).described != before.described


def test_a_name_is_found_in_the_hub_cache(saved: Path, hub_cache: Path) -> None:
    entry, commit = hub_cache / "models--owner--tiny-sam", "c" * 40
    shutil.copytree(saved / "sam", entry / "snapshots" / commit)
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text(commit)
    assert load_sam("owner/tiny-sam").model.config.model_type == "sam"
    found, own = (loading.weights_of(name) for name in ("owner/tiny-sam", str(saved / "sam")))
    assert found == loading.Weights("owner/tiny-sam", own.fingerprint, commit)
    assert found.described == f"owner/tiny-sam at cccccccccccc (fingerprint {own.fingerprint[:16]})"
    named_by_its_path = loading.weights_of(str(entry / "snapshots" / commit))
    assert named_by_its_path.fingerprint == own.fingerprint


def test_a_file_of_weights_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "raft.pth"
    with pytest.raises(InputError, match=r"expected a file of RAFT's weights, found no file; `curl -LO https://"):
        loading.weights_of(str(file))
    described = []
    for content in (b"one", b"two"):
        file.write_bytes(content)
        described.append(loading.weights_of(str(file)).described)
    assert described[0].startswith("raft.pth (fingerprint ")
    assert described[0] != described[1]


def test_missing_weights_name_the_command(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *a: pytest.fail("it asked the network"))
    for ask in (load_sam, loading.weights_of):
        with pytest.raises(InputError) as raised:
            ask("facebook/sam-vit-huge")
        assert str(raised.value) == (
            "facebook/sam-vit-huge: expected a folder in transformers' format, or a name on the hub that is in the "
            "local cache, found neither; run `hf download facebook/sam-vit-huge`, or name a folder that holds it"
        )


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such", "a b/c"])
def test_a_folder_that_does_not_exist_is_not_to_be_downloaded(name: str) -> None:
    with pytest.raises(InputError, match="found neither; name a folder that exists"):
        load_sam(name)


def test_a_download_that_broke_off_names_the_command(saved: Path, hub_cache: Path) -> None:
    entry, commit = hub_cache / "models--owner--tiny-sam", "c" * 40
    shutil.copytree(saved / "sam", entry / "snapshots" / commit)
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text(commit)
    (entry / "snapshots" / commit / "config.json").unlink()
    with pytest.raises(InputError, match="run `hf download owner/tiny-sam` again"):
        load_sam("owner/tiny-sam")


def test_pickled_weights_are_refused(sam: Path) -> None:
    torch.save(load_file(sam / "model.safetensors"), sam / "pytorch_model.bin")
    (sam / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"expected weights in safetensors files, found none \(pickled"):
        load_sam(sam)


def test_code_in_a_folder_never_runs(sam: Path) -> None:
    ran = sam / "ran"
    (sam / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((sam / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.Own"}}
    (sam / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="custom code"):
        load_sam(sam)
    assert not ran.exists()


def test_another_model_is_refused(saved: Path) -> None:
    with pytest.raises(InputError, match="expected a model of type sam, found one of type llava; name another folder"):
        load_sam(saved / "llava")


def test_a_model_that_lacks_parameters_is_refused(sam: Path) -> None:
    weights = load_file(sam / "model.safetensors")
    del weights["vision_encoder.pos_embed"]
    save_file(weights, sam / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"for 1 of them, e\.g\. vision_encoder\.pos_embed"):
        load_sam(sam)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 64])
def test_a_broken_weights_file_is_named(sam: Path, content: bytes) -> None:
    (sam / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="expected a SamModel of transformers"):
        load_sam(sam)


def test_a_package_that_a_model_needs_is_named(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def needy(*args: Any, **options: Any) -> None:
        raise ImportError("Package `num2words` is required:\n pip install num2words")

    monkeypatch.setattr("transformers.AutoProcessor.from_pretrained", needy)
    with pytest.raises(InputError, match="`num2words` is required: pip install num2words; install that, or name"):
        load_sam(saved / "sam")


def test_a_cpu_computes_in_single_precision() -> None:
    assert loading.half_on_gpu("cpu") == torch.float32


@pytest.mark.parametrize(("has_bfloat16", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_computes_in_half(has_bfloat16: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: has_bfloat16)
    assert loading.half_on_gpu("cuda") == dtype
