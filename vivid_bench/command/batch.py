"""One process for many samples, by the contract."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from vivid_bench.command.clips import Clip, Outcome, Prepare
from vivid_bench.command.contract import parse_progress
from vivid_bench.command.process import Output, Program
from vivid_bench.types import EditRequest

AHEAD = 32
"""So many samples at most wait on disk for their answers. A sample that so many later ones overtake was skipped."""

Numbered = Iterator[tuple[int, EditRequest]]

_GRACE_SECONDS = 60.0  # for a program that has nothing left to do


class Feeder:
    """Prepares samples in a thread of its own, and writes their lines into the pipe that a program reads.

    Args:
        pipe: the named pipe, made anew.
        left: clips of an earlier process, which are on disk already.
        source: numbered requests; at most `AHEAD` clips are there before `release` is called.
    """

    def __init__(self, pipe: Path, left: list[Clip], source: Numbered, prepare: Prepare) -> None:
        self.clips: list[Clip] = []
        self.error: BaseException | None = None
        self._pipe = pipe
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._changed = threading.Condition()
        self._room = AHEAD
        self._waits = self._stopped = False
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        clips = chain(left, map(prepare, source))
        self._preparing = threading.Thread(target=self._fill, args=(clips,), daemon=True)
        self._writing = threading.Thread(target=self._write, daemon=True)
        self._preparing.start()
        self._writing.start()

    @property
    def is_done(self) -> bool:
        """Whether no further clip will come."""
        return not self._preparing.is_alive()

    def release(self) -> None:
        """Make room for one more clip: one was answered."""
        with self._changed:
            self._room += 1
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all clips that there is room for are prepared, and let none follow; raises what stopped that."""
        with self._changed:
            self._changed.wait_for(lambda: self._waits)
            self._stopped = True
            self._changed.notify_all()
        self._preparing.join()
        if self.error:
            raise self.error

    def close(self) -> None:
        """Stop both threads, whatever the program does or has not done."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._preparing.join()
        # Without a reader the other thread would wait for one for ever, and with one that does not read as well.
        reader = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK)
        while self._writing.is_alive():
            with suppress(BlockingIOError):
                os.read(reader, 2**16)
            self._writing.join(0.01)
        os.close(reader)

    def _fill(self, clips: Iterator[Clip]) -> None:
        try:
            while self._takes_room() and (clip := next(clips, None)):
                clip.sent = time.perf_counter()
                self.clips.append(clip)
                if clip.outcome is None:
                    self._lines.put(clip.line.encode())
                else:
                    self.release()
        except BaseException as error:  # raised where the clips are awaited
            self.error = error
        finally:
            self._lines.put(None)
            with self._changed:
                self._waits = True
                self._changed.notify_all()

    def _takes_room(self) -> bool:
        with self._changed:
            self._waits = self._room == 0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._room > 0 or self._stopped)
            self._waits = False
            self._room -= 1
            return not self._stopped

    def _write(self) -> None:
        with suppress(BrokenPipeError), self._pipe.open("wb", buffering=0) as pipe:
            while (line := self._lines.get()) is not None:
                pipe.write(line)


class Batch:
    """A process and its samples, from its start to its end.

    Attributes:
        left: afterwards, the clips that another process has to take.
        was_fruitless: afterwards, whether it broke before it had finished any.
        problem: afterwards, how it broke.
    """

    def __init__(self, program: Program, feeder: Feeder, clip_seconds: float) -> None:
        self.left: list[Clip] = []
        self.was_fruitless = False
        self.problem = ""
        self._program, self._feeder, self._clip_seconds = program, feeder, clip_seconds
        self._since = program.started
        self._answers = 0
        self._has_ended = False
        self._position = 0  # of the first clip that was not yielded

    def answered(self) -> Iterator[Clip]:
        """Yield each clip with its outcome, in order; those that are `left` are not among them."""
        clips = self._feeder.clips
        while True:
            while self._position < len(clips) and clips[self._position].outcome:
                yield clips[self._position]
                self._position += 1
            if self.problem:
                self.left = clips[self._position :]
                return
            if self._feeder.is_done or self._has_ended:
                self._feeder.settle()
                if self._position == len(clips):
                    self._let_end()
                    return
            self._wait()

    def _wait(self) -> None:
        if self._feeder.is_done and not self._unanswered():
            return
        output = self._program.next_output(self._deadline() - time.perf_counter())
        if output is None:
            # Without a clip it was waiting for us.
            if self._unanswered() and time.perf_counter() >= self._deadline():
                minutes = f"{self._clip_seconds / 60:g} minutes"
                self._break(f"no clip finished within {minutes}, so it was stopped; {self._program.tail()}")
        elif output.line is None:
            self._ended()
        else:
            self._note(output.line, output)

    def _deadline(self) -> float:
        waiting = self._unanswered()
        since = max(self._since, waiting[0].sent) if waiting else time.perf_counter()
        return since + self._clip_seconds

    def _note(self, line: str, output: Output) -> None:
        progress = parse_progress(line)
        if progress is None:
            return
        if progress.what == "ready":
            self._since = output.at
            return
        for clip in self._unanswered():
            if clip.name == progress.name:
                problem = None
                if progress.what == "failed":
                    problem = f"the program says: {progress.reason or 'failed'}; {self._program.tail()}"
                clip.outcome = self._outcome(problem, output.at - max(self._since, clip.sent))
                self._since = output.at
                self._answers += 1
                self._feeder.release()
                self._pass_over()
                return

    def _pass_over(self) -> None:
        """Give up the first unanswered clip when too many later ones were answered: edits wait on disk behind it."""
        waiting = self._feeder.clips[self._position :]
        if waiting[0].outcome is None and sum(clip.outcome is not None for clip in waiting) >= AHEAD:
            said = f"the program said nothing of it and answered {AHEAD} later ones"
            waiting[0].outcome = self._outcome(f"skipped: {said}; {self._program.tail()}")
            self._feeder.release()

    def _ended(self) -> None:
        self._has_ended = True
        # Which clips it leaves must not depend on how many were ready.
        self._feeder.settle()
        ending = self._program.ending()
        if not self._program.succeeded():
            self._break(f"the program {ending}")
            return
        for clip in self._unanswered():
            clip.outcome = self._outcome(f"skipped: the program never said `vivid-bench: done {clip.name}`; {ending}")

    def _break(self, problem: str) -> None:
        self._has_ended = True
        self._program.kill()
        self._feeder.settle()
        under_way = self._unanswered()
        if under_way:
            self.problem, self.was_fruitless = problem, not self._answers
            under_way[0].outcome = self._outcome(problem)

    def _unanswered(self) -> list[Clip]:
        return [clip for clip in self._feeder.clips[self._position :] if clip.outcome is None]

    def _outcome(self, problem: str | None, seconds: float | None = None) -> Outcome:
        return Outcome(problem, seconds, self._program.peak_bytes, self._program.tail())

    def _let_end(self) -> None:
        deadline = time.perf_counter() + _GRACE_SECONDS
        while not self._has_ended:
            output = self._program.next_output(deadline - time.perf_counter())
            self._has_ended = output is None or output.line is None
