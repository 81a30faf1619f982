"""Weights that are cut short, exchanged or broken are noticed."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from vivid_bench.errors import InputError, MissingWeightsError
from vivid_bench.weights import catalogue
from vivid_bench.weights_check import check, check_file, known_sha256


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIVID_BENCH_WEIGHTS", str(tmp_path))
    return tmp_path


def tensors(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"x": np.arange(100, dtype=np.float32)}, path)
    return path


def test_weights_of_ones_own_are_read(folder: Path) -> None:
    tensors(folder / "mine" / "model.safetensors")
    (folder / "mine" / "config.json").write_text("{}")
    assert check("mine") == folder / "mine"


def test_missing_weights_are_missing(folder: Path) -> None:
    with pytest.raises(MissingWeightsError):
        check("sam-vit-huge")


def test_a_cut_safetensors_file(folder: Path) -> None:
    path = tensors(folder / "mine" / "model.safetensors")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"model\.safetensors: expected a file that can be read"):
        check("mine")


def test_an_empty_file(folder: Path) -> None:
    (folder / "alexnet-owt-7be5be79.pth").write_bytes(b"")
    with pytest.raises(InputError, match="found an empty file; delete it and run `vivid-bench weights fetch alex`"):
        check("alex")


def test_another_file_than_the_name_promises(folder: Path) -> None:
    torch.save({"x": torch.zeros(3)}, folder / "alexnet-owt-7be5be79.pth")
    with pytest.raises(InputError, match="expected sha256 7be5be79…"):
        check("alex")


def test_another_file_than_the_catalogue_pins(folder: Path) -> None:
    tensors(folder / "ViT-B-32" / "openai" / "open_clip_model.safetensors")
    with pytest.raises(InputError, match="expected sha256 e6d1bd7789aa…"):
        check("ViT-B-32/openai")


def test_a_file_that_carries_its_own_hash(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    path = tmp_path / f"net-{digest[:8]}.pth"
    path.write_bytes(b"weights")
    assert known_sha256(path, None) == digest[:8]
    check_file(path, known_sha256(path, None), "")


def test_the_hub_caches_files_are_named_by_their_hash(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    blob = tmp_path / "blobs" / digest
    blob.parent.mkdir()
    blob.write_bytes(b"weights")
    link = tmp_path / "model.safetensors"
    link.symlink_to(blob)
    assert known_sha256(link, None) == digest
    check_file(link, digest, "")
    blob.write_bytes(b"weight")
    with pytest.raises(InputError, match="expected sha256"):
        check_file(link, digest, "")


def test_a_folder_without_its_settings(folder: Path) -> None:
    tensors(folder / "dinov2-base" / "model.safetensors")
    with pytest.raises(InputError, match=r"expected a folder with config\.json"):
        check("dinov2-base")


class _Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('the pickle ran')",)


def test_a_pickle_is_never_run(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "mine.pt").write_bytes(pickle.dumps(_Exploit(), protocol=2))
    with pytest.raises(InputError, match="expected a file that can be read"):
        check("mine")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe"])
def test_settings_that_are_no_json(folder: Path, content: bytes) -> None:
    tensors(folder / "mine" / "model.safetensors")
    (folder / "mine" / "config.json").write_bytes(content)
    with pytest.raises(InputError, match=r"config\.json"):
        check("mine")


def test_catalogued_hashes_are_known_without_a_file() -> None:
    for entry in catalogue().values():
        if entry.hub or entry.url:
            assert known_sha256(Path(entry.file), entry)
