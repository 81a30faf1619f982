"""What the adapters of diffusers pipelines share: loading, placing, pixels in and out. Nothing here downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import MethodError
from vivid_bench.types import Frames

from .hub_weights import GIGABYTE, Model, variant, why_not_here

if TYPE_CHECKING:
    import torch

Placement = Literal["whole", "by model", "by layer"]


def load(model: Model, device: str, dtype: dict[str, str], **options: Any) -> tuple[Any, list[str]]:
    """Load a pipeline and put it on a device, as whole as its memory lets it.

    Args:
        model: which weights.
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
    import diffusers
    import torch

    from vivid_bench.vivid.loading import quiet

    precision = {name: getattr(torch, value) for name, value in dtype.items()}
    try:
        with quiet():
            loaded = getattr(diffusers, model.pipeline).from_pretrained(
                str(model.folder), dtype=precision, variant=variant(model), use_safetensors=True,
                local_files_only=True, **options,
            )  # fmt: skip
    except Exception as error:
        # Among them the safetensors library's own, for a file that was cut off.
        raise MethodError(f"{model.folder} holds no usable {model.pipeline}: {error}") from error
    loaded.set_progress_bar_config(disable=True)
    where: Placement = "whole"
    if device != "cpu":
        where = placement(torch.cuda.get_device_properties(device).total_memory, model)
    return loaded, [model.note, *place(loaded, device, where)]


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


def caption_notes(tokenizer: Any, caption: str, most: int) -> tuple[str, ...]:
    """Say that a caption has more tokens than the text encoder is given, if so; the pipelines cut it."""
    count = len(tokenizer(caption).input_ids)
    return (f"caption cut from {count} to {most} tokens",) if count > most else ()


def generator(seed: int, device: str = "cpu") -> torch.Generator:
    """Return a source of noise; on the CPU its noise is the same for every device."""
    import torch

    return torch.Generator(device).manual_seed(seed)


def to_uint8(values: NDArray[np.floating[Any]]) -> Frames:
    """Turn a pipeline's output in 0 to 1 into 8 bits; raises `MethodError` for values that are no numbers."""
    if not np.isfinite(values).all():
        raise MethodError("the pipeline gave values that are no numbers; another dtype may help")
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)
