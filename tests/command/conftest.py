"""Settings of the tests' own, and a checkout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import write_card


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setenv("VIVID_BENCH_CONFIG", str(path))
    return path


def git(repo: Path, *arguments: str) -> str:
    """Run git in a repository."""
    me = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    return subprocess.run(["git", "-C", repo, *me, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A method's repository at one commit, its weights not in it."""
    path = tmp_path / "repo"
    (path / "weights").mkdir(parents=True)
    (path / "go.py").write_text("")
    git(path, "init", "-q")
    git(path, "add", "go.py")
    git(path, "commit", "-qm", "x")
    (path / "weights" / "net.pth").write_bytes(b"weights")
    return path


@pytest.fixture
def outside(tmp_path: Path, repo: Path) -> Callable[..., Path]:
    """Write the card of a method with that repository."""

    def write(revision: str = "", modules: str = '["json"]', **facts: object) -> Path:
        revision = revision or git(repo, "rev-parse", "HEAD").strip()
        path = write_card(tmp_path, {"run": [sys.executable, "go.py", "{requests}{edits}"], "per": "batch", **facts})
        table = f'revision = "{revision}"\nfiles = ["go.py"]\nweights = ["weights/net.pth"]\nmodules = {modules}\n'
        path.write_text(f"{path.read_text()}\n[checkout]\n{table}")
        return path

    return write
