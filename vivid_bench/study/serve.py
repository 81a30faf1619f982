"""The rating server: each rater's packet behind a link of its own, answers into SQLite, progress for whoever runs it.

`/r/<token>/` is a rater's packet folder and nothing else: `index.html`, `media/<file>`, `state`, `answers`, `finish`;
`/admin/<token>/` shows progress and exports. Whatever else is asked for does not exist, the sealed key least of all.
"""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivid_bench.errors import InputError
from vivid_bench.study.answer_checks import check_answer, first_error, is_over, needed_items
from vivid_bench.study.answers import answers_text
from vivid_bench.study.links import Links
from vivid_bench.study.progress import render_progress
from vivid_bench.study.store import Store
from vivid_bench.study.types import Answer, AnswersPayload, RaterAnswers, RaterPlan, StudyKey

MAX_BODY_BYTES = 16 * 2**10
"""An answer is well under 1 kB."""

_CLIP_NAME = re.compile(r"\b[0-9a-f]{16}\.mp4\b")
_HEADERS = {
    # The address holds the token: it must not reach another site, a search engine or a frame.
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_MEDIA_HEADERS = {"cache-control": "private, max-age=604800, immutable"}
_ADMIN_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


@dataclass(frozen=True)
class PacketFiles:
    """The files of one rater's packet, all that can be served of it; names are looked up, never joined to a path."""

    index: Path
    media: dict[str, Path]


def find_packets(study: Path, key: StudyKey) -> dict[str, PacketFiles]:
    """Return each rater's packet.

    Raises:
        InputError: a packet that is not there, or is not the one that the key was made with.
    """
    return {plan.rater: _find_packet(study / "packets" / plan.rater, plan) for plan in key.raters}


def _find_packet(folder: Path, plan: RaterPlan) -> PacketFiles:
    index, media = folder / "index.html", folder / "media"
    fix = "build the study again"
    if not index.is_file() or not media.is_dir():
        raise InputError(folder, expected="a packet: index.html and media", found="none", fix=fix)
    page = index.read_text(encoding="utf-8", errors="replace")
    if plan.packet not in page:
        raise InputError(index, expected=f"the packet {plan.packet[:12]}… of the key", found="another", fix=fix)
    clips = {path.name: path for path in media.iterdir() if path.is_file() and not path.is_symlink()}
    if missing := sorted(set(_CLIP_NAME.findall(page)) - clips.keys()):
        found = f"{len(missing)} missing, first {missing[0]}"
        raise InputError(media, expected="every clip of the page", found=found, fix=fix)
    return PacketFiles(index, clips)


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def create_app(
    key: StudyKey,
    packets: dict[str, PacketFiles],
    links: Links,
    store: Store,
    now: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Return the server's app.

    Args:
        key: the study's sealed key.
        packets: of every rater.
        links: who holds which token.
        store: where answers go.
        now: the clock that answers are dated by, UTC.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    raters, admin = _RaterPages(key, packets, links, store, now), _AdminPages(key, links, store)

    def add(path: str, page: Callable[..., Any], *methods: str) -> None:
        app.add_api_route(path, page, methods=list(methods or ("GET", "HEAD")))

    add("/r/{token}", _with_slash)
    add("/r/{token}/", raters.index)
    add("/r/{token}/media/{name}", raters.media)
    add("/r/{token}/state", raters.state)
    add("/r/{token}/answers", raters.add_answer, "POST")
    add("/r/{token}/finish", raters.finish, "POST")
    add("/admin/{token}", _with_slash)
    add("/admin/{token}/", admin.progress)
    add("/admin/{token}/export", admin.export)
    app.add_exception_handler(sqlite3.Error, _not_stored)
    app.add_middleware(_Headers)
    return app


class _RaterPages:
    def __init__(
        self, key: StudyKey, packets: dict[str, PacketFiles], links: Links, store: Store, now: Callable[[], datetime]
    ) -> None:
        self._key = key
        self._packets = packets
        self._links = links
        self._store = store
        self._now = now
        self._plans = {plan.rater: plan for plan in key.raters}

    def index(self, token: str) -> Response:
        return FileResponse(self._packets[self._plan(token).rater].index, media_type="text/html")

    def media(self, token: str, name: str) -> Response:
        path = self._packets[self._plan(token).rater].media.get(name)
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type="video/mp4", headers=_MEDIA_HEADERS)

    def state(self, token: str) -> Response:
        plan = self._plan(token)
        answers = [answer.model_dump(mode="json") for answer in self._store.answers(plan.rater)]
        about = {"study": self._key.study, "rater": plan.rater, "packet": plan.packet}
        return JSONResponse(about | {"answers": answers, "finished": self._store.is_finished(plan.rater)})

    async def add_answer(self, token: str, request: Request) -> Response:
        plan = self._plan(token)
        try:
            answer = Answer.model_validate_json(await _body(request), strict=True)
        except ValidationError as error:
            raise HTTPException(422, first_error(error)) from error
        if wrong := check_answer(self._key, plan, answer):
            raise HTTPException(422, wrong)
        return await run_in_threadpool(self._keep, plan.rater, answer)

    def _keep(self, rater: str, answer: Answer) -> Response:
        # What stands is looked up first: after the deadline, a client that never heard so still hears that it stands.
        stands = self._store.answer(rater, answer.item)
        if stands is None:
            at = self._now()
            if is_over(self._key, at.date()):
                raise HTTPException(410, f"this study ended on {self._key.deadline}")
            dated = answer.model_copy(update={"at": at.isoformat(timespec="seconds")})
            stands = self._store.add(rater, dated)
        status = 200 if stands.values == answer.values else 409
        return JSONResponse({"answer": stands.model_dump(mode="json")}, status)

    def finish(self, token: str) -> Response:
        plan = self._plan(token)
        missing = needed_items(plan) - {answer.item for answer in self._store.answers(plan.rater)}
        if missing:
            return JSONResponse({"missing": sorted(missing)}, 409)
        self._store.finish(plan.rater)
        return JSONResponse({"finished": True})

    def _plan(self, token: str) -> RaterPlan:
        rater = self._links.rater(token)
        if rater is None:
            raise HTTPException(404)
        return self._plans[rater]


class _AdminPages:
    def __init__(self, key: StudyKey, links: Links, store: Store) -> None:
        self._key = key
        self._links = links
        self._store = store

    def progress(self, token: str) -> Response:
        return HTMLResponse(render_progress(self._key, self._raters(token)), headers=_ADMIN_HEADERS)

    def export(self, token: str) -> Response:
        answered = tuple(rater for rater in self._raters(token) if rater.answers)
        text = answers_text(AnswersPayload(study=self._key.study, raters=answered))
        name = f"answers-{self._key.study}.json"
        return Response(
            text, media_type="application/json", headers={"content-disposition": f'attachment; filename="{name}"'}
        )

    def _raters(self, token: str) -> list[RaterAnswers]:
        if not self._links.is_admin(token):
            raise HTTPException(404)
        return [
            RaterAnswers(
                rater=plan.rater,
                packet=plan.packet,
                finished=self._store.is_finished(plan.rater),
                answers=self._store.answers(plan.rater),
            )
            for plan in self._key.raters
        ]


class _Headers:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _with_slash(token: str) -> Response:
    # A relative address: the page's own relative names need the slash, and no Host header is trusted.
    return RedirectResponse(f"./{token}/")


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise HTTPException(413)
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    return bytes(body)


def _not_stored(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": f"not stored: {error}"}, 503)


def run_app(app: FastAPI, listening: socket.socket) -> None:
    """Serve until a signal ends the process; addresses, and so tokens, are never logged."""
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", server_header=False, proxy_headers=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listening])
