"""`vivid-bench study serve` as a user starts, crashes and restarts it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clips import Command
from served_study import Browser, answer, made_folder, made_key, mode
from typer.testing import CliRunner

from vivid_bench.cli.study import study as study_commands

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "study_server.py"
KEY = made_key(deadline=None)


@contextmanager
def serving(study: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command on a free port; give the process and what it printed until it listened."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vivid_bench", "study", "serve", str(study), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "/admin/" in line:
            break
    try:
        yield process, printed
    finally:
        process.kill()
        process.communicate()


def port_of(printed: str) -> int:
    found = re.search(r"http://127\.0\.0\.1:(\d+)/admin/", printed)
    assert found
    return int(found[1])


def test_a_crash_loses_nothing_and_the_links_stay(tmp_path: Path) -> None:
    study = made_folder(tmp_path / "study", KEY)
    with serving(study) as (process, printed):
        path = re.search(r"r001 +http://127\.0\.0\.1:\d+(/r/\S+/)\n", printed)
        assert path
        body = answer("i002").model_dump_json()
        status, kept = Browser(port_of(printed)).json("POST", path[1] + "answers", body)
        assert status == 200
        process.kill()
        process.wait()
    with serving(study) as (process, printed):
        assert path[1] in printed
        _, state = Browser(port_of(printed)).json("GET", path[1] + "state")
        assert state["answers"] == [kept["answer"]]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "stopped; the answers are in" in said
        # Neither stream holds a request's address, which would be a token.
        assert "state" not in said
    assert path[1] in (study / "served" / "links.csv").read_text()
    assert mode(study / "served") == 0o700


def test_a_port_in_use_is_one_sentence(vivid_bench: Command, tmp_path: Path) -> None:
    study = made_folder(tmp_path / "study", KEY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = vivid_bench("study", "serve", study, "--port", str(port), expect=2)
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert "choose another --host or --port" in done.stderr


def test_a_folder_without_a_study_is_one_sentence(vivid_bench: Command, tmp_path: Path) -> None:
    done = vivid_bench("study", "serve", tmp_path, expect=2)
    assert "key.json" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize(
    ("host", "deadline", "said"),
    [
        ("127.0.0.1", None, ""),
        ("127.0.0.1", "2020-01-31", "this study ended on 2020-01-31: new answers are refused\n"),
        ("0.0.0.0", None, "other machines can reach this: plain HTTP; put a proxy with TLS before it\n"),
    ],
)
def test_what_needs_care_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, deadline: str | None, said: str
) -> None:
    monkeypatch.setattr("vivid_bench.study.serve.run_app", lambda app, listening: listening.close())
    study = made_folder(tmp_path, made_key(deadline=deadline))
    done = CliRunner().invoke(study_commands, ["serve", str(study), "--host", host, "--port", "0"])
    assert done.exit_code == 0
    assert done.stderr.startswith(f"{said}stopped; the answers are in")
    shown = "127.0.0.1" if host == "127.0.0.1" else socket.gethostname()
    assert f"http://{shown}:" in (study / "served" / "links.csv").read_text()


def test_without_the_extra_the_fix_is_said(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.modules['uvicorn'] = None;"
        f"sys.argv = ['vivid-bench', 'study', 'serve', {str(made_folder(tmp_path, KEY))!r}];"
        "from vivid_bench.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().endswith('study serve needs fastapi and uvicorn: pip install "vivid-bench[study]"')


@pytest.mark.parametrize(("raters", "answers", "kills"), [(8, 10, 1)])
def test_a_crowd_loses_and_doubles_nothing(raters: int, answers: int, kills: int) -> None:
    arguments = [f"--raters={raters}", f"--answers={answers}", f"--kills={kills}"]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("0 lost, 0 doubled, 8 raters finished") == 2
