"""Fixtures that several test files share: small clips on disk, methods that misbehave, the installed command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clips import Command, DataFolder

REAL_CLIPS = Path(os.environ.get("VIVID_BENCH_REAL_CLIPS", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session", autouse=True)
def no_score_cache() -> Iterator[None]:
    """Scores are computed, never remembered; a test of the cache names a folder."""
    before = os.environ.get("VIVID_BENCH_CACHE")
    os.environ["VIVID_BENCH_CACHE"] = ""
    yield
    if before is None:
        del os.environ["VIVID_BENCH_CACHE"]
    else:
        os.environ["VIVID_BENCH_CACHE"] = before


@pytest.fixture
def data_folder(tmp_path: Path) -> DataFolder:
    path = tmp_path / "data"
    path.mkdir()
    return DataFolder(path)


@pytest.fixture
def adapter(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a one-class adapter whose `edit` has the given body; returns `path:Class`."""

    def write(class_name: str, body: str) -> str:
        path = tmp_path / f"{class_name.lower()}.py"
        path.write_text(
            f"import numpy as np\n\n\nclass {class_name}:\n    tasks = ('delete',)\n\n"
            "    def __init__(self, device):\n        pass\n\n"
            f"    def edit(self, request):\n        {body}\n"
        )
        return f"{path}:{class_name}"

    return write


@pytest.fixture
def vivid_bench(tmp_path: Path) -> Command:
    """Run the command as a user types it, in an empty folder, with no network to find."""
    work = tmp_path / "work"
    work.mkdir()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}

    def run(*arguments: str | Path, expect: int = 0, columns: str = "250") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "vivid_bench", *map(str, arguments)],
            cwd=work, env={**environment, "COLUMNS": columns}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def real_clips() -> Path:
    """The folder of real clips; the test is skipped where they are absent."""
    if not REAL_CLIPS.is_dir():
        pytest.skip(f"no real clips at {REAL_CLIPS}; set VIVID_BENCH_REAL_CLIPS")
    return REAL_CLIPS
