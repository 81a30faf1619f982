"""Downloading weights into a folder of weights, from the Hugging Face hub or from elsewhere."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vivid_bench.downloads import AGAIN, CONNECT_SECONDS, Remote, Show, download, first_line, reach, reach_hub
from vivid_bench.errors import DownloadError, MissingWeightsError
from vivid_bench.weights import Weights, cache_folder, in_folder, locate
from vivid_bench.weights_check import check_file, check_path, known_sha256

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

ELSEWHERE = (
    "run `vivid-bench weights fetch NAME --to DIR` on a machine with a network, copy DIR here, and set "
    "VIVID_BENCH_WEIGHTS to it"
)


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
        check = partial(check_file, sha256=remote.sha256, fix=AGAIN)
        download(remote, (to or cache_folder()) / entry.name / remote.name, show, check)
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


def _remotes(entry: Weights) -> list[Remote]:
    """Return the files to download, the one with the tensors last: its presence says that all are there."""
    if entry.hub:
        return _on_the_hub(entry, entry.hub)
    if entry.url and entry.file:
        reach(entry.url, ELSEWHERE)
        return [Remote(entry.url, entry.file, known_sha256(Path(entry.file), entry))]
    return []


def _on_the_hub(entry: Weights, hub: str) -> list[Remote]:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    headers = reach_hub(entry.name, ELSEWHERE)

    def remote(file: str) -> Remote:
        url = hf_hub_url(hub, file, revision=entry.revision)
        metadata = get_hf_file_metadata(url, timeout=CONNECT_SECONDS)
        return Remote(url, file, known_sha256(Path(file), entry) or _sha256_of(metadata), headers)

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
        raise DownloadError(f"{entry.name}: {entry.source}: {first_line(error)}") from error


def _sha256_of(metadata: HfFileMetadata) -> str | None:
    """Return the sha256 that the hub gives of large files; of small ones it gives git's hash."""
    return metadata.etag if metadata.etag and len(metadata.etag) == 64 else None
