"""The adapter of every method that runs as a program of its own."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path

from vivid_bench import method_settings
from vivid_bench.command.batch import Batch, Feeder, Numbered
from vivid_bench.command.checkout import is_set_up, missing_files, packages, revision, usable_settings, weights_paths
from vivid_bench.command.clips import Clip, Outcome, collect, preparer
from vivid_bench.command.contract import (
    REQUESTS,
    edit_of_batch,
    edit_of_sample,
    request_text,
    write_inputs,
    write_request,
)
from vivid_bench.command.process import Program
from vivid_bench.errors import MethodError
from vivid_bench.files import fingerprint
from vivid_bench.method_card import CommandFacts, MethodCard
from vivid_bench.records import LOG_NAME
from vivid_bench.types import Edited, EditRequest, Frames
from vivid_bench.video import one_ahead

_WORK = "work-"

_FRUITLESS = 2
"""So many processes in a row may break before they finish a clip; then the rest is given up."""


def why_not_here(card: MethodCard, here: Path, device: str) -> str | None:
    """Return why a program cannot be started on this machine, in one sentence that names the fix; None when it can."""
    if card.is_card_only or card.command is None:
        code = f"; its own code is at {card.card.code}" if card.card and card.card.code else ""
        return f"it is a card only, nothing here runs it{code}"
    if card.command.needs_gpu and device == "cpu":
        return "it needs a GPU: run it where there is one, with --device cuda"
    if card.checkout is None:
        return None
    settings = method_settings.load(card.name)
    options = " ".join(f"--{key} PATH" for key in usable_settings(card) if key != "python")
    setup = f"`vivid-bench methods setup {card.name} {options}`"
    if not is_set_up(card, settings):
        return f"it is not set up: get its repository and weights as its README says, then {setup}"
    if missing := missing_files(card, settings):
        return f"{missing[0]} is not there: put it there or give another place by {setup}"
    if "python" in settings and not Path(settings["python"]).is_file():
        return f"its Python {settings['python']} is not there: give another one by {setup} --python PATH"
    return None


def identity(card: MethodCard) -> dict[str, str]:
    """Return what decides a program's figures beside its card: the state of its checkout and of its weights here."""
    settings = method_settings.load(card.name)
    found: dict[str, str] = {}
    if card.checkout is None or not is_set_up(card, settings):
        return found
    repo = Path(settings["repo"])
    files = (repo / name for name in card.checkout.files)
    found["checkout_revision"] = revision(repo) or f"no git checkout, {fingerprint(filter(Path.exists, files))[:12]}"
    if roots := [path for path in weights_paths(card, settings) if path.exists()]:
        found["weights_fingerprint"] = fingerprint(roots)
    if "python" in settings and (installed := packages(Path(settings["python"]))):
        found["packages"] = installed
    return found


class CommandMethod:
    """A method whose card has a `[command]`.

    Args:
        card: of the method.
        here: the card's folder.
        device: `cpu` or `cuda`.
        run_folder: gets the program's log, and its temporary files while it works; None: a temporary folder gets both.
    """

    def __init__(self, card: MethodCard, here: Path, device: str, run_folder: Path | None = None) -> None:
        assert card.command is not None
        self._facts: CommandFacts = card.command
        self._device, self._run_folder = device, run_folder
        settings = method_settings.load(card.name)
        self._values = {"python": sys.executable, "here": str(here), "device": device, **settings}
        self._cwd = Path(self._values.get("repo", here))

    def edit(self, request: EditRequest) -> Edited:
        """Return one edit; raises `MethodError`. The program is started for it alone."""
        (edited,) = self.edit_many([request])
        if isinstance(edited, MethodError):
            raise edited
        assert isinstance(edited, Edited)
        return edited

    def edit_many(self, requests: Iterable[EditRequest]) -> Iterator[Frames | Edited | MethodError]:
        """Yield each request's edit, in order; requests are read ahead, in another thread.

        Raises:
            MethodError: the program cannot be started.
            InputError: there is no room for its files.
        """
        go = self._by_batch if self._facts.per == "batch" else self._by_sample
        with self._work_folder() as work, closing(go(enumerate(requests), work)) as clips:
            find = self._finder(work)
            for clip in clips:
                yield collect(clip, find, self._facts)

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        if self._run_folder is None:
            with tempfile.TemporaryDirectory(prefix="vivid-bench-") as folder:
                yield Path(folder)
            return
        self._run_folder.mkdir(parents=True, exist_ok=True)
        for left in self._run_folder.glob(f"{_WORK}*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        # Never the same one: that run's program may still be writing.
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=self._run_folder))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _finder(self, work: Path) -> Callable[[Clip], Path]:
        if self._facts.per == "batch":
            return lambda clip: edit_of_batch(work / "edits", clip.name)
        output = self._facts.output or ""
        return lambda clip: edit_of_sample(
            clip.folder / "out", _filled(output.removeprefix("{out}/"), self._values | clip.values)
        )

    def _by_batch(self, numbered: Numbered, work: Path) -> Generator[Clip]:
        folders = {name: work / name for name in ("requests", "edits")}
        for folder in folders.values():
            folder.mkdir()

        def write(clip: Clip, request: EditRequest) -> None:
            clip.line = request_text(write_request(folders["requests"], clip.name, request, self._facts))

        prepare = preparer(folders["requests"], self._facts, write)
        start = partial(self._start, {name: str(folder) for name, folder in folders.items()}, work)
        left: list[Clip] = []
        fruitless, problem = 0, ""
        # Taken before a process is started: without another sample there need be none.
        while left or (first := list(islice(numbered, 1))):
            source = numbered if left else chain(first, numbered)
            if fruitless == _FRUITLESS:
                yield from _given_up(left, source, work, f"given up, as the program broke twice in a row: {problem}")
                return
            with ExitStack() as stack:
                feeder = Feeder(folders["requests"] / REQUESTS, left, source, prepare)
                stack.callback(feeder.close)
                program = stack.enter_context(start())
                batch = Batch(program, feeder, self._facts.clip_minutes * 60)
                yield from batch.answered()
            left, problem = batch.left, batch.problem
            fruitless = fruitless + 1 if batch.was_fruitless else 0

    def _by_sample(self, numbered: Numbered, work: Path) -> Generator[Clip]:
        def write(clip: Clip, request: EditRequest) -> None:
            clip.values = write_inputs(clip.folder, request, self._facts)

        prepare = preparer(work, self._facts, write)
        running: tuple[Clip, Program] | None = None
        try:
            for clip in one_ahead(prepare, numbered):
                # The next one runs while what is yielded is read and stored.
                done = self._wait(*running) if running else None
                running = None
                if clip.outcome is None:
                    running = (clip, self._start(clip.values, work))
                if done:
                    yield done
                if running is None:
                    yield clip
            if running:
                yield self._wait(*running)
                running = None
        finally:
            if running:
                running[1].kill()

    def _wait(self, clip: Clip, program: Program) -> Clip:
        deadline = program.started + self._facts.clip_minutes * 60
        with program:
            while (output := program.next_output(deadline - time.perf_counter())) and output.line is not None:
                pass  # progress is of no use here
            problem = None
            if output is None:
                minutes = f"{self._facts.clip_minutes:g} minutes"
                problem = f"not finished within {minutes}, so it was stopped; {program.tail()}"
            elif (ending := program.ending()) and not program.succeeded():
                problem = f"the program {ending}"
            took = output.at - program.started if output else None
            clip.outcome = Outcome(problem, took, program.peak_bytes, program.tail())
        return clip

    def _start(self, values: Mapping[str, str], work: Path) -> Program:
        words = [_filled(word, self._values | dict(values)) for word in self._facts.run]
        log = (self._run_folder or work) / LOG_NAME
        return Program(words, self._cwd, log, self._device)


def _filled(word: str, values: Mapping[str, str]) -> str:
    # In one pass: a prompt may hold braces.
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], ""), word)


def _given_up(left: list[Clip], source: Numbered, work: Path, problem: str) -> Iterator[Clip]:
    for clip in left:
        clip.outcome = Outcome(problem)
        yield clip
    for index, _ in source:
        yield Clip(str(index), work / str(index), outcome=Outcome(problem))
