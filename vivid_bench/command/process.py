"""A program in another environment: started, listened to, and ended with all that it started."""

from __future__ import annotations

import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vivid_bench.errors import MethodError

MARK = b"vivid-bench: "

_TAIL_BYTES = 2000
_TAIL_LINES = 6
_MEMORY_SECONDS = 0.05
_LINE_BYTES = 2**16  # a longer line comes in parts
_LEFT_OPEN_SECONDS = 2.0
"""So long after its end a program's standard output may bring something; a child may hold it open for ever."""


@dataclass(frozen=True)
class Output:
    """Something that a program did: a line of its standard output that holds `MARK`, or its end (`line` None).

    Attributes:
        at: when, by `time.perf_counter`.
    """

    line: str | None
    at: float


class Program:
    """A running program; leaving the `with` block ends it and everything that it started.

    Args:
        words: its command line.
        cwd: its working folder.
        log: file to which its standard output and standard error are added.
        device: `cpu` hides every GPU from it.

    Raises:
        MethodError: it cannot be started.
    """

    def __init__(self, words: Sequence[str], cwd: Path, log: Path, device: str) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._file: BinaryIO = log.open("ab", buffering=0)
        self._file.write(f"$ {shlex.join(words)}\n".encode("utf-8", "backslashreplace"))
        self._log_start = self._file.tell()
        self.started = time.perf_counter()
        self.peak_bytes: int | None = None
        try:
            # A session of its own, so that all that it starts can be ended with it.
            self._process = subprocess.Popen(
                words, cwd=cwd, env=_environment(words[0], device), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=self._file, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._file.close()
            raise MethodError(f"cannot start {words[0]}: {error}") from error
        self._outputs: queue.Queue[Output] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watches = device == "cpu" and sys.platform == "linux"

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def next_output(self, seconds: float) -> Output | None:
        """Return the next thing that it does, or None when it does nothing for so long."""
        deadline = time.monotonic() + seconds
        ended: float | None = None
        while True:
            self._watch_memory()
            left = deadline - time.monotonic()
            try:
                # What has come already counts, however late it is asked for.
                output = self._outputs.get(timeout=max(0, min(left, _MEMORY_SECONDS)))
                self._watch_memory()
                return output
            except queue.Empty:
                if left <= 0:
                    return None
                if ended is None and self._process.poll() is not None:
                    ended = time.perf_counter()
                if ended is not None and time.perf_counter() > ended + _LEFT_OPEN_SECONDS:
                    return Output(None, ended)

    def kill(self) -> None:
        """End it and its children at once; nothing happens when it has ended, but for what it left running."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=5)
        assert self._process.stdout is not None
        if not self._reader.is_alive():  # else a child that left the session holds the other end
            self._process.stdout.close()
        self._file.close()

    def ending(self) -> str:
        """Say in words how a program that closed its standard output ended, with the last lines of its log."""
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return f"closed its standard output and went on; {self.tail()}"
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        return f"ended with {how}; {self.tail()}"

    def succeeded(self) -> bool:
        """Whether it has ended, and with exit code 0."""
        return self._process.poll() == 0

    def tail(self) -> str:
        """Return the last lines of its log, in a sentence."""
        size = self._log.stat().st_size
        with self._log.open("rb") as file:
            file.seek(max(self._log_start, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace").replace("\r", "\n")
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        return f"its log ends: {' | '.join(lines[-_TAIL_LINES:])}" if lines else "it printed nothing"

    def _read(self) -> None:
        assert self._process.stdout is not None
        while raw := self._process.stdout.readline(_LINE_BYTES):
            with suppress(OSError, ValueError):  # neither a full disk nor a closed log stops the listening
                self._file.write(raw)
            # Not the rest of the log: however much there is, it takes neither memory nor the time of whoever listens.
            if MARK in raw:
                self._outputs.put(Output(raw.decode("utf-8", "replace"), time.perf_counter()))
        self._outputs.put(Output(None, time.perf_counter()))

    def _watch_memory(self) -> None:
        if self._watches and (resident := _resident_peak(self._process.pid)):
            self.peak_bytes = max(self.peak_bytes or 0, resident)


def _environment(program: str, device: str) -> Mapping[str, str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    if os.path.isabs(program):  # noqa: PTH117 - what else lies in the program's environment, such as its ffmpeg
        environment["PATH"] = f"{Path(program).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return environment


def _resident_peak(pid: int) -> int:
    """Sum the largest resident sizes of a process and its descendants, bytes; 0 when it has ended."""
    process = Path(f"/proc/{pid}")
    total = 0
    with suppress(OSError, ValueError):
        for line in (process / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total = int(line.split()[1]) * 1024
        for task in (process / "task").iterdir():
            total += sum(_resident_peak(int(child)) for child in (task / "children").read_text().split())
    return total
