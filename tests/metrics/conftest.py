from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from clip_weights import TinyClip, write_open_clip, write_transformers_clip

from vivid_bench.weights import VARIABLE


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyClip]:
    root = tmp_path_factory.mktemp("weights")
    model = write_transformers_clip(root / "transformers-clip")
    write_open_clip(root / "tiny-clip", model)
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(root)
    yield TinyClip("tiny-clip", model, root / "transformers-clip")
    if before is None:
        del os.environ[VARIABLE]
    else:
        os.environ[VARIABLE] = before
