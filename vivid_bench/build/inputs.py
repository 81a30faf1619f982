"""What the builder is given: videos, folders of frames, and folders `<id>/source.* + mask.*`.

DIR/any/where/beach.mp4   [DIR/any/where/beach.txt: its caption]
DIR/any/where/00000.png …  a folder of numbered PNG or JPEG frames and nothing else to read
DIR/<id>/source.mp4        [DIR/<id>/mask.mp4] [DIR/<id>/caption.txt]; each a video, a folder of frames, and a mask
                           also one image for all frames
[DIR/clips.json]           captions of those folders by id, as the suite `folder` reads them
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from vivid_bench.build.work import MARKS
from vivid_bench.datasets.folder import read_list
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.files import sha256_text
from vivid_bench.images import IMAGE_SUFFIXES
from vivid_bench.video import VIDEO_SUFFIXES

RAW_SUFFIXES = (*VIDEO_SUFFIXES, ".m4v", ".3gp", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".flv", ".wmv", ".ogv")

MAX_SLUG = 80
"""Characters; ids of clips, entities and samples are made by adding to it."""


@dataclass(frozen=True)
class Input:
    """A video to build from.

    Attributes:
        video: a file, or a folder of frames.
        mask: the same, or one image; white = the entity. None where entities have to be found.
        caption: the user's text, each run of white space one space; None where there is none.
        name: path of the video, or of its folder `<id>`, below the folder that was searched.
    """

    video: Path
    mask: Path | None
    caption: str | None
    name: str


def find_inputs(folder: Path, out: Path | None = None) -> list[Input]:
    """Return all that can be built from below a folder, sorted by name; nothing is decoded.

    Hidden files and folders and what earlier builds made are left out, and links to folders are not followed.

    Args:
        out: a folder that is no input, wherever it lies.

    Raises:
        InputError: no folder, no permission, or nothing in it.
        InputReportError: folders with several sources or masks, captions that are not UTF-8.
    """
    if not folder.is_dir():
        raise InputError(folder, expected="a folder of videos", found="none", fix="check --videos")
    own = out.resolve() if out else None
    found: list[Input] = []
    problems: list[InputError] = []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _is_a_build(here / name, own))
        visible = sorted(name for name in files if not name.startswith("."))
        try:
            found += _inputs_in(folder, here, folders, visible)
        except InputError as error:
            problems.append(error)
    if problems:
        raise InputReportError(folder, problems)
    if not found:
        fix = f"put videos there ({', '.join(RAW_SUFFIXES)})"
        raise InputError(folder, expected="videos", found="none", fix=fix)
    captions = _listed_captions(folder / "clips.json")
    found = [replace(entry, caption=entry.caption or captions.get(entry.name)) for entry in found]
    return sorted(found, key=lambda entry: entry.name)


def clip_names(names: Iterable[str]) -> dict[str, str]:
    """Return a name for each input that is safe as a file name: ASCII letters, digits, `.`, `_` and `-`.

    It depends on nothing but the input's own name, but where two of them would get the same.

    Args:
        names: paths as `Input.name` gives them.

    Returns:
        name -> slug, at most MAX_SLUG characters, all different even where capitals do not count. It ends in eight hex
        digits of the name's hash where characters were lost or names collide.

    Example:
        >>> clip_names(["a/b.mp4", "été.mov"])
        {'a/b.mp4': 'a-b', 'été.mov': 'ete-2409c1aa'}
    """
    slugs = {name: _slug(name) for name in names}
    hashed = {name: f"{slug[: MAX_SLUG - 9]}-{_hash(name)}".lstrip("-") for name, (slug, _) in slugs.items()}
    wished = {name: slug if is_whole else hashed[name] for name, (slug, is_whole) in slugs.items()}
    many = Counter(slug.casefold() for slug in wished.values())
    return {name: slug if many[slug.casefold()] == 1 else hashed[name] for name, slug in wished.items()}


def path_text(path: Path, folder: Path) -> str:
    """Return a path below a folder as text: bytes of it that are no UTF-8 are spelt `\\xe9`."""
    return _as_text(path.relative_to(folder).as_posix())


def error_text(error: InputError, video: Path, folder: Path) -> str:
    """Return an error's words without the video's name, the same wherever the folder of videos lies."""
    return _as_text(str(error).removeprefix(f"{video}: ").removeprefix(f"{folder}/"))


def _as_text(name: str) -> str:
    # File names that are no UTF-8 reach Python with surrogates, which no JSON file takes.
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _slug(name: str) -> tuple[str, bool]:
    """Return the name as a slug, and whether it can be told from it."""
    stem = name[: -len(suffix)] if (suffix := Path(name).suffix).lower() in RAW_SUFFIXES else name
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    # Spaces and separators are spelt as one dash; nobody takes that for a loss.
    dashed = re.sub(r"[ /]", "-", ascii_only)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", dashed).strip("-._")
    is_whole = bool(slug) and len(slug) <= MAX_SLUG and slug == re.sub(r"[ /]", "-", stem)
    return slug[:MAX_SLUG], is_whole


def _hash(name: str) -> str:
    return sha256_text(name.encode("utf-8", "backslashreplace").decode())[:8]  # surrogates, see `_as_text`


def _refuse(error: OSError) -> None:
    raise InputError(error.filename, expected="a readable folder", found=str(error.strerror), fix="chmod it")


def _inputs_in(root: Path, here: Path, folders: list[str], files: list[str]) -> list[Input]:
    """Return a folder's inputs; what belongs to them is taken out of `folders`, which are walked next."""
    source = _one(here, "source", folders, files, RAW_SUFFIXES)
    if source is not None and here != root:
        mask = _one(here, "mask", folders, files, (*RAW_SUFFIXES, *IMAGE_SUFFIXES))
        _refuse_others(here, [path.name for path in (source, mask) if path], files)
        folders.clear()
        return [Input(source, mask, _caption(here / "caption.txt"), here.relative_to(root).as_posix())]
    videos = [here / name for name in files if Path(name).suffix.lower() in RAW_SUFFIXES]
    if not videos and not folders and any(_is_frame(name) for name in files):
        name = here.relative_to(root).as_posix() if here != root else "frames"
        return [Input(here, None, _caption(here.with_name(f"{here.name}.txt")), name)]
    return [
        Input(video, None, _caption(video.with_suffix(".txt")), video.relative_to(root).as_posix()) for video in videos
    ]


def _is_a_build(folder: Path, own: Path | None) -> bool:
    return folder.resolve() == own or any((folder / mark).is_file() for mark in MARKS)


def _refuse_others(here: Path, known: list[str], files: list[str]) -> None:
    """Raise for a video beside `source.*` and `mask.*`: `masks.mkv` or a second take would be left out in silence.

    The suite `folder` has a `reference.*` there, too.
    """
    videos = [name for name in files if Path(name).suffix.lower() in RAW_SUFFIXES]
    others = [name for name in videos if name not in known and Path(name).stem.lower() != "reference"]
    if others:
        fix = "rename it to mask.*, or move it into a folder of its own"
        raise InputError(here, expected="source.* and mask.* alone", found=", ".join(others), fix=fix)


def _listed_captions(listing: Path) -> dict[str, str | None]:
    """Return the captions of a list such as the suite `folder` reads; none without one."""
    return {entry.id: entry.caption for entry in read_list(listing)} if listing.is_file() else {}


def _one(here: Path, stem: str, folders: list[str], files: list[str], suffixes: tuple[str, ...]) -> Path | None:
    names = [name for name in files if Path(name).stem.lower() == stem and Path(name).suffix.lower() in suffixes]
    names += [name for name in folders if name == stem]
    if len(names) > 1:
        raise InputError(here, expected=f"one {stem}", found=", ".join(names), fix="remove all but one")
    return here / names[0] if names else None


def _is_frame(name: str) -> bool:
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and Path(name).stem[-1:].isdigit()


def _caption(path: Path) -> str | None:
    try:
        return " ".join(path.read_text(encoding="utf-8-sig").split()) or None
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(path, expected="a caption in UTF-8", found=str(error), fix="save it again") from error
