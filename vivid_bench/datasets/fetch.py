"""Fetching published data sets, when asked to; what a kill leaves never looks like a set (`fetch_plan.Stage`)."""

from __future__ import annotations

import filecmp
import hashlib
import json
import shutil
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from vivid_bench.datasets.fetch_plan import FETCHING, Item, Plan, Stage
from vivid_bench.datasets.unpack import unpack
from vivid_bench.downloads import AGAIN, CHUNK_BYTES, Show, check_sha256, download
from vivid_bench.errors import InputError
from vivid_bench.files import disk_errors_named, write_text

FETCHED = ".fetched"
"""Folder of the records of what was fetched, `<name>-<part>.json`, below a data folder."""


def fetch(plan: Plan, to: Path, show: Show) -> None:
    """Download a part of a set into a data folder; one that was stopped goes on where it was.

    Raises:
        DownloadError: no network, or a server refuses or stops.
        InputError: no room on the disk, content that is not what it must be, an archive that `unpack` refuses, or a
            file in the data folder that the set would replace by another one.
    """
    stage = plan.stage
    if not stage.whole.is_dir():
        files = stage.folder / "files"
        with disk_errors_named(to):
            files.mkdir(parents=True, exist_ok=True)
        _download_all(plan, show)
        for item in plan.items:
            if item.is_archive and not stage.is_unpacked(item):
                _unpack(stage, item, show)
        files.rename(stage.whole)
    _check_free(stage.whole, to)
    with disk_errors_named(to):
        _move(stage.whole, to)
    record = {"name": plan.name, "part": plan.part, "source": plan.source, "licence": plan.licence}
    write_text(record_of(to, plan.name, plan.part), json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    shutil.rmtree(stage.folder)
    if not any(stage.folder.parent.iterdir()):
        stage.folder.parent.rmdir()


def record_of(to: Path, name: str, part: str) -> Path:
    """Return where the record of a fetch lies in a data folder; it is there when the part is."""
    return to / FETCHED / f"{name}-{part}.json"


def unfinished(data: Path) -> list[str]:
    """Say which fetches into a data folder have not come to their end, one line each."""
    names = sorted(path.name for path in (data / FETCHING).glob("*"))
    left = [name for name in names if not (data / FETCHED / f"{name}.json").is_file()]
    return [f"{data}: {name} is not fetched whole; give the same `data fetch` again to go on" for name in left]


def _download_all(plan: Plan, show: Show) -> None:
    """Show all the files as one download, since sets have thousands."""
    sizes = [item.size for item in plan.items]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    with show(f"{plan.name} {plan.part}", total) as advance:
        for item in plan.items:
            place, check = plan.stage.place(item), partial(_check, item=item)
            if plan.stage.is_unpacked(item) or _is_there(place, item):
                advance(item.size or 0)
            else:
                download(item.remote, place, lambda *_: nullcontext(advance), check)


def _is_there(place: Path, item: Item) -> bool:
    """Whether a file has come earlier, as the server has it now; removes another one."""
    if not place.is_file():
        return False
    try:
        _check(place, item)
    except InputError:
        place.unlink()
        return False
    return True


def _check(file: Path, item: Item) -> None:
    size = file.stat().st_size
    if item.remote.sha256:
        check_sha256(file, item.remote.sha256, AGAIN)
    elif item.git_sha1:
        if (found := _git_sha1(file, size)) != item.git_sha1:
            raise InputError(file, expected=f"git's hash {item.git_sha1[:12]}…", found=f"{found[:12]}…", fix=AGAIN)
    elif item.size not in (None, size):
        raise InputError(file, expected=f"{item.size} bytes", found=str(size), fix=AGAIN)


def _git_sha1(file: Path, size: int) -> str:
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with file.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _unpack(stage: Stage, item: Item, show: Show) -> None:
    archive, unpacking = stage.place(item), stage.folder / "unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    unpacking.mkdir()
    unpack(archive, unpacking, show)
    with disk_errors_named(stage.folder):
        _move(unpacking, (stage.folder / "files" / item.path).parent)
    write_text(stage.done_mark(item), item.version)
    archive.unlink()


def _check_free(source: Path, target: Path) -> None:
    """Raise `InputError` where a file of the set would replace one that is not the same."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if not place.exists() or (path.is_dir() and place.is_dir()):
            continue
        if path.is_dir() or place.is_dir() or not filecmp.cmp(path, place, shallow=False):
            fix = "move it away and give the same command again: nothing is downloaded twice"
            raise InputError(place, expected="nothing, or the set's own file", found="another one", fix=fix)


def _move(source: Path, target: Path) -> None:
    """Move what a folder holds into another one, which may hold folders of the same names."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _move(path, place)
        else:
            path.replace(place)
