"""What fetching a published set will download: asked of the servers, before anything comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vivid_bench.datasets.types import Card, Download
from vivid_bench.datasets.unpack import is_hidden, name_flaw
from vivid_bench.downloads import CONNECT_SECONDS, Remote, first_line, part_of, reach, reach_hub, size_of
from vivid_bench.errors import DownloadError, InputError, UnknownNameError, VividBenchError
from vivid_bench.submission.names import shown

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile, RepoFolder

FETCHING = ".fetching"
TARS = (".tar.gz", ".tgz")
"""Files of the hub that are unpacked where they lie, as `.zip` is; a plain `.tar` is a shard, which readers read."""

ELSEWHERE = "run the same command on a machine with a network, and copy its DIR here"


@dataclass(frozen=True)
class Item:
    """A file of a set, or an archive of files.

    Attributes:
        path: below the data folder, checked; an archive is unpacked into the folder it would lie in.
        size: in bytes, None: not known.
        git_sha1: git's hash of the content, which the hub has of files that are too small for a sha256.
    """

    remote: Remote
    path: str
    size: int | None
    is_archive: bool
    git_sha1: str | None = None

    @property
    def version(self) -> str:
        """What tells the file from another of its name, as far as its server says."""
        return self.remote.sha256 or self.git_sha1 or str(self.size)


@dataclass(frozen=True)
class Stage:
    """The hidden folder that a part of a set comes into: all of it is there before anything looks like a set.

    It holds `archives/`, what has come of them and `<archive>.done` once one is unpacked; `unpacking/`, the archive
    that is being unpacked; `files/`, as they will lie in the data folder; and that renamed `whole/` when all are there.
    """

    folder: Path

    def place(self, item: Item) -> Path:
        """Return where an item is downloaded to."""
        return self.folder / ("archives" if item.is_archive else "files") / item.path

    def done_mark(self, item: Item) -> Path:
        """Return the file that says, with an archive's version, that it is unpacked."""
        place = self.place(item)
        return place.with_name(f"{place.name}.done")

    def is_unpacked(self, item: Item) -> bool:
        """Whether an item is an archive that was unpacked, and is still the same at its source."""
        mark = self.done_mark(item)
        return item.is_archive and mark.is_file() and mark.read_text(encoding="utf-8") == item.version

    @property
    def whole(self) -> Path:
        """The folder of all the files, once all are there."""
        return self.folder / "whole"

    def bytes_left(self, item: Item) -> int:
        """Return how many bytes of an item of known size have still to come."""
        place = self.place(item)
        if place.exists() or self.is_unpacked(item):
            return 0
        part = part_of(place)
        return max(0, (item.size or 0) - (part.stat().st_size if part.exists() else 0))


@dataclass(frozen=True)
class Plan:
    """What a fetch will download.

    Attributes:
        source: where it comes from, to show, with its revision.
        items: none where all has come and has only to be moved into place.
        bytes_to_come: None: a server does not say how many.
        bytes_needed: on the disk at once, at least: archives unpack to about as much again.
    """

    name: str
    part: str
    licence: str
    source: str
    stage: Stage
    items: tuple[Item, ...]
    bytes_to_come: int | None
    bytes_needed: int


def choose(card: Card, part: str | None) -> tuple[str, Download]:
    """Return the part of a set to fetch, the first where none is named.

    Raises:
        UnknownNameError: the set has no such part.
        VividBenchError: its makers offer no download, or one that only a person can make; says what to do.
    """
    if not card.downloads:
        raise VividBenchError(f"{card.name}: no download is known; see {card.homepage}")
    chosen = part or next(iter(card.downloads))
    if chosen not in card.downloads:
        raise UnknownNameError(f"part of {card.name}", chosen, card.downloads)
    found = card.downloads[chosen]
    if not (found.hub or found.url):
        after = f"then `vivid-bench data check {card.name} --data DIR`"
        raise VividBenchError(f"{card.name} {chosen} cannot be fetched by a program: {found.by_hand}; {after}")
    return chosen, found


def plan_fetch(card: Card, part: str | None, to: Path) -> Plan:
    """Ask the servers what there is to fetch; nothing is downloaded.

    Raises:
        DownloadError: no network, the server refuses, or the set is gated and the user has no access.
        InputError: the server lists a file whose name leads elsewhere.
        UnknownNameError, VividBenchError: see `choose`.
    """
    chosen, found = choose(card, part)
    stage = Stage(to / FETCHING / f"{card.name}-{chosen}")
    source, items = found.url or hub_page(found.hub or ""), list[Item]()
    if not stage.whole.is_dir():
        source, items = _hub_items(card.name, found) if found.hub else _url_items(source, found)
    known = [stage.bytes_left(item) for item in items if item.size is not None]
    unpacked = sum(item.size or 0 for item in items if item.is_archive and not stage.is_unpacked(item))
    total = sum(known) if len(known) == len(items) else None
    return Plan(card.name, chosen, card.licence, source, stage, tuple(items), total, sum(known) + unpacked)


def hub_page(hub: str) -> str:
    """Return the address of a data set's page on the Hugging Face hub."""
    return f"https://huggingface.co/datasets/{hub}"


def _url_items(url: str, found: Download) -> tuple[str, list[Item]]:
    reach(url, ELSEWHERE)
    remote = Remote(url, PurePosixPath(urlsplit(url).path).name or "archive", found.sha256)
    return url, [Item(remote, remote.name, size_of(remote), is_archive=True)]


def _hub_items(name: str, found: Download) -> tuple[str, list[Item]]:
    from huggingface_hub import HfApi, hf_hub_url
    from huggingface_hub.errors import GatedRepoError

    hub = found.hub or ""
    page, headers, api = hub_page(hub), reach_hub(name, ELSEWHERE), HfApi()
    suffixes = TARS if found.zip_shards else (*TARS, ".zip")
    try:
        info = api.dataset_info(hub, timeout=CONNECT_SECONDS)
        if info.gated:
            api.auth_check(hub, repo_type="dataset")
        tree = list(api.list_repo_tree(hub, repo_type="dataset", revision=info.sha, recursive=True))
    except GatedRepoError as error:
        fix = "accept its terms there, then `hf auth login` or set HF_TOKEN"
        raise DownloadError(f"{name}: {page} is gated: {fix}") from error
    # The hub's own errors, and those of whichever HTTP library it is built on.
    except Exception as error:
        raise DownloadError(f"{name}: {page}: {first_line(error)}") from error
    items = []
    for file in _data_files(page, tree):
        url = hf_hub_url(hub, file.path, repo_type="dataset", revision=info.sha)
        sha256 = file.lfs.sha256 if file.lfs else None
        is_archive = file.path.lower().endswith(suffixes)
        remote = Remote(url, file.path, sha256, headers)
        items.append(Item(remote, file.path, file.size, is_archive, None if sha256 else file.blob_id))
    return f"{page}/tree/{info.sha}", items


def _data_files(page: str, tree: Iterable[RepoFile | RepoFolder]) -> Iterator[RepoFile]:
    """Yield the files of a repository that are data; raises `InputError` for a name that leads elsewhere."""
    from huggingface_hub.hf_api import RepoFile

    for file in tree:
        if not isinstance(file, RepoFile):
            continue
        if flaw := name_flaw(file.path):
            fix = "nothing was downloaded; tell the set's makers"
            raise InputError(page, expected="plain names", found=f"{shown(file.path)} ({flaw})", fix=fix)
        if not is_hidden(file.path):
            yield file
