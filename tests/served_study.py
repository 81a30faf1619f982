"""A small study made by hand, its packets, and what a rater or a browser sends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import uvicorn

from vivid_bench.study.links import Links, load_links
from vivid_bench.study.serve import create_app, find_packets
from vivid_bench.study.store import STORE, Store
from vivid_bench.study.types import (
    Answer,
    AnswersPayload,
    Item,
    RaterAnswers,
    RaterPlan,
    StudyKey,
    StudyRun,
    StudySample,
    Value,
)

STUDY = "00112233445566aa"
CLIP = bytes(range(256)) * 8
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def made_key(**changes: Any) -> StudyKey:
    """Two raters, a training item (i001) and three others (i002 to i004), two questions, pairs without ties."""
    kinds = ("training", "scored", "attention", "scored")
    items = tuple(
        Item(id=f"i{n:03d}", kind=kind, sample=0, shown=(0, None) if kind == "attention" else (0, 1))
        for n, kind in enumerate(kinds, 1)
    )
    raters = tuple(RaterPlan(rater=f"r{n:03d}", packet=f"{n:064x}", items=items) for n in (1, 2))
    runs = tuple(
        StudyRun(suite="mini", task="delete", method=m, version="1", run_key=f"key-{m}", composite="none")
        for m in ("secret-one", "secret-two")
    )
    key = StudyKey(
        study=STUDY, design="pairwise", ties=False, questions=("visual-quality", "overall"), seed=3,
        deadline="2026-06-30", clip_seconds=(1.0,), runs=runs, raters=raters,
        samples=(StudySample(id="s", suite="mini", task="delete", prompt="p", source_video="v"),),
    )  # fmt: skip
    return StudyKey.model_validate(key.model_dump() | changes)


def made_folder(folder: Path, key: StudyKey) -> Path:
    """Write the key and a packet a rater: a page that holds no more than the packet's hash, and one clip."""
    for plan in key.raters:
        packet = folder / "packets" / plan.rater
        (packet / "media").mkdir(parents=True)
        (packet / "index.html").write_text(f"<!doctype html><title>{plan.packet}</title>")
        (packet / "media" / "0a1b.mp4").write_bytes(CLIP)
    (folder / "key.json").write_text(key.model_dump_json())
    return folder


def answer(item: str, value: Value = 1, at: str = "2026-06-01T10:00:00Z") -> Answer:
    return Answer(item=item, values={"visual-quality": value, "overall": value}, seconds=4.5, at=at)


def answers_of(
    rater: str = "r001", items: str = "i002 i003 i004", value: Value = 1, *, finished: bool = True
) -> RaterAnswers:
    """Answers of a rater, the same value everywhere."""
    return RaterAnswers(
        rater=rater,
        packet=f"{int(rater[1:]):064x}",
        finished=finished,
        answers=tuple(answer(item, value) for item in items.split()),
    )


def payload(*raters: RaterAnswers, study: str = STUDY) -> AnswersPayload:
    return AnswersPayload(study=study, raters=raters)


class Browser:
    """Sends requests to a served study; a new connection each time."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        found = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        connection.close()
        return found

    def json(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        status, _, text = self(method, path, body)
        return status, json.loads(text)


@dataclass
class Served:
    """A running server, its clock, and what a browser needs to reach it."""

    folder: Path
    links: Links
    store: Store
    browser: Browser
    clock: list[datetime] = field(default_factory=lambda: [NOON])

    def of(self, rater: str) -> str:
        return f"/r/{self.links.raters[rater]}/"

    def address(self, rater: str) -> str:
        return f"http://127.0.0.1:{self.browser.port}{self.of(rater)}"

    @property
    def admin_address(self) -> str:
        return f"http://127.0.0.1:{self.browser.port}/admin/{self.links.admin}/"

    def send(self, item: str, value: int = 1, rater: str = "r001") -> tuple[int, dict[str, object]]:
        status, reply = self.browser.json("POST", self.of(rater) + "answers", answer(item, value).model_dump_json())
        return status, reply


@contextmanager
def running(folder: Path, key: StudyKey) -> Iterator[Served]:
    """Serve the study of a folder from a thread of this process."""
    links = load_links(folder, key)
    served = Served(folder, links, Store(folder / STORE, key.study), Browser(0))
    app = create_app(key, find_packets(folder, key), links, served.store, lambda: served.clock[0])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", server_header=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    served.browser = Browser(server.servers[0].sockets[0].getsockname()[1])
    yield served
    server.should_exit = True
    thread.join()
    served.store.close()


def mode(path: Path) -> int:
    """A file's permission bits."""
    return path.stat().st_mode & 0o777
