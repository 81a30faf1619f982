"""Weights of diffusers pipelines: where they lie, whether they are whole, which they are.

Nothing here loads or downloads. A model of more than `SMALL_BYTES` asks for a GPU; smaller ones run anywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from vivid_bench import method_settings
from vivid_bench.errors import InputError
from vivid_bench.files import sha256_sampled, sha256_text

GIGABYTE = 10**9
SMALL_BYTES = GIGABYTE


@dataclass(frozen=True)
class Model:
    """A pipeline's weights, and what they need.

    Attributes:
        method: whose settings may name a folder of the user's own.
        repository: on the hub, `owner/name`.
        pipeline: its class in diffusers.
        networks: its folders that hold weights which are loaded.
        gigabytes: of those, in memory.
        gpu_gigabytes: from which GPU memory on the pipeline is kept there whole, and from which on model by model;
            with less it is moved layer by layer, which is slow.
        revision: None: what the cache calls main.
        exclude: patterns of files that need not be downloaded.
        gated: whether its owner must accept a request first.
    """

    method: str
    repository: str
    pipeline: str
    networks: tuple[str, ...]
    gigabytes: float
    gpu_gigabytes: tuple[float, float]
    revision: str | None = None
    exclude: tuple[str, ...] = ()
    gated: bool = False

    def at(self, revision: str | None) -> Model:
        """Return the model with another revision."""
        return replace(self, revision=revision)

    @cached_property
    def folder(self) -> Path | None:
        """The weights' folder: the one in the method's settings, else the hub cache's; None where neither is.

        Raises:
            InputError: the settings cannot be read, or name a folder without a pipeline.
        """
        if own := method_settings.load(self.method).get("weights"):
            if not (Path(own) / "model_index.json").is_file():
                raise InputError(
                    own, expected="a folder in diffusers' format", found="no model_index.json in it",
                    fix=f"`vivid-bench methods setup {self.method} --weights DIR` names another",
                )  # fmt: skip
            return Path(own)
        from huggingface_hub import try_to_load_from_cache

        index = try_to_load_from_cache(self.repository, "model_index.json", revision=self.revision)
        return Path(index).parent if isinstance(index, str) else None

    @property
    def download(self) -> str:
        """The command that gets the weights."""
        revision = f" --revision {self.revision}" if self.revision else ""
        return f"hf download {self.repository}{revision}" + "".join(f' --exclude "{p}"' for p in self.exclude)

    @property
    def is_cached(self) -> bool:
        """Whether the folder is a snapshot of the hub's cache."""
        assert self.folder is not None
        cache = f"models--{self.repository.replace('/', '--')}"
        return self.folder.parts[-3:-1] == (cache, "snapshots")

    @property
    def mend(self) -> str:
        """What to do about a folder that is of no use."""
        if self.is_cached:
            return f"run `{self.download}` again"
        return f"`vivid-bench methods setup {self.method} --weights DIR` names another"

    @property
    def note(self) -> str:
        """Which weights are in use, in words."""
        assert self.folder is not None
        if self.is_cached:
            return f"weights: {self.repository} at {self.folder.name}"
        return f"weights: a folder of one's own, taken for {self.repository}"


def why_not_here(model: Model, device: str) -> str | None:
    """Say in one sentence why a model cannot run here, and what to do; None where it can. Loads nothing."""
    try:
        folder = model.folder
    except InputError as error:
        return str(error)
    if folder and (wrong := _why_unfit(folder, model)):
        return wrong
    size = weights_bytes(folder, model.networks) if folder else model.gigabytes * GIGABYTE
    if device == "cpu" and size > SMALL_BYTES:
        return f"it needs a GPU for its weights of {size / GIGABYTE:.1f} GB: pass --device cuda on a machine with one"
    if folder is None:
        licence = f"accept its licence at https://huggingface.co/{model.repository}, then " if model.gated else ""
        return (
            f"its weights are not on this machine: {licence}run `{model.download}`, or name a folder that holds them "
            f"by `vivid-bench methods setup {model.method} --weights DIR`"
        )
    if missing := missing_files(folder, model):
        return f"its weights in {folder} lack {', '.join(missing)}: {model.mend}"
    return None


def identity(model: Model) -> dict[str, str]:
    """Return what the record says of the weights that would be used; empty where there are none.

    A fingerprint: a hash over names, sizes and, to be quick, samples of their files and of the settings beside them.
    Of a folder of the user's own nobody knows the revision, so that the pinned one is not claimed.
    """
    try:
        folder = model.folder
    except InputError:
        return {}
    if folder is None:
        return {}
    settings = [file for file in folder.rglob("*.json") if not _is_left_out(file.relative_to(folder).as_posix(), model)]
    files = sorted({*_weights(folder, model.networks), *settings})
    lines = [f"{file.relative_to(folder).as_posix()} {file.stat().st_size} {sha256_sampled(file)}" for file in files]
    found = {"weights_fingerprint": sha256_text("\n".join(lines))[:16]}
    return (
        found if model.is_cached or model.revision is None else found | {"revision": "not known: a folder of one's own"}
    )


class OneModel:
    """What methods share whose class stands for one model: whether it can run here, and which weights it has."""

    model: ClassVar[Model]

    @classmethod
    def why_not_here(cls, device: str, revision: str | None = None, **_: Any) -> str | None:
        """Say why it cannot run here; None where it can."""
        return why_not_here(cls.model.at(revision), device)

    @classmethod
    def identity(cls, revision: str | None = None, **_: Any) -> dict[str, str]:
        """Return a fingerprint of the weights, which joins the record's parameters."""
        return identity(cls.model.at(revision))


def weights_bytes(folder: Path, networks: tuple[str, ...]) -> int:
    """Return the size of the safetensors of a pipeline's networks."""
    return sum(file.stat().st_size for file in _weights(folder, networks))


def missing_files(folder: Path, model: Model) -> list[str]:
    """Return what a pipeline's folder lacks: parts without settings, networks without safetensors, shards, and indices
    of shards, also such as cannot be read.
    """
    parts = json.loads((folder / "model_index.json").read_text())
    needed = [name for name, part in parts.items() if isinstance(part, list) and any(part)]
    missing = [
        f"{name}/*config.json"
        for name in needed
        if not _is_left_out(f"{name}/", model) and not any((folder / name).glob("*config.json"))
    ]
    for name in model.networks:
        files = [file.name for file in _weights(folder, (name,))]
        indices = sorted((folder / name).glob("*.safetensors.index*.json"))
        if not files:
            missing.append(f"{name}/*.safetensors")
        if not indices and any(re.search(r"-\d+-of-\d+\.", file) for file in files):
            missing.append(f"{name}/*.safetensors.index.json")
        missing += [f"{name}/{shard}" for index in indices for shard in _shards(index) if shard not in files]
    return missing


def variant(model: Model) -> str | None:
    """Return the precision to ask for by name: fp16 where a network comes in no other, None for the usual files."""
    assert model.folder is not None
    names = [[file.name for file in _weights(model.folder, (network,))] for network in model.networks]
    return "fp16" if any(all(".fp16" in name for name in network) for network in names) else None


def _why_unfit(folder: Path, model: Model) -> str | None:
    """Say why a folder is not used: it holds another pipeline, or code, which diffusers would run."""
    try:
        name = json.loads((folder / "model_index.json").read_text())["_class_name"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        return f"{folder}: model_index.json names no pipeline ({error}): {model.mend}"
    if name != model.pipeline:
        return f"{folder} holds a {name}, expected a {model.pipeline}: {model.mend}"
    if code := sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py")):
        return f"{folder} holds code, which is not run: {', '.join(code)}; remove it"
    return None


def _weights(folder: Path, networks: tuple[str, ...]) -> Iterator[Path]:
    # A link in the hub's cache may lead nowhere.
    return (file for name in networks for file in (folder / name).glob("*.safetensors") if file.is_file())


def _shards(index: Path) -> list[str]:
    """Return the names in an index of shards, or its own where it cannot be read."""
    try:
        return sorted(set(json.loads(index.read_text())["weight_map"].values()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return [index.name]


def _is_left_out(path: str, model: Model) -> bool:
    return any(fnmatch(path, pattern) for pattern in model.exclude)
