"""The tiny models, saved once for all files of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models: grounding-dino, sam, sam2 (which sees its objects), llava and qwen2-vl."""
    import tiny_build_models as tiny

    folder = tmp_path_factory.mktemp("models")
    tiny.grounding_dino(folder / "grounding-dino")
    tiny.sam(folder / "sam", seed=1)
    tiny.sam2_video(folder / "sam2", seed=1)
    tiny.llava(folder / "llava")
    tiny.qwen2_vl(folder / "qwen2-vl")
    return folder
