"""Loading a pipeline for use and saving it to be shipped, without progress bars."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
from huggingface_hub import snapshot_download
from safetensors import safe_open
from transformers.utils import logging as transformers_logging

from vivid_bench.errors import MethodError
from vivid_bench.vivid.latents import is_lossless
from vivid_bench.vivid.pipeline import VividPipeline

MODELS = ("text_encoder", "vae", "transformer")
_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def load_pipeline(checkpoint: str | Path, device: str = "cpu") -> VividPipeline:
    """Load a pipeline from a folder, or by its hub name from the local cache, to a device.

    A mini works in float32. A full-size VIVID works as it is stored, but in float32 where float16 would have to work on
    a CPU. Nothing is downloaded.

    Raises:
        MethodError: when there is no pipeline at `checkpoint`.
    """
    try:
        folder = Path(checkpoint)
        if not folder.is_dir():
            folder = Path(snapshot_download(str(checkpoint), local_files_only=True))
        dtypes = {name: stored_dtype(folder / name) for name in MODELS}
        with quiet():
            pipeline: VividPipeline = VividPipeline.from_pretrained(
                str(folder), dtype=dtypes, use_safetensors=True, local_files_only=True
            )
    except (OSError, ValueError) as error:
        raise MethodError(f"{checkpoint} holds no VIVID pipeline: {error}") from error
    for name, dtype in dtypes.items():
        model = getattr(pipeline, name)
        if is_lossless(pipeline.vae) or (dtype == torch.float16 and torch.device(device).type == "cpu"):
            model.float()
        model.to(torch.device(device))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def stored_dtype(folder: Path) -> torch.dtype:
    """Return the precision of the first weight among the safetensors files of `folder`.

    Raises:
        FileNotFoundError: when there is none.
    """
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as weights:
            for key in weights.keys():  # noqa: SIM118 - a `safe_open` cannot be iterated
                return _DTYPES[weights.get_slice(key).get_dtype()]
    raise FileNotFoundError(f"no weights in {folder}")


def save_half(pipeline: VividPipeline, folder: Path, weights: Mapping[str, torch.Tensor] | None = None) -> None:
    """Write a pipeline to `folder` in half precision, a mini in fp16 and a full-size VIVID in bf16.

    Args:
        weights: `<component>.<parameter>` -> tensor, in place of the pipeline's own, which stays as it is.
    """
    dtype = torch.float16 if is_lossless(pipeline.vae) else torch.bfloat16
    halves = {}
    for name in MODELS:
        model = getattr(pipeline, name)
        own = {k.removeprefix(f"{name}."): v for k, v in (weights or {}).items() if k.startswith(f"{name}.")}
        if own or model.dtype != dtype:
            model = _copy(model, own)
            model = model.half() if dtype == torch.float16 else model.bfloat16()
        halves[name] = model
    with quiet():
        VividPipeline(**{**pipeline.components, **halves}, **pipeline.settings).save_pretrained(folder)


def _copy(model: Any, weights: Mapping[str, torch.Tensor]) -> Any:
    """Return a copy of a model; with weights, one built anew, since the model at hand may hold a share of its own."""
    if not weights:
        return copy.deepcopy(model)
    # Diffusers' models are built from a config, transformers' are called with one.
    build = type(model).from_config if hasattr(type(model), "from_config") else type(model)
    built = build(model.config)
    built.load_state_dict({name: tensor.detach().cpu() for name, tensor in weights.items()})
    return built


@contextmanager
def quiet() -> Iterator[None]:
    """Show no progress bars of diffusers and transformers inside a `with` block."""
    libraries = (diffusers_logging, transformers_logging)
    for library in libraries:
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library in libraries:
            library.enable_progress_bar()
