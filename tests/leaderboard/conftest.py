"""Small real runs, made once, and the site written from them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import DataFolder
from made_runs import read_tables
from made_site import HOSTILE_CAPTION, HOSTILE_ID, MadeSite

from vivid_bench.leaderboard.site import write_site


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> MadeSite:
    """Three mini clips edited by two baselines and the controls, and two clips of a folder with hostile names."""
    root = tmp_path_factory.mktemp("site")
    data = DataFolder(_made(root / "data"))
    data.add(HOSTILE_ID, task="delete", caption=HOSTILE_CAPTION)
    data.add("plain", task="delete", seed=1, with_reference=False, hole="visible")
    broken = root / "broken.py"
    broken.write_text(
        "class Broken:\n    tasks = ('delete',)\n\n    def __init__(self, device):\n        pass\n\n"
        "    def edit(self, request):\n        raise ValueError('</script><b>bad</b>')\n"
    )
    records = root / "runs"
    _run("--suite", "mini", "--task", "delete", "--limit", "3", "--method", "telea,navier-stokes", "--out", records)
    # A method that fails on every clip makes the command end with 1.
    _run(
        "--suite", "folder", "--data", data.path, "--task", "delete", "--method", f"telea,{broken}:Broken",
        "--out", records, expect=1,
    )  # fmt: skip
    tables = read_tables(records)
    return MadeSite(records, data.path, tables, write_site(tables, root / "out", data=data.path))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _run(*arguments: str | Path, expect: int = 0) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vivid_bench", "run", "--device", "cpu", *map(str, arguments)],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "VIVID_BENCH_CACHE": ""},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
