"""Loading a pipeline for use and saving it to be shipped, without progress bars."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from vivid_bench.errors import MethodError
from vivid_bench.vivid.pipeline import VividPipeline


def load_pipeline(checkpoint: str | Path, device: str = "cpu") -> VividPipeline:
    """Load a pipeline from a folder, or by its hub name from the local cache, in float32, to a device.

    Nothing is downloaded.

    Raises:
        MethodError: when there is no pipeline at `checkpoint`.
    """
    try:
        with _quiet():
            pipeline: VividPipeline = VividPipeline.from_pretrained(str(checkpoint), local_files_only=True)
    except (OSError, ValueError) as error:
        raise MethodError(f"{checkpoint} holds no VIVID pipeline: {error}") from error
    for name in ("text_encoder", "vae", "transformer"):
        getattr(pipeline, name).float().to(torch.device(device))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save_half(pipeline: VividPipeline, folder: Path) -> None:
    """Write a pipeline to `folder` with fp16 weights; the pipeline itself keeps its precision."""
    halves = {name: copy.deepcopy(getattr(pipeline, name)).half() for name in ("text_encoder", "vae", "transformer")}
    with _quiet():
        VividPipeline(**{**pipeline.components, **halves}).save_pretrained(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    libraries = (diffusers_logging, transformers_logging)
    for library in libraries:
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library in libraries:
            library.enable_progress_bar()
