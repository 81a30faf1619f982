"""Downloading files: streamed to a part file, resumed where it stopped, hashed, and renamed once whole.

The bytes come over a stream of our own, from the Hugging Face hub too: huggingface_hub starts a download that was
stopped from the beginning, and these are gigabytes.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from vivid_bench.errors import DownloadError, InputError
from vivid_bench.files import disk_errors_named, sha256_path

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
CHUNK_BYTES = 1 << 20
PART_SUFFIX = ".part"
AGAIN = "run the same command again; if it stays so, the file at its source has changed"
GO_ON = "run the same command again to go on"

Advance = Callable[[int], None]
"""Takes the number of bytes that came since the last call."""

Show = Callable[[str, int | None], AbstractContextManager[Advance]]
"""Shows a download while the context lasts: its name and its size in bytes (None: unknown)."""


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Attributes:
        name: to show.
        sha256: of its content, or the beginning of it; None where nobody has published one.
        headers: go to the server of `url` and to no other that it redirects to.
    """

    url: str
    name: str
    sha256: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


def download(remote: Remote, target: Path, show: Show, check: Callable[[Path], None]) -> None:
    """Download a file, check it, and give it its name; one that was stopped goes on where it was.

    Args:
        check: raises `InputError` for content that is not what it must be, which is then removed.

    Raises:
        DownloadError: the server cannot be reached, refuses, or stops.
        InputError: no room on the disk, or what `check` raises.
    """
    part = part_of(target)
    with disk_errors_named(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_whole(part, remote.sha256):
            _stream(remote, part, show)
        try:
            check(part)
        except InputError:
            part.unlink()
            raise
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)


def part_of(target: Path) -> Path:
    """Return where a file's bytes are kept until all have come."""
    return target.with_name(f".{target.name}{PART_SUFFIX}")


def check_sha256(file: Path, sha256: str, fix: str) -> None:
    """Compare a file's hash with one that may be its beginning only; raises `InputError`."""
    found = sha256_path(file)
    if not found.startswith(sha256):
        raise InputError(file, expected=f"sha256 {sha256[:12]}…", found=f"{found[:12]}…", fix=fix)


def size_of(remote: Remote) -> int | None:
    """Ask a server how many bytes a file has; None where it does not say. Raises `DownloadError`."""
    with _opened(remote, 0) as response:
        return _length(response)


def reach(url: str, instead: str) -> None:
    """Fail within seconds where nothing answers: neither name servers nor libraries keep to a short limit.

    Args:
        instead: what to do on a machine without a network.

    Raises:
        DownloadError: no connection to the server of `url`.
    """
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(host):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    failures: list[OSError] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), CONNECT_SECONDS).close()
        except OSError as error:
            failures.append(error)

    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(CONNECT_SECONDS)
    if attempt.is_alive() or failures:
        why = first_line(failures[0]) if failures else f"no answer in {CONNECT_SECONDS:.0f} s"
        raise DownloadError(f"cannot reach {host}: {why}; {instead}")


def reach_hub(name: str, instead: str) -> dict[str, str]:
    """Return the headers with the user's token for the Hugging Face hub, once it answers.

    Raises:
        DownloadError: it does not, or the user has set `HF_HUB_OFFLINE`; the message begins with `name`.
    """
    from huggingface_hub import constants, get_token

    if constants.HF_HUB_OFFLINE:
        raise DownloadError(f"{name}: HF_HUB_OFFLINE is set; unset it, or {instead}")
    reach(constants.ENDPOINT, instead)
    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def check_room(folder: Path, needed: int) -> None:
    """Raise `InputError` unless the disk of a folder, which need not exist yet, has so many bytes free."""
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        found = f"{free / 1e9:.1f} GB free"
        raise InputError(folder, expected=f"{needed / 1e9:.1f} GB of room", found=found, fix="free some or use --to")


def first_line(error: Exception) -> str:
    """Return what an error says, on one line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _is_whole(part: Path, sha256: str | None) -> bool:
    """Return whether an earlier attempt was stopped after the last byte: a server refuses to go on from there."""
    return sha256 is not None and part.is_file() and sha256_path(part).startswith(sha256)


def _stream(remote: Remote, part: Path, show: Show) -> None:
    """Download to a file; goes on where an earlier attempt stopped."""
    done = part.stat().st_size if part.exists() else 0
    with _opened(remote, done) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0
        length = _length(response)
        total = None if length is None else done + length
        check_room(part.parent, length or 0)
        with show(remote.name, total) as advance, part.open("ab" if done else "wb") as file:
            advance(done)
            while chunk := _read(response, remote):
                file.write(chunk)
                advance(len(chunk))
    if total and (size := part.stat().st_size) < total:
        raise DownloadError(f"{remote.url}: cut off after {size} of {total} bytes; {GO_ON}")


def _read(response: http.client.HTTPResponse, remote: Remote) -> bytes:
    """Return the next bytes; raises `DownloadError` for whatever ends a connection (unlike what ends a disk's room)."""
    try:
        return response.read(CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{remote.url}: {first_line(error)}; {GO_ON}") from error


def _length(response: http.client.HTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _opened(remote: Remote, start: int) -> http.client.HTTPResponse:
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={start}-"} if start else {})
    for name, value in remote.headers.items():
        request.add_unredirected_header(name, value)
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=READ_SECONDS)
    except urllib.error.HTTPError as error:
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _opened(remote, 0)
        raise DownloadError(f"{remote.url}: the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{remote.url}: {first_line(error)}") from error
    return response
