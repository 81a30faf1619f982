"""Downloading weights into a folder of weights, from the Hugging Face hub or from elsewhere.

The hub names the files and their hashes; their bytes come over a stream of our own, because huggingface_hub starts a
download that was stopped from the beginning, and these are gigabytes.
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
from typing import TYPE_CHECKING

from vivid_bench.errors import DownloadError, InputError, MissingWeightsError
from vivid_bench.files import disk_errors_named, sha256_path
from vivid_bench.weights import Weights, cache_folder, in_folder, locate
from vivid_bench.weights_check import check_file, check_path, known_sha256

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

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
class _Remote:
    """A file to download. `headers` go to the server of `url` and to no other that it redirects to."""

    url: str
    name: str
    sha256: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


def fetch(entry: Weights, to: Path | None, show: Show) -> Path:
    """Download weights that are not there yet, check them, and return where they lie.

    Args:
        to: a folder of weights to put them in, by their name; None for `weights.cache_folder()`, and then those that
            lie anywhere else where `weights.locate` looks are there already.

    Raises:
        DownloadError: no network, or the server refuses or stops.
        InputError: no room on the disk, or what is there or what came is not what it should be.
    """
    if not (entry.hub or entry.url):
        to = None
    if here := _present(entry, to):
        check_path(here, entry.name)
        return here
    for remote in _remotes(entry):
        _download(remote, (to or cache_folder()) / entry.name / remote.name, show)
    path = _present(entry, to)
    if path is None:
        raise MissingWeightsError(entry.name)
    return path


def _present(entry: Weights, to: Path | None) -> Path | None:
    if to:
        return in_folder(to, entry.name, entry)
    try:
        return locate(entry.name)
    except MissingWeightsError:
        return None


def _remotes(entry: Weights) -> list[_Remote]:
    """Return the files to download, the one with the tensors last: its presence says that all are there."""
    if entry.hub:
        return _on_the_hub(entry, entry.hub)
    if entry.url and entry.file:
        _reach(entry.url)
        return [_Remote(entry.url, entry.file, known_sha256(Path(entry.file), entry))]
    return []


def _on_the_hub(entry: Weights, hub: str) -> list[_Remote]:
    from huggingface_hub import constants, get_hf_file_metadata, get_token, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    if constants.HF_HUB_OFFLINE:
        raise DownloadError(f"{entry.name}: HF_HUB_OFFLINE is set; unset it, or copy the weights from another machine")
    _reach(constants.ENDPOINT)
    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def remote(file: str) -> _Remote:
        url = hf_hub_url(hub, file, revision=entry.revision)
        metadata = get_hf_file_metadata(url, timeout=CONNECT_SECONDS)
        return _Remote(url, file, known_sha256(Path(file), entry) or _sha256_of(metadata), headers)

    names = [*entry.settings, *filter(None, [entry.file])]
    try:
        try:
            return [remote(file) for file in names]
        except EntryNotFoundError:
            if not entry.other_file:
                raise
            return [remote(file) for file in (*entry.settings, entry.other_file)]
    # The hub's own errors, and those of whichever HTTP library it is built on.
    except Exception as error:
        raise DownloadError(f"{entry.name}: {entry.source}: {_first_line(error)}") from error


def _sha256_of(metadata: HfFileMetadata) -> str | None:
    """Return the sha256 that the hub gives of large files; of small ones it gives git's hash."""
    return metadata.etag if metadata.etag and len(metadata.etag) == 64 else None


def _download(remote: _Remote, target: Path, show: Show) -> None:
    part = target.with_name(f".{target.name}{PART_SUFFIX}")
    with disk_errors_named(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_whole(part, remote.sha256):
            _stream(remote, part, show)
        try:
            check_file(part, remote.sha256, AGAIN)
        except InputError:
            part.unlink()
            raise
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)


def _is_whole(part: Path, sha256: str | None) -> bool:
    """Return whether an earlier attempt was stopped after the last byte: a server refuses to go on from there."""
    return sha256 is not None and part.is_file() and sha256_path(part).startswith(sha256)


def _stream(remote: _Remote, part: Path, show: Show) -> None:
    """Download to a file; goes on where an earlier attempt stopped."""
    done = part.stat().st_size if part.exists() else 0
    with _opened(remote, done) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        _check_room(part.parent, (total or 0) - done)
        with show(remote.name, total) as advance, part.open("ab" if done else "wb") as file:
            advance(done)
            try:
                while chunk := response.read(CHUNK_BYTES):
                    file.write(chunk)
                    advance(len(chunk))
            except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
                raise DownloadError(f"{remote.url}: {_first_line(error)}; {GO_ON}") from error
    if total and (size := part.stat().st_size) < total:
        raise DownloadError(f"{remote.url}: cut off after {size} of {total} bytes; {GO_ON}")


def _opened(remote: _Remote, start: int) -> http.client.HTTPResponse:
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
        raise DownloadError(f"{remote.url}: {_first_line(error)}") from error
    return response


def _reach(url: str) -> None:
    """Fail within seconds where nothing answers: neither name servers nor libraries keep to a short limit."""
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
        why = _first_line(failures[0]) if failures else f"no answer in {CONNECT_SECONDS:.0f} s"
        raise DownloadError(
            f"cannot reach {host}: {why}; run `vivid-bench weights fetch NAME --to DIR` on a machine with a network, "
            "copy DIR here, and set VIVID_BENCH_WEIGHTS to it"
        )


def _check_room(folder: Path, needed: int) -> None:
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        found = f"{free / 1e9:.1f} GB free"
        raise InputError(folder, expected=f"{needed / 1e9:.1f} GB of room", found=found, fix="free some or use --to")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
