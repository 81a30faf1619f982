"""Folders that look like a pipeline's weights; light to import, unlike the pipelines."""

import json
from pathlib import Path

from vivid_bench.baselines.hub_weights import Model

REVISION = "8" * 40
MODEL = Model("a-method", "owner/name", "WanVACEPipeline", ("transformer", "vae"), 17, (28, 15), REVISION, ("*.ckpt",))
INDEX = {"_class_name": MODEL.pipeline}


def folder_of_weights(path: Path, content: bytes = b"weights") -> Path:
    """A folder that looks like a pipeline's, small enough for a CPU."""
    for name in MODEL.networks:
        (path / name).mkdir(parents=True)
        (path / name / "diffusion_pytorch_model.safetensors").write_bytes(content)
    (path / "model_index.json").write_text(json.dumps(INDEX))
    return path


def cached(tmp_path: Path, model: Model, revision: str) -> Path:
    """The hub cache's layout, as it is after a download."""
    place = tmp_path / "hub" / f"models--{model.repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(revision)
    return folder_of_weights(place / "snapshots" / revision)
