"""`vivid-bench weights`, as a user types it; nothing is downloaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import Command
from safetensors.numpy import save_file

ALEX = "alexnet-owt-7be5be79.pth"


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights but those that ship and those the test writes."""
    for variable, folder in (("HOME", "home"), ("HF_HOME", "hf"), ("TORCH_HOME", "torch"), ("XDG_CACHE_HOME", "cache")):
        monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.delenv("VIVID_BENCH_WEIGHTS", raising=False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with weights of the user's own, whole."""
    folder = tmp_path / "own"
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "config.json").write_text("{}")
    save_file({"x": np.zeros(9, np.float32)}, folder / "mine" / "model.safetensors")
    return folder


def test_list_says_what_there_is_and_where(vivid_bench: Command, own: Path) -> None:
    (own / ALEX).write_bytes(b"x" * 1000)
    rows = {row["name"]: row for row in json.loads(vivid_bench("weights", "list", "--weights", own, "--json").stdout)}
    assert rows["alex"]["path"] == str(own / ALEX)
    assert rows["alex"]["sha256"] == "7be5be79"
    assert rows["alex"]["size"] == 1000
    assert rows["vgg"]["path"] is None
    assert rows["vgg"]["source"] == "https://download.pytorch.org/models/vgg16-397923af.pth"
    assert rows["ViT-L-14/openai"]["used_by"][:2] == ["clip_*", "removal_success"]
    table = vivid_bench("weights", "list").stdout
    for name, row in rows.items():
        assert name in table
        assert row["licence"] in table
    assert "4.5 GB" in table
    assert "not here" in table


def test_check_of_everything_passes_over_what_is_missing(vivid_bench: Command) -> None:
    done = vivid_bench("weights", "check")
    assert "missing" in done.stdout
    assert done.stderr == ""


def test_check_fails_where_something_is_wrong(vivid_bench: Command, own: Path) -> None:
    (own / ALEX).write_bytes(b"another file")
    done = vivid_bench("weights", "check", "--weights", own, expect=1)
    assert f"wrong: {own / ALEX}: expected sha256 7be5be79…" in done.stderr
    rows = {
        r["name"]: r for r in json.loads(vivid_bench("weights", "check", "--weights", own, "--json", expect=1).stdout)
    }
    assert rows["alex"]["state"] == "wrong"
    assert rows["vgg"]["state"] == "missing"


def test_check_of_names(vivid_bench: Command, own: Path) -> None:
    (row,) = json.loads(vivid_bench("weights", "check", "mine", "--weights", own, "--json").stdout)
    assert row == {"name": "mine", "state": "ok", "path": str(own / "mine"), "problem": None}
    done = vivid_bench("weights", "check", "mine", "alex", "--weights", own, expect=1)
    assert "missing: weights alex are not on this machine" in done.stderr
    assert 'did you mean "alex"?' in vivid_bench("weights", "check", "alxe", expect=2).stderr


def test_fetch_without_a_network(vivid_bench: Command) -> None:
    done = vivid_bench("weights", "fetch", "ViT-B-32/openai", expect=2)
    assert (
        "ViT-B-32/openai: https://huggingface.co/timm/vit_base_patch32_clip_224.openai, 605 MB, licence: MIT"
        in done.stderr
    )
    assert "error: ViT-B-32/openai: HF_HUB_OFFLINE is set" in done.stderr


def test_fetch_of_an_unknown_name_starts_nothing(vivid_bench: Command) -> None:
    done = vivid_bench("weights", "fetch", "alex", "dinov2-gaint", expect=2)
    assert done.stderr.splitlines() == [line for line in done.stderr.splitlines() if "dinov2-giant" in line]


@pytest.mark.parametrize("command", ["run", "score"])
def test_a_folder_that_does_not_exist(vivid_bench: Command, command: str) -> None:
    arguments = ("--method", "telea", "--task", "delete") if command == "run" else ("some/run",)
    done = vivid_bench(command, *arguments, "--weights", "nowhere", expect=2)
    assert "nowhere: expected a folder of weights, found no such folder; check --weights" in done.stderr
