"""What the adapters of diffusers pipelines share: finding weights, refusing, loading, pixels in and out.

Nothing here downloads. A model of more than `SMALL_BYTES` asks for a GPU; smaller ones run anywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from vivid_bench import method_settings
from vivid_bench.errors import InputError, MethodError
from vivid_bench.types import Frames

if TYPE_CHECKING:
    import torch

GIGABYTE = 10**9
SMALL_BYTES = GIGABYTE
_MIB = 2**20
Placement = Literal["whole", "by model", "by layer"]


@dataclass(frozen=True)
class Model:
    """A pipeline's weights, and what they need.

    Attributes:
        method: whose settings may name a folder of the user's own.
        repository: on the hub, `owner/name`.
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
    def note(self) -> str:
        """Which weights are in use, in words."""
        assert self.folder is not None
        if self.folder.parent.name == "snapshots":
            return f"weights: {self.repository} at {self.folder.name}"
        return f"weights: a folder of one's own, taken for {self.repository}"


def why_not_here(model: Model, device: str) -> str | None:
    """Say in one sentence why a model cannot run here, and what to do; None where it can. Loads nothing."""
    try:
        folder = model.folder
    except InputError as error:
        return str(error)
    size = weights_bytes(folder, model.networks) if folder else model.gigabytes * GIGABYTE
    if device == "cpu" and size > SMALL_BYTES:
        return f"it needs a GPU for its weights of {size / GIGABYTE:.1f} GB: pass --device cuda on a machine with one"
    if folder is None:
        licence = f"accept its licence at https://huggingface.co/{model.repository}, then " if model.gated else ""
        return (
            f"its weights are not on this machine: {licence}run `{model.download}`, or name a folder that holds them "
            f"by `vivid-bench methods setup {model.method} --weights DIR`"
        )
    if missing := missing_files(folder, model.networks):
        return f"its weights in {folder} lack {', '.join(missing)}: run `{model.download}` again"
    return None


def identity(model: Model) -> dict[str, str]:
    """Return a fingerprint of the weights that would be used: sha256 over their settings and, to be quick, each file's
    size and its first and last MiB. Empty where there are none.
    """
    try:
        folder = model.folder
    except InputError:
        return {}
    if folder is None:
        return {}
    digest = sha256()
    files = {file for name in model.networks for file in (folder / name).glob("*.safetensors")}
    for file in sorted(files | set(folder.rglob("*.json"))):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()}\n{size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_MIB))
            stream.seek(max(size - _MIB, 0))
            digest.update(stream.read(_MIB))
    return {"weights_fingerprint": digest.hexdigest()[:16]}


def weights_bytes(folder: Path, networks: tuple[str, ...]) -> int:
    """Return the size of the safetensors of a pipeline's networks."""
    return sum(file.stat().st_size for name in networks for file in (folder / name).glob("*.safetensors"))


def missing_files(folder: Path, networks: tuple[str, ...]) -> list[str]:
    """Return what a pipeline's folder lacks: networks without safetensors, and shards that an index names."""
    missing = []
    for name in networks:
        if not any((folder / name).glob("*.safetensors")):
            missing.append(f"{name}/*.safetensors")
        for index in sorted((folder / name).glob("*.safetensors.index*.json")):
            shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            missing += [f"{name}/{shard}" for shard in shards if not (folder / name / shard).is_file()]
    return missing


def load(model: Model, pipeline: Any, device: str, dtype: dict[str, str], **options: Any) -> tuple[Any, list[str]]:
    """Load a pipeline and put it on a device, as whole as its memory lets it.

    Args:
        model: which weights.
        pipeline: the diffusers class.
        device: `cpu`, `cuda`, …
        dtype: network -> name of its precision; `default` for the others.
        options: further arguments of `from_pretrained`.

    Returns:
        The pipeline, and what a record should say of it.

    Raises:
        MethodError: when it cannot run here, or its files are unusable.
    """
    if reason := why_not_here(model, device):
        raise MethodError(reason)
    assert model.folder is not None
    _check_is(model.folder, pipeline.__name__)
    import torch

    from vivid_bench.vivid.loading import quiet

    precision = {name: getattr(torch, value) for name, value in dtype.items()}
    try:
        with quiet():
            loaded = pipeline.from_pretrained(
                str(model.folder), dtype=precision, use_safetensors=True, local_files_only=True, **options
            )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise MethodError(f"{model.folder} holds no usable {pipeline.__name__}: {error}") from error
    loaded.set_progress_bar_config(disable=True)
    where: Placement = "whole"
    if device != "cpu":
        where = placement(torch.cuda.get_device_properties(device).total_memory, model)
    return loaded, [model.note, *place(loaded, device, where)]


def _check_is(folder: Path, pipeline: str) -> None:
    """Raise `MethodError` for another pipeline's folder, and for one with code, which diffusers would run."""
    try:
        name = json.loads((folder / "model_index.json").read_text())["_class_name"]
    except (ValueError, TypeError, KeyError) as error:
        raise MethodError(f"{folder}: model_index.json names no pipeline: {error}") from error
    if name != pipeline:
        raise MethodError(f"{folder} holds a {name}, expected a {pipeline}; name another folder")
    if code := sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py")):
        raise MethodError(f"{folder} holds code, which is not run: {', '.join(code)}; remove it")


def placement(gpu_bytes: int, model: Model) -> Placement:
    """Choose how a model is placed on a GPU of so much memory."""
    whole, by_model = model.gpu_gigabytes
    if gpu_bytes >= whole * GIGABYTE:
        return "whole"
    return "by model" if gpu_bytes >= by_model * GIGABYTE else "by layer"


def place(pipeline: Any, device: str, where: Placement) -> list[str]:
    """Put a pipeline on a device; return notes where that can change its pixels."""
    if where == "whole":
        pipeline.to(device)
        return []
    if where == "by model":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.enable_sequential_cpu_offload(device=device)
    pipeline.vae.enable_tiling()
    return [f"GPU memory short: weights moved in {where}, VAE in tiles"]


def generator(seed: int, device: str = "cpu") -> torch.Generator:
    """Return a source of noise; on the CPU its noise is the same for every device."""
    import torch

    return torch.Generator(device).manual_seed(seed)


def to_uint8(values: NDArray[np.floating[Any]]) -> Frames:
    """Turn a pipeline's output in 0 to 1 into 8 bits; raises `MethodError` for values that are no numbers."""
    if not np.isfinite(values).all():
        raise MethodError("the pipeline gave values that are no numbers; another dtype may help")
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)
