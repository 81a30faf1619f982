"""Weights of the adapters' pipelines: tiny, random, saved once a session and found by the user's settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vivid_bench import method_settings


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings nor the hub cache of whoever runs the tests."""
    monkeypatch.setenv(method_settings.VARIABLE, str(tmp_path / "methods.toml"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a tiny pipeline, once a session, and return its folder."""
    folders: dict[str, Path] = {}

    def folder(name: str, **options: Any) -> Path:
        import tiny_pipelines

        if name not in folders:
            place = tmp_path_factory.mktemp(name)
            folders[name] = tiny_pipelines.saved(getattr(tiny_pipelines, name), place, **options)
        return folders[name]

    return folder
