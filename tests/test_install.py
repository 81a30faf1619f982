"""The wheel: everything that the package needs is in it, and it works from any directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel unpacked by pip, built from a copy so that the checkout stays clean."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    left_out = shutil.ignore_patterns(".*", "runs", "training", "results", "tests", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, source, ignore=left_out)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *offline, "--wheel-dir", str(folder), str(source)], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", *offline, "--target", str(target), str(wheel)], check=True, timeout=300)
    return target


def run(site: Path, cwd: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=True, timeout=300
    ).stdout


def test_the_wheel_is_what_runs(site: Path, tmp_path: Path) -> None:
    code = (
        "import vivid_bench, vivid_bench.baselines, vivid_bench.tasks as t; print(vivid_bench.__file__, t.__path__[0])"
    )
    for path in run(site, tmp_path, "-c", code).split():
        assert Path(path).is_relative_to(site)


def test_the_wheel_has_every_data_file(site: Path) -> None:
    for top, pattern in (
        ("baselines", "*/method.toml"),
        ("tasks", "mini/clips/*/*.mkv"),
        ("tasks", "mini-long/clips/*/*.mkv"),
        ("vivid_bench", "**/*.toml"),
        ("vivid_bench", "**/*.safetensors"),
    ):
        folder = ROOT / top
        wanted = {p.relative_to(folder) for p in folder.glob(pattern)}
        installed = site / "vivid_bench" / ("" if top == "vivid_bench" else top)
        assert wanted, pattern
        assert not [p for p in wanted if not (installed / p).is_file()]


def test_the_command_runs_from_any_directory(site: Path, tmp_path: Path) -> None:
    arguments = ("--method", "telea", "--task", "delete", "--limit", "1", "--device", "cpu", "--json")
    (table,) = json.loads(run(site, tmp_path, "-m", "vivid_bench", "run", *arguments))
    assert table["rows"][0]["method"] == "telea"
    (record,) = (tmp_path / "runs" / "mini" / "delete" / "telea").glob("*/run.json")
    assert json.loads(record.read_text())["code_commit"] is None
