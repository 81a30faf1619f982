"""The server's store: the first answer stands, and what was added is on the disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from served_study import STUDY, answer

from vivid_bench.errors import InputError
from vivid_bench.study.store import Store, read_store


def test_the_first_answer_stands(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", STUDY)
    assert store.add("r001", answer("i002", 1)) == answer("i002", 1)
    assert store.add("r001", answer("i002", 2)) == answer("i002", 1)
    assert store.add("r002", answer("i002", 2)) == answer("i002", 2)
    assert store.answer("r001", "i002") == answer("i002", 1)
    assert store.answer("r001", "i003") is None
    store.close()


def test_answers_keep_the_order_of_answering(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", STUDY)
    for item in ("i004", "i002", "i003"):
        store.add("r001", answer(item))
    assert [a.item for a in store.answers("r001")] == ["i004", "i002", "i003"]
    store.close()


def test_a_store_opens_again_with_all_it_held(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", STUDY)
    store.add("r001", answer("i002"))
    store.finish("r001")
    store.finish("r001")
    store.close()
    again = Store(tmp_path / "a.sqlite", STUDY)
    assert again.answers("r001") == (answer("i002"),)
    assert again.is_finished("r001")
    assert not again.is_finished("r002")
    again.close()


def test_two_threads_that_answer_one_item_agree_on_one_answer(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", STUDY)
    with ThreadPoolExecutor(8) as pool:
        stands = set(pool.map(lambda n: store.add("r001", answer("i002", 1 + n % 2)).values["overall"], range(64)))
    assert len(stands) == 1
    assert len(read_store(tmp_path / "a.sqlite").answers["r001"]) == 1
    store.close()


def test_an_added_answer_outlives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    code = (
        "import os, signal, sys; from pathlib import Path; from vivid_bench.study.store import Store;"
        "from vivid_bench.study.types import Answer;"
        f"store = Store(Path(sys.argv[1]), {STUDY!r});"
        "[store.add('r001', Answer(item=f'i{n:03d}', values={'overall': 1}, seconds=1, at='t')) for n in range(50)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], env=os.environ, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(read_store(path).answers["r001"]) == 50


@pytest.mark.parametrize("is_open", [True, False])
def test_a_store_is_read_open_or_closed_without_a_file_more(tmp_path: Path, is_open: bool) -> None:
    store = Store(tmp_path / "a.sqlite", STUDY)
    store.add("r001", answer("i002"))
    if not is_open:
        store.close()
    files = {path.name for path in tmp_path.iterdir()}
    assert files == ({"a.sqlite", "a.sqlite-wal", "a.sqlite-shm"} if is_open else {"a.sqlite"})
    assert len(read_store(tmp_path / "a.sqlite").answers["r001"]) == 1
    assert {path.name for path in tmp_path.iterdir()} == files
    store.close()


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", STUDY)
    # FULL is 2; the default with WAL in some builds is 1, which a power cut may roll back.
    assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_another_studys_store_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "a.sqlite", STUDY).close()
    with pytest.raises(InputError, match=f"expected answers of study {'f' * 16}, found those of {STUDY}"):
        Store(tmp_path / "a.sqlite", "f" * 16)


@pytest.mark.parametrize("content", [b"no database" * 100, None])
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.sqlite"
    if content is None:
        sqlite3.connect(path).execute("CREATE TABLE other (x)").connection.close()
    else:
        path.write_bytes(content)
        with pytest.raises(InputError, match="an SQLite database"):
            Store(path, STUDY)
    with pytest.raises(InputError, match="an SQLite database"):
        read_store(path)


def test_a_damaged_store_is_refused_or_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    Store(path, STUDY).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO answers VALUES (CAST('r001' AS BLOB), 'i002', CAST('x' AS BLOB))")
        database.commit()
        assert read_store(path).answers == {"r001": ["x"]}
        database.execute("UPDATE answers SET rater = x'ff'")
        database.commit()
    with pytest.raises(InputError, match="an SQLite database"):
        read_store(path)


def test_a_store_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no file"):
        read_store(tmp_path / "none.sqlite")
