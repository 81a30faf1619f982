from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from clips import Command, DataFolder

ROOT = Path(__file__).parents[2]

CARD = """
name = "outside"
version = "1"
kind = "method"
tasks = ["delete"]

[command]
run = ["{python}", "{repo}/go.py", "{requests}", "{edits}"]
per = "batch"

[checkout]
revision = "0000000000000000000000000000000000000000"
files = ["go.py"]
weights = ["net.pth"]
modules = ["cv2"]
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "methods.toml"
    monkeypatch.setenv("VIVID_BENCH_CONFIG", str(path))
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "method.toml").write_text(CARD)
    return tmp_path / "method.toml"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = tmp_path / "repo"
    path.mkdir()
    (path / "go.py").write_text((ROOT / "docs" / "methods" / "example.py").read_text())
    (path / "net.pth").write_text("")
    return path


def run_on(data: DataFolder, method: str | Path) -> tuple[str | Path, ...]:
    return ("run", "--method", method, "--task", "delete", "--suite", "folder", "--data", data.path, "--device", "cpu")


def test_from_a_checkout_to_a_scored_row(
    vivid_bench: Command, data_folder: DataFolder, outside: Path, repo: Path, config: Path
) -> None:
    data_folder.add("a")
    refused = vivid_bench(*run_on(data_folder, outside), expect=2)
    assert "method outside cannot run here: it is not set up" in refused.stderr
    done = vivid_bench("methods", "setup", outside, "--repo", repo, "--python", sys.executable)
    assert "warning" in done.stdout  # no git checkout
    assert tomllib.loads(config.read_text()) == {"outside": {"repo": str(repo), "python": sys.executable}}
    assert "can run here" in vivid_bench("methods", "check", outside, "--device", "cpu").stdout
    done = vivid_bench(*run_on(data_folder, outside), "--composite", "hard")
    assert "outside" in done.stdout
    assert "1/1" in done.stdout


def test_nothing_is_kept_of_what_is_not_there(vivid_bench: Command, outside: Path, repo: Path, config: Path) -> None:
    done = vivid_bench("methods", "setup", outside, "--repo", repo.parent / "elsewhere", expect=1)
    assert "missing" in done.stdout
    assert "nothing was kept" in done.stdout
    assert not config.exists()
    (repo / "net.pth").unlink()
    done = vivid_bench("methods", "setup", outside, "--repo", repo, expect=1)
    assert f"missing  weights   {repo / 'net.pth'}" in done.stdout
    assert config.exists()
    done = vivid_bench("methods", "check", outside, "--device", "cpu", expect=1)
    assert f"cannot run here: {repo / 'net.pth'} is not there" in done.stdout


def test_what_cannot_be_set_up(vivid_bench: Command, outside: Path) -> None:
    assert "needs no setting up" in vivid_bench("methods", "setup", "telea", expect=2).stderr
    useless = vivid_bench("methods", "setup", outside, "--weights", outside.parent, expect=2).stderr
    assert "no use for --weights: it can be given --repo, --python" in useless
    useless = vivid_bench("methods", "setup", "vace-1.3b", "--repo", outside.parent, expect=2).stderr
    assert "no use for --repo: it can be given --weights" in useless
    assert "name its repo with --repo" in vivid_bench("methods", "setup", outside, expect=2).stderr


def test_setting_up_says_whether_it_can_run(vivid_bench: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = vivid_bench("methods", "setup", "vace-1.3b", "--weights", tmp_path / "empty")
    assert "cannot run here" in done.stdout
    assert "found no model_index.json in it" in done.stdout


def test_the_list_says_what_runs_here(vivid_bench: Command) -> None:
    rows = {row["name"]: row for row in json.loads(vivid_bench("list", "methods", "--json").stdout)}
    assert rows["telea"]["runs here"] == "yes"
    assert {"state", "licence", "tasks"} <= rows["telea"].keys()
    assert rows["propainter"]["runs here"].startswith("no: it is not set up")


def test_all_leaves_out_what_cannot_run_and_names_it(vivid_bench: Command, data_folder: DataFolder) -> None:
    data_folder.add("a")
    done = vivid_bench("generate", *run_on(data_folder, "all")[1:])
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("left out"))
    assert {"propainter", "vace-14b", "sttn"} <= set(line.partition("): ")[2].split(", "))
    assert "telea" in done.stdout
    assert "propainter" not in done.stdout


@pytest.mark.parametrize("name", ["example-python", "example-shell"])
def test_the_examples_run_as_documented(vivid_bench: Command, data_folder: DataFolder, name: str) -> None:
    for index, sample in enumerate(("a swan", 'it\'s "b"')):
        data_folder.add(sample, seed=index)
    done = vivid_bench(*run_on(data_folder, ROOT / "docs" / "methods" / f"{name}.toml"))
    assert name in done.stdout
    assert "2/2" in done.stdout
    (log,) = data_folder.path.parent.glob("work/runs/folder/delete/example-*/*/method.log")
    assert "vivid-bench: done 00001-it_s_b_" in log.read_text()


def test_only_missing_samples_are_asked_for(vivid_bench: Command, data_folder: DataFolder, tmp_path: Path) -> None:
    for index, sample in enumerate("abc"):
        data_folder.add(sample, seed=index)
    folder = tmp_path / "own"
    folder.mkdir()
    program = (ROOT / "docs" / "methods" / "example.py").read_text()
    (folder / "example.py").write_text(program)
    (folder / "method.toml").write_text((ROOT / "docs" / "methods" / "example-python.toml").read_text())
    command = ("generate", *run_on(data_folder, folder / "method.toml")[1:])
    vivid_bench(*command)
    (run,) = tmp_path.glob("work/runs/folder/delete/example-python/*")
    (run / "edits" / "b.mkv").unlink()
    vivid_bench(*command)
    lines = (run / "method.log").read_text().splitlines()
    said = [line.rpartition("-")[2] for line in lines if line.startswith("vivid-bench: done")]
    assert said == ["a", "b", "c", "b"]


def test_a_terminated_run_takes_its_program_along_and_leaves_nothing_behind(
    data_folder: DataFolder, tmp_path: Path
) -> None:
    data_folder.add("a")
    folder, pid = tmp_path / "own", tmp_path / "pid"
    folder.mkdir()
    (folder / "go.py").write_text(
        f"import os, time\nopen({str(pid)!r}, 'w').write(f'{{os.getpid()}}.')\ntime.sleep(600)\n"
    )
    (folder / "method.toml").write_text(CARD.partition("[checkout]")[0].replace("{repo}", "{here}"))
    words = map(str, ("generate", *run_on(data_folder, folder / "method.toml")[1:], "--out", tmp_path / "runs"))
    process = subprocess.Popen([sys.executable, "-m", "vivid_bench", *words], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text().endswith(".")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.terminate()
    assert process.wait(60) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text().rstrip(".")), 0)
    assert not list(tmp_path.glob("runs/**/work-*"))
