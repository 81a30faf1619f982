"""The server's answers in SQLite: whatever was acknowledged is on the disk, and an answer is never doubled.

In WAL mode with full synchronisation a commit returns only when the log is on the disk, so neither a killed process nor
a power cut loses an acknowledged answer. (rater, item) is the primary key: the first answer stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from vivid_bench.errors import InputError
from vivid_bench.study.types import Answer

STORE = Path("served") / "answers.sqlite"
"""Where it lies in a study's folder."""

_TABLES = """
CREATE TABLE IF NOT EXISTS study (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS answers (rater TEXT, item TEXT, answer TEXT NOT NULL, PRIMARY KEY (rater, item));
CREATE TABLE IF NOT EXISTS finished (rater TEXT PRIMARY KEY);
"""
_READ = "SELECT CAST(rater AS TEXT), CAST(answer AS TEXT) FROM answers ORDER BY rowid"
_WAIT_SECONDS = 30.0


class Store:
    """A study's answers, open for writing; its methods may be called from several threads.

    Args:
        path: the database; made when it is not there.
        study: whose answers it holds.

    Raises:
        InputError: the database holds another study's answers, or is none.
    """

    def __init__(self, path: Path, study: str) -> None:
        self._lock = Lock()
        with _named(path):
            self._database = sqlite3.connect(path, timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_TABLES)
            if _study(self._database) is None:
                self._database.execute("INSERT OR IGNORE INTO study VALUES (?)", (study,))
            found = _study(self._database)
        if found != study:
            self.close()
            raise InputError(
                path, expected=f"answers of study {study}", found=f"those of {found}", fix="move its folder away"
            )

    def add(self, rater: str, answer: Answer) -> Answer:
        """Keep an answer unless the rater has answered that item; return the one that stands, on the disk by then."""
        with self._lock:
            self._database.execute(
                "INSERT INTO answers VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (rater, answer.item, answer.model_dump_json()),
            )
            stored = self._answer(rater, answer.item)
        return stored or answer

    def answer(self, rater: str, item: str) -> Answer | None:
        """Return the answer that stands, None where there is none."""
        with self._lock:
            return self._answer(rater, item)

    def answers(self, rater: str) -> tuple[Answer, ...]:
        """Return all that a rater answered, in the order of answering."""
        with self._lock:
            rows = self._database.execute("SELECT answer FROM answers WHERE rater = ? ORDER BY rowid", (rater,))
            return tuple(Answer.model_validate_json(text) for (text,) in rows)

    def finish(self, rater: str) -> None:
        """Note that a rater reached the end."""
        with self._lock:
            self._database.execute("INSERT INTO finished VALUES (?) ON CONFLICT DO NOTHING", (rater,))

    def is_finished(self, rater: str) -> bool:
        """Whether a rater reached the end."""
        with self._lock:
            return self._database.execute("SELECT 1 FROM finished WHERE rater = ?", (rater,)).fetchone() is not None

    def close(self) -> None:
        """Close the database; its log is folded into it."""
        self._database.close()

    def _answer(self, rater: str, item: str) -> Answer | None:
        row = self._database.execute("SELECT answer FROM answers WHERE rater = ? AND item = ?", (rater, item))
        found = row.fetchone()
        return Answer.model_validate_json(found[0]) if found else None


@dataclass(frozen=True)
class Stored:
    """What a store holds, read without a check.

    Attributes:
        study: whose answers these are, None in a store that was never begun.
        answers: rater -> the JSON text of each answer, in the order of answering.
        finished: raters who reached the end.
    """

    study: str | None
    answers: dict[str, list[str]]
    finished: frozenset[str]


def read_store(path: Path) -> Stored:
    """Return what a store holds, also while a server writes to it.

    Raises:
        InputError: no such file, or another kind of file.
    """
    if not path.is_file():
        raise InputError(path, expected="the server's answers", found="no file", fix="name answers files instead")
    answers: dict[str, list[str]] = {}
    # Without a log nobody writes. SQLite would make one all the same, which a read-only folder refuses.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    with _named(path), closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as database:
        for rater, text in database.execute(_READ):
            answers.setdefault(rater, []).append(text)
        finished = frozenset(rater for (rater,) in database.execute("SELECT rater FROM finished"))
        return Stored(_study(database), answers, finished)


def _study(database: sqlite3.Connection) -> str | None:
    row = database.execute("SELECT id FROM study").fetchone()
    return None if row is None else str(row[0])


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputError(
            path, expected="the server's answers, an SQLite database", found=str(error), fix="move it away"
        ) from error
