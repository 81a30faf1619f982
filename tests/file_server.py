"""A server of files that the test starts on this machine, which can misbehave, and stand in for the hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

COMMIT = "c" * 40


@dataclass
class Server:
    """What the server holds and how it misbehaves.

    Attributes:
        files: path -> content.
        cut_after: bytes of a body that are sent before the connection ends; None for all.
        ranges: whether it honours `Range`.
        redirect: another server that it sends every GET to.
        requests: method, path and range of each request so far.
        tokens: what `Authorization` each request had.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True
    redirect: str = ""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            asked = self.headers.get("Range")
            state.requests.append((self.command, self.path, asked))
            state.tokens.append(self.headers.get("Authorization"))
            if body and state.redirect:
                self.send_response(302)
                self.send_header("Location", state.redirect + self.path)
                self.end_headers()
                return
            content = state.files.get(self.path.partition("?")[0])
            if content is None:
                self.send_response(403 if self.path.endswith("/auth-check") else 404)
                self.send_header("X-Error-Code", "GatedRepo" if self.path.endswith("/auth-check") else "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked and state.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.end_headers()
            if body:
                self.wfile.write(content[start:][: state.cut_after])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_port}"
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        http.shutdown()


def be_the_hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what this process asks of the Hugging Face hub to the server."""
    constants = "huggingface_hub.constants"
    monkeypatch.setattr(f"{constants}.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(f"{constants}.ENDPOINT", server.url)
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", template)


def put_on_the_hub(server: Server, hub: str, files: dict[str, bytes], *, gated: bool = False) -> None:
    """Serve a data set as the hub does: large files with their sha256, those below 100 bytes with git's hash."""
    tree = []
    for path, content in files.items():
        server.files[f"/datasets/{hub}/resolve/{COMMIT}/{path}"] = content
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": oid}
        if len(content) >= 100:
            sha256 = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
        tree.append(entry)
    info = {"id": hub, "sha": COMMIT, "gated": "manual" if gated else False, "siblings": [], "tags": []}
    server.files[f"/api/datasets/{hub}"] = json.dumps(info).encode()
    server.files[f"/api/datasets/{hub}/tree/{COMMIT}"] = json.dumps(tree).encode()


class Shown:
    """What is shown of each download: its size and the bytes that came."""

    def __init__(self) -> None:
        self.downloads: dict[str, tuple[int | None, int]] = {}

    @contextmanager
    def __call__(self, title: str, total: int | None) -> Iterator[Callable[[int], None]]:
        self.downloads[title] = (total, 0)

        def advance(n: int) -> None:
            self.downloads[title] = (total, self.downloads[title][1] + n)

        yield advance
