"""Which weights there are, and where they are found; no network, no caches but the test's own."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from vivid_bench import weights
from vivid_bench.compat import PRESETS, load_preset
from vivid_bench.errors import InputError, MissingWeightsError, UnknownNameError
from vivid_bench.files import sha256_path
from vivid_bench.metrics import WEIGHTED_METRICS
from vivid_bench.weights import catalogue, find, locate, use_folder, weights_sha256

ALEX = "alexnet-owt-7be5be79.pth"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights that the variable names; caches and package hold none."""
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    own = tmp_path / "weights"
    own.mkdir()
    monkeypatch.setenv("VIVID_BENCH_WEIGHTS", str(own))
    return own


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def cached_on_hub(tmp_path: Path, hub: str, revision: str, *files: str) -> Path:
    """Files as huggingface_hub keeps them: a snapshot for each commit, and a ref for each branch."""
    repository = tmp_path / "hub" / f"models--{hub.replace('/', '--')}"
    write(repository / "refs" / "main", revision)
    for file in files:
        write(repository / "snapshots" / revision / file)
    return repository / "snapshots" / revision


def test_every_entry_says_where_it_comes_from_and_what_it_is_for() -> None:
    assert {"mini-clip", "mini-lpips", "ViT-L-14/openai", "alex", "vgg", "squeeze", "dinov2-giant"} <= set(catalogue())
    for name, entry in catalogue().items():
        assert entry.name == name
        assert entry.licence
        assert entry.used_by
        assert not (entry.hub and entry.url)
        if entry.hub:
            assert entry.revision
            assert entry.sha256
        if entry.url:
            assert entry.url.endswith(f"/{entry.file}")
        if not name.startswith("mini-"):
            assert entry.size
        assert (entry.kind == "folder") == (bool(entry.settings) or name.startswith("mini-"))


def test_what_needs_weights_is_named_beside_them() -> None:
    for preset in PRESETS:
        for metric in load_preset(preset).metrics:
            if metric.info.needs_weights:
                assert preset in catalogue()[metric.info.needs_weights].used_by
    metrics = {pattern for entry in catalogue().values() for pattern in entry.used_by if pattern not in PRESETS}
    for metric in WEIGHTED_METRICS:
        assert any(fnmatch(metric, pattern) for pattern in metrics), metric
    for pattern in metrics:
        assert any(fnmatch(metric, pattern) for metric in WEIGHTED_METRICS), pattern


def test_what_the_catalogue_pins_is_what_open_clip_loads() -> None:
    import open_clip

    for name in ("ViT-L-14/openai", "ViT-B-32/openai"):
        assert open_clip.get_pretrained_cfg(*name.split("/"))["hf_hub"] == f"{catalogue()[name].hub}/"


def test_any_model_of_open_clip_has_an_entry() -> None:
    import open_clip

    for architecture, tag in open_clip.list_pretrained():
        entry = find(f"{architecture}/{tag}")
        assert entry.hub
        assert entry.file
        assert entry.file.endswith(".safetensors")
    assert find("ViT-B-16/laion2b_s34b_b88k").hub == "laion/CLIP-ViT-B-16-laion2B-s34B-b88K"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("alexx", "alex"),
        ("dinov2-gaint", "dinov2-giant"),
        ("ViT-L-14/opneai", "ViT-L-14/openai"),
        ("VIT-L14/openai", "ViT-L-14/openai"),
        ("ViT-B-16/laion2b-s34b-b88k", "ViT-B-16/laion2b_s34b_b88k"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownNameError, match=f'did you mean "{suggestion}"'):
        locate(name)


@pytest.mark.parametrize("name", ["../alex", "/etc/passwd", "a//b", "", ".hidden", "a/../b"])
def test_a_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(UnknownNameError):
        locate(name)


@pytest.mark.parametrize("place", [f"alex/{ALEX}", ALEX, "alex"])
def test_a_file_is_found_under_its_name_or_its_own(folder: Path, place: str) -> None:
    path = write(folder / place)
    assert locate("alex") == path


def test_other_files_beside_it_do_not_count(folder: Path) -> None:
    write(folder / "alex" / "something-else.pth")
    with pytest.raises(MissingWeightsError):
        locate("alex")


def test_a_slash_in_a_name_is_a_folder_in_a_folder(folder: Path) -> None:
    path = write(folder / "ViT-L-14" / "openai" / "open_clip_model.safetensors")
    write(folder / "ViT-L-14" / "openai" / "open_clip_config.json")
    assert locate("ViT-L-14/openai") == path
    with pytest.raises(UnknownNameError):
        locate("ViT-L-14")


def test_a_folder_of_transformers_is_found_once_its_tensors_are_there(folder: Path) -> None:
    write(folder / "dinov2-base" / "config.json")
    with pytest.raises(MissingWeightsError):
        locate("dinov2-base")
    write(folder / "dinov2-base" / "model.safetensors")
    assert locate("dinov2-base") == folder / "dinov2-base"


def test_weights_of_the_users_own_may_have_any_name(folder: Path) -> None:
    write(folder / "mine" / "open_clip_config.json")
    write(folder / "mine" / "open_clip_model.safetensors")
    assert locate("mine") == folder / "mine"
    path = write(folder / "ViT-B-32" / "mine" / "tuned.safetensors")
    write(folder / "ViT-B-32" / "mine" / "older.bin")
    assert locate("ViT-B-32/mine") == path


def test_the_package_comes_first_then_folders_in_order_then_caches(folder: Path, tmp_path: Path) -> None:
    cached = write(tmp_path / "torch" / "hub" / "checkpoints" / ALEX)
    assert locate("alex") == cached
    fetched = write(tmp_path / ".cache" / "vivid-bench" / "weights" / "alex" / ALEX)
    assert locate("alex") == fetched
    second = write(tmp_path / "second" / ALEX)
    os.environ["VIVID_BENCH_WEIGHTS"] = f"{folder}{os.pathsep}{second.parent}"
    assert locate("alex") == second
    first = write(folder / ALEX)
    assert locate("alex") == first
    shipped = write(tmp_path / "shipped" / "alex" / ALEX)
    assert locate("alex") == shipped


def test_the_hub_cache_is_read_at_the_pinned_commit(tmp_path: Path) -> None:
    entry = catalogue()["dinov2-base"]
    assert entry.hub
    assert entry.revision
    cached_on_hub(tmp_path, entry.hub, "0" * 40, *entry.settings, "model.safetensors")
    with pytest.raises(MissingWeightsError):
        locate("dinov2-base")
    snapshot = cached_on_hub(tmp_path, entry.hub, entry.revision, *entry.settings)
    with pytest.raises(MissingWeightsError):
        locate("dinov2-base")
    write(snapshot / "model.safetensors")
    assert locate("dinov2-base") == snapshot


def test_open_clips_models_are_found_in_the_caches(tmp_path: Path) -> None:
    snapshot = cached_on_hub(tmp_path, "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "1" * 40, "open_clip_pytorch_model.bin")
    assert locate("ViT-B-16/laion2b_s34b_b88k") == snapshot / "open_clip_pytorch_model.bin"
    write(snapshot / "open_clip_model.safetensors")
    assert locate("ViT-B-16/laion2b_s34b_b88k") == snapshot / "open_clip_model.safetensors"
    path = write(tmp_path / ".cache" / "clip" / "vit_b_32-quickgelu-laion400m_e31-d867053b.pt")
    assert locate("ViT-B-32/laion400m_e31") == path
    write(tmp_path / ".cache" / "clip" / "ViT-L-14.pt")
    with pytest.raises(MissingWeightsError):
        locate("ViT-L-14/openai")


def test_missing_weights_say_how_to_get_them_and_name_no_folder_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError) as caught:
        locate("ViT-L-14/openai")
    for part in (
        "weights ViT-L-14/openai",
        "caches of vivid-bench, huggingface_hub, torch.hub and open_clip",
        "`vivid-bench weights fetch ViT-L-14/openai`",
        "VIVID_BENCH_WEIGHTS=DIR",
        "DIR holds ViT-L-14/openai/open_clip_model.safetensors",
    ):
        assert part in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(MissingWeightsError, match="they ship with vivid-bench"):
        locate("mini-clip")


def test_use_folder_comes_before_the_variables_folders(folder: Path, tmp_path: Path) -> None:
    write(folder / ALEX)
    given = write(tmp_path / "given" / ALEX)
    use_folder(None)
    assert locate("alex") == folder / ALEX
    use_folder(given.parent)
    assert locate("alex") == given
    with pytest.raises(InputError, match="no such folder"):
        use_folder(tmp_path / "nowhere")


def test_a_variable_that_names_no_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVID_BENCH_WEIGHTS", "/no/such/folder")
    with pytest.raises(InputError, match="change the environment variable VIVID_BENCH_WEIGHTS"):
        locate("alex")


def test_sha256_of_a_file_follows_its_content(folder: Path) -> None:
    path = write(folder / ALEX, "first")
    assert weights_sha256("alex") == sha256_path(path)
    write(path, "second!")
    assert weights_sha256("alex") == sha256_path(path)


def test_sha256_of_a_folder_counts_only_the_files_that_matter(folder: Path) -> None:
    place = folder / "dinov2-base"
    write(place / "config.json", "{}")
    save_file({"x": np.zeros(2, np.float32)}, place / "model.safetensors")
    before = weights_sha256("dinov2-base")
    assert before == sha256_path(place)
    write(place / "README.md")
    write(place / "pytorch_model.bin")
    assert weights_sha256("dinov2-base") == before
    write(place / "config.json", '{"layers": 1}')
    assert weights_sha256("dinov2-base") != before

    mine = folder / "mine"
    write(mine / "config.json")
    write(mine / "model.safetensors")
    assert weights_sha256("mine") == sha256_path(mine)
