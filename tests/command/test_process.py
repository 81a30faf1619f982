from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vivid_bench.command.process import Program
from vivid_bench.errors import MethodError


def start(tmp_path: Path, code: str, device: str = "cuda") -> Program:
    return Program([sys.executable, "-c", code], tmp_path, tmp_path / "run" / "log", device)


def lines(program: Program) -> list[str]:
    found = []
    while (output := program.next_output(60)) and output.line is not None:
        found.append(output.line.rstrip("\n").removeprefix("vivid-bench: "))
    return found


def test_lines_come_and_all_is_logged(tmp_path: Path) -> None:
    with start(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); print('vivid-bench: b')") as program:
        assert lines(program) == ["b"]
        assert program.succeeded() or "exit code 0" in program.ending()
    log = (tmp_path / "run" / "log").read_text().splitlines()
    assert log[0].startswith(f"$ {sys.executable} -c ")
    assert sorted(log[1:]) == ["err", "out", "vivid-bench: b"]


def test_the_log_is_added_to_and_its_tail_is_this_programs(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with start(tmp_path, f"print('{word}'); raise SystemExit(2)") as program:
            lines(program)
            assert program.ending() == f"ended with exit code 2; its log ends: {word}"
    assert (tmp_path / "run" / "log").read_text().count("$ ") == 2


def test_what_came_already_counts_however_late_it_is_asked_for(tmp_path: Path) -> None:
    with start(tmp_path, "print('vivid-bench: a')") as program:
        assert program.ending() == "ended with exit code 0; its log ends: vivid-bench: a"
        output = program.next_output(-1)
        assert output is not None
        assert output.line == "vivid-bench: a\n"


def test_it_works_in_its_folder_with_nothing_to_read_and_its_own_path(tmp_path: Path) -> None:
    told = "os.getcwd(), repr(sys.stdin.read()), os.environ['PATH']"
    code = f"import os, sys\nfor word in {told}: print('vivid-bench:', word)"
    with start(tmp_path, code) as program:
        cwd, read, path = lines(program)
    assert (Path(cwd), read) == (tmp_path, "''")
    assert path.split(os.pathsep)[0] == str(Path(sys.executable).parent)


@pytest.mark.parametrize(("device", "seen"), [("cpu", "''"), ("cuda", "'3'")])
def test_on_a_cpu_it_sees_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, seen: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with start(
        tmp_path, "import os; print('vivid-bench:', repr(os.environ['CUDA_VISIBLE_DEVICES']))", device
    ) as program:
        assert lines(program) == [seen]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_the_program_and_its_children(tmp_path: Path) -> None:
    child = "import time; x = bytes(10**6) * 200; print('vivid-bench: ', flush=True); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with start(tmp_path, code, "cpu") as program:
        program.next_output(60)
        program.next_output(0)
        assert program.peak_bytes is not None
        assert 2e8 < program.peak_bytes < 4e8


def test_a_gpus_memory_is_not_made_up(tmp_path: Path) -> None:
    with start(tmp_path, "print(1)", "cuda") as program:
        lines(program)
        assert program.peak_bytes is None


def test_an_endless_log_neither_hides_a_time_out_nor_fills_the_memory(tmp_path: Path) -> None:
    with start(tmp_path, "while True: print('x' * 10**6, end='')") as program:
        assert program.next_output(0.5) is None
        assert program.next_output(-1) is None


def test_a_child_that_keeps_its_output_open_does_not_keep_it_alive(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '60']); print('vivid-bench: a')"
    with start(tmp_path, code) as program:
        assert lines(program) == ["a"]
        assert program.succeeded()


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="cannot start /no/such"):
        Program(["/no/such"], tmp_path, tmp_path / "log", "cpu")
