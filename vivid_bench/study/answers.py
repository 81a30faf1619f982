"""Answers files: written with a checksum, read with suspicion.

Whatever is wrong with a file, or with one rater in it, is a sentence for the report and never stops the others.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vivid_bench.errors import InputError
from vivid_bench.escaping import one_line
from vivid_bench.files import write_text
from vivid_bench.study.answer_checks import check_answers, check_value, day_of, first_error, is_over, needed_items
from vivid_bench.study.store import read_store
from vivid_bench.study.types import AnswersFile, AnswersPayload, RaterAnswers, StudyKey

__all__ = ["Collected", "answers_text", "check_value", "read_answers", "write_answers"]

MAX_BYTES = 64 * 2**20
"""No study's answers come near this; a larger file is not read into memory."""


@dataclass(frozen=True)
class Collected:
    """The answers that can be used, and what was wrong with the rest.

    Attributes:
        raters: at most one entry a rater, in the key's order, each with at least one answer.
        problems: one sentence each.
    """

    raters: tuple[RaterAnswers, ...]
    problems: tuple[str, ...]


def answers_text(payload: AnswersPayload) -> str:
    """Return an answers file's text: the payload and its checksum."""
    text = payload.model_dump_json()
    return AnswersFile(checksum=_checksum(text), payload=text).model_dump_json() + "\n"


def write_answers(path: Path, payload: AnswersPayload) -> None:
    """Write an answers file."""
    write_text(path, answers_text(payload))


def read_answers(key: StudyKey, key_path: Path, files: Sequence[Path], store: Path | None = None) -> Collected:
    """Return what raters answered, from any number of answers files and a server's store.

    Args:
        key: the study's sealed key.
        key_path: where it lies, for the message about answers to another study.
        files: answers files, each of one rater or of several.
        store: the server's `answers.sqlite`.

    Raises:
        InputError: a file or store that is not there.
    """
    reader = _Reader(key, key_path)
    if store is not None:
        reader.add_store(store)
    for path in files:
        reader.add_file(path)
    return reader.collected()


class _Reader:
    def __init__(self, key: StudyKey, key_path: Path) -> None:
        self._key = key
        self._key_path = key_path
        self._found: dict[str, RaterAnswers] = {}
        self._origins: dict[str, str] = {}
        self._refused: set[str] = set()
        self._problems: list[str] = []

    def add_file(self, path: Path) -> None:
        try:
            study, raters = _read_file(path)
        except _UnusableError as error:
            self._say(f"{path}: {error}; the file is left out")
            return
        self._add(str(path), study, raters)

    def add_store(self, path: Path) -> None:
        stored = read_store(path)
        raters = []
        for rater, texts in stored.answers.items():
            plan = self._key.plan(rater)
            raters.append({
                "rater": rater, "packet": plan.packet if plan else "", "finished": rater in stored.finished,
                "answers": [_parsed(text) for text in texts],
            })  # fmt: skip
        self._add(str(path), stored.study, raters)

    def collected(self) -> Collected:
        raters = []
        for plan in self._key.raters:
            answers = self._found.get(plan.rater)
            if answers is None or plan.rater in self._refused:
                continue
            answers = self._without_late(answers)
            self._say_if_partial(answers, needed_items(plan))
            if answers.answers:
                raters.append(answers)
        return Collected(tuple(raters), tuple(self._problems))

    def _say(self, problem: str) -> None:
        self._problems.append(one_line(problem))

    def _add(self, origin: str, study: str | None, raters: Sequence[Any]) -> None:
        if study != self._key.study:
            self._say(f"{origin}: answers to study {study}, not to {self._key.study} of {self._key_path}; left out")
            return
        if not raters:
            self._say(f"{origin}: no answers in it")
        if len(raters) > (most := len(self._key.raters)):
            self._say(f"{origin}: {len(raters):,} raters, more than the {most} of the study; the file is left out")
            return
        for raw in raters:
            self._add_rater(origin, raw)

    def _add_rater(self, origin: str, raw: Any) -> None:
        name = str(raw.get("rater") if isinstance(raw, dict) else None)[:20]
        try:
            answers = RaterAnswers.model_validate_json(json.dumps(raw), strict=True)
        except ValidationError as error:
            wrong: str | None = first_error(error)
        except RecursionError:
            wrong = "nested too deep"
        else:
            wrong = check_answers(self._key, answers)
        if wrong:
            self._say(f"{origin}, rater {name}: {wrong}; this rater's answers in it are left out")
        else:
            self._merge(origin, answers)

    def _merge(self, origin: str, new: RaterAnswers) -> None:
        old = self._found.get(new.rater)
        if old is None:
            self._found[new.rater] = new
            self._origins[new.rater] = origin
            return
        both = f"{new.rater}: answers in {self._origins[new.rater]} and in {origin}"
        if conflict := _conflict(old, new):
            self._refused.add(new.rater)
            self._say(f"{both} contradict each other ({conflict}); the rater is left out")
            return
        kept = {answer.item for answer in old.answers}
        added = tuple(answer for answer in new.answers if answer.item not in kept)
        again = len(new.answers) - len(added)
        missing = len(old.answers) - again
        if not added and not missing:
            self._say(f"{both} are the same; used once")
        elif not added or not missing:
            self._say(f"{both} agree, and one holds {len(added) + missing} more; the longer is used")
        else:
            self._say(f"{both} agree where both answer ({again} items); used together")
        self._found[new.rater] = old.model_copy(
            update={"answers": old.answers + added, "finished": old.finished or new.finished}
        )
        self._origins[new.rater] = f"{self._origins[new.rater]}, {origin}"

    def _without_late(self, answers: RaterAnswers) -> RaterAnswers:
        in_time = tuple(a for a in answers.answers if (day := day_of(a)) and not is_over(self._key, day))
        late = len(answers.answers) - len(in_time)
        if late:
            n = len(answers.answers)
            self._say(f"{answers.rater}: {late} of {n} answers came after the deadline, {self._key.deadline}; left out")
        return answers.model_copy(update={"answers": in_time})

    def _say_if_partial(self, answers: RaterAnswers, needed: set[str]) -> None:
        done = len(needed & {answer.item for answer in answers.answers})
        if not answers.answers:
            self._say(f"{answers.rater}: no answers; left out")
        elif done < len(needed):
            self._say(f"{answers.rater}: {done} of {len(needed)} items answered; used as far as they go")
        elif not answers.finished:
            self._say(f"{answers.rater}: all items answered but the study not finished; used")


class _UnusableError(Exception):
    pass


def _read_file(path: Path) -> tuple[str, list[Any]]:
    text = _read_text(path)
    try:
        file = AnswersFile.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise _UnusableError(f"no answers file: {first_error(error)}") from error
    if file.checksum.lower() != _checksum(file.payload):
        raise _UnusableError("changed or damaged since it was saved: its checksum differs")
    payload = _parsed(file.payload)
    if not isinstance(payload, dict) or payload.keys() != {"study", "raters"}:
        raise _UnusableError("no answers in it that can be read")
    study, raters = payload["study"], payload["raters"]
    if not isinstance(study, str) or not isinstance(raters, list):
        raise _UnusableError("no answers in it that can be read")
    return study[:40], raters


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise InputError(path, expected="an answers file", found="no file", fix="name the files that raters sent back")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise _UnusableError(f"no answers file: {size:,} bytes")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _UnusableError(f"cannot be read: {error}") from error


def _conflict(old: RaterAnswers, new: RaterAnswers) -> str | None:
    if old.simulated != new.simulated:
        return "one is simulated"
    values = {answer.item: answer.values for answer in old.answers}
    items = [answer.item for answer in new.answers if values.get(answer.item, answer.values) != answer.values]
    return f"at {len(items)} of the items, first {items[0]}" if items else None


def _checksum(text: str) -> str:
    return f"crc32:{zlib.crc32(text.encode()):08x}"


def _parsed(text: str) -> Any:
    # None where the text is no JSON, or names a key twice, of which a parser would drop one.
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice in one object")
    return found
