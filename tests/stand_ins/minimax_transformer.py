"""Stands in for transformer_minimax_remover.py of zibojia/MiniMax-Remover
at 28e12b450d8a72a7547b86940a4985e6ad90d75b."""

from types import SimpleNamespace
from typing import Any


class Transformer3DModel:
    @classmethod
    def from_pretrained(cls, path: Any, torch_dtype: Any) -> Any:
        assert path.is_dir()
        return SimpleNamespace(dtype=torch_dtype)
