"""A rater's packet on disk, the keys a rater presses, and a stand-in for the server, for tests to import."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from clips import moving_clip
from playwright.sync_api import Page, expect

from vivid_bench.study.page import render_packet
from vivid_bench.study.texts import CONSENT, INSTRUCTIONS
from vivid_bench.study.types import Design, Packet, PacketItem, Question, Value
from vivid_bench.video import write_preview

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
expect.set_options(timeout=60_000)  # a busy machine may be slow; what never comes fails all the same
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

STUDY, RATER, PACKET = "0123456789abcdef", "r001", "ab" * 32
HOSTILE_PROMPT = (
    "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\"> & <b>bold</b>"
)
RIGHT_TO_LEFT = "أضف <b>قطة</b> سوداء"
FRAMES, FPS = 8, 8.0
PLACES: dict[Design, int] = {"pairwise": 2, "rating": 1, "ranking": 3}
CORRECT: dict[Design, Value] = {"pairwise": 2, "rating": 1, "ranking": (2, 3, 1)}


def made_packet(
    items: int,
    design: Design = "pairwise",
    questions: tuple[Question, ...] = ("visual-quality", "overall"),
    *,
    ties: bool = False,
    deadline: str | None = None,
) -> Packet:
    """A packet of a training item and so many others; the second caption is hostile, the third right to left."""
    prompts = {2: HOSTILE_PROMPT, 3: RIGHT_TO_LEFT}
    return Packet(
        study=STUDY,
        rater=RATER,
        packet=PACKET,
        design=design,
        ties=ties,
        questions=questions,
        instructions=INSTRUCTIONS[design],
        consent=CONSENT,
        deadline=deadline,
        items=tuple(
            PacketItem(
                id=f"i{number:03d}",
                task=("add", "modify", "delete")[number % 3],
                prompt=prompts.get(number, f"caption {number}"),
                source=f"{number:02d}0.mp4",
                clips=tuple(f"{number:02d}{place}.mp4" for place in range(1, PLACES[design] + 1)),
                fps=FPS,
                correct=None if number else CORRECT[design],
            )
            for number in range(items + 1)
        ),
    )


def write_packet(folder: Path, packet: Packet) -> Path:
    """Write the packet's page and small videos; return the page."""
    media = folder / "media"
    media.mkdir(parents=True)
    made = [media / f"clip-{place}" for place in range(max(PLACES.values()) + 1)]
    for seed, path in enumerate(made):
        write_preview(path, moving_clip(FRAMES, seed=seed), FPS)
    for item in packet.items:
        for path, name in zip(made, (item.source, *item.clips), strict=False):
            shutil.copyfile(path, media / name)
    page = folder / "index.html"
    page.write_text(render_packet(packet), encoding="utf-8")
    return page


def press(page: Page, keys: str) -> None:
    """Press one key after another."""
    for key in keys.split():
        page.keyboard.press(key)


@dataclass
class StandIn:
    """What a server knows and does; tests change it while it runs.

    Attributes:
        answers: item -> the stored answer.
        refused: while set, every POST gets this status.
        is_plain: a web server that knows of no answers.
        lost_at_finish: items whose answers turn out to be missing when the rater is done.
        posts: paths of all requests that sent something, the refused ones too.
    """

    address: str = ""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    finished: bool = False
    refused: int | None = None
    is_plain: bool = False
    lost_at_finish: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        known = {"study": STUDY, "rater": RATER, "packet": PACKET}
        return {**known, "answers": list(self.answers.values()), "finished": self.finished}

    def take(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return a request's status and reply."""
        self.posts.append(path)
        if self.refused:
            return self.refused, {}
        if path.endswith("/finish"):
            if self.lost_at_finish:
                for item in self.lost_at_finish:
                    del self.answers[item]
                self.lost_at_finish = []
                return 409, {}
            self.finished = True
            return 200, {}
        stored = self.answers.setdefault(body["item"], {**body, "at": "2026-01-01T00:00:00Z"})
        return (200 if stored["values"] == body["values"] else 409), {"answer": stored}


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, stand_in: StandIn, **options: Any) -> None:
        self.stand_in = stand_in
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        if self.path == "/r/token/state" and not self.stand_in.is_plain:
            self._reply(200, self.stand_in.state())
        else:
            self.path = self.path.removeprefix("/r/token")
            super().do_GET()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._reply(*self.stand_in.take(self.path, body))

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[StandIn]:
    """Serve a packet's folder at a link as raters get it."""
    stand_in = StandIn()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder), stand_in=stand_in)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stand_in.address = f"http://127.0.0.1:{server.server_address[1]}/r/token/"
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
