"""Every sample of VIVID-10M below a folder, from lists, folders and shards, by names alone: no clip is decoded.

What is missing is counted by kind, with the first names, and left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from vivid_bench.datasets import vivid10m_names as named
from vivid_bench.datasets.json_files import parse_json
from vivid_bench.datasets.listing import is_leftover
from vivid_bench.datasets.vivid10m_lists import is_index, lists_in, parquet_rows, rows_of_list
from vivid_bench.datasets.vivid10m_rows import Row, Tally, json_of, row_of, text_of
from vivid_bench.errors import InputError
from vivid_bench.shards import MEMBER, byte_columns, members, opened_parquet

CLIPS = "clips.json"

Clips = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Files:
    """One video's files, or one folder's.

    Attributes:
        before: what stands before each name in a sample's path, e.g. `videos/00049967/` or `a.tar::00049967/`.
        video: the video's name; empty for a folder of several.
    """

    before: str
    names: Sequence[str]
    video: str = ""


def walk(data: Path, tally: Tally) -> Iterator[Row]:
    """Yield all samples below a folder: those of the set's own lists where it has any, else of its files.

    Lists lie in the folder itself and name a source and a mask in each entry, under one of the names in
    `vivid10m_names.ALIASES`. Raises `InputError` for a list or a folder that cannot be read.
    """
    lists = lists_in(data)
    for path in lists:
        yield from rows_of_list(path, tally)
    if lists:
        return
    clips = _clips(data)
    for files in _places(data, tally):
        if files.video:
            yield from _of_one_video(data, files, clips, tally)
            continue
        yield from _of_keys(data, files, tally)
        for name in files.names:
            if name.endswith(".parquet") and MEMBER not in files.before:
                yield from _of_parquet(data, f"{files.before}{name}", tally)


def _places(data: Path, tally: Tally) -> Iterator[Files]:
    """Yield the files of one video or one folder after another, those inside tars and zips as well."""
    for folder, below, files in os.walk(data, onerror=_refuse):
        here = Path(folder)
        before = "" if here == data else f"{here.relative_to(data).as_posix()}/"
        below[:] = sorted(name for name in below if not is_leftover(name))
        for name in below:
            if (here / name).is_symlink():
                tally.add("folders, not links to folders", "give --data as the linked folder, or move it here", name)
        visible = sorted(name for name in files if not is_leftover(name))
        if named.is_of_one_video(here.name if before else "", visible):
            below.clear()
            own = (path.relative_to(here) for path in here.rglob("*") if path.is_file())
            yield Files(before, sorted(path.as_posix() for path in own if _is_own(path)), here.resolve().name)
            continue
        yield Files(before, visible)
        for name in visible:
            if Path(name).suffix.lower() in (".tar", ".zip", ".tgz") or ".tar." in name:
                try:
                    inside = [member for member in members(here / name) if _is_own(PurePosixPath(member))]
                except InputError as error:
                    tally.damaged.append(error)
                else:
                    yield from _places_in_shard(inside, f"{before}{name}{MEMBER}")


def _is_own(path: PurePath) -> bool:
    return not any(is_leftover(part) for part in path.parts)


def _refuse(error: OSError) -> None:
    found, fix = str(error.strerror), "check its permissions"
    raise InputError(str(error.filename), expected="a readable folder", found=found, fix=fix) from error


def _places_in_shard(inside: Sequence[str], before: str) -> Iterator[Files]:
    folders: dict[str, list[str]] = {}
    for name in inside:
        folders.setdefault(PurePosixPath(name).parent.as_posix(), []).append(name)
    videos: dict[str, list[str]] = {}
    for folder, names in folders.items():
        parts = PurePosixPath(folder).parts
        numbered = [i for i, part in enumerate(parts) if named.is_video_id(part)]
        if numbered:
            videos.setdefault("/".join(parts[: numbered[0] + 1]), []).extend(names)
        elif folder != "." and named.is_of_one_video(parts[-1], [PurePosixPath(name).name for name in names]):
            videos.setdefault(folder, []).extend(names)
        else:
            yield Files(before, names)
    for folder, names in videos.items():
        below = [name.removeprefix(f"{folder}/") for name in names]
        yield Files(f"{before}{folder}/", below, PurePosixPath(folder).name)


def _of_one_video(data: Path, files: Files, clips: Clips, tally: Tally) -> Iterator[Row]:
    masks = [(name, mask) for name in files.names if (mask := named.parse_mask(name))]
    if not masks:
        yield from _flat(data, files, clips.get(files.video, {}), tally)
        return
    clips_here = {mask.clip for _, mask in masks}
    for name, mask in masks:
        sample_id = named.sample_id(files.video, name)
        source = named.pick_source(files.names, files.video, mask.clip, name)
        path = f"{files.before}{source}" if source else _beside(data, files, mask.clip, len(clips_here) == 1)
        if path is None:
            which = "" if len(clips_here) == 1 else ", the clip's own where masks are of several clips"
            tally.add(f"a source with each mask ({named.LOOKED_FOR}{which})", "add it", f"{files.before}{name}")
            continue
        facts: dict[str, Any] = {"task": mask.task, "mask_kind": mask.kind, "source_video": files.video}
        if mask.task != "delete":
            caption = named.pick_caption(files.names, mask)
            facts["prompt"] = caption and text_of(data, f"{files.before}{caption}", tally)
        yield from row_of(sample_id, path, f"{files.before}{name}", mask, facts, tally)


def _flat(data: Path, files: Files, entry: Mapping[str, Any], tally: Tally) -> Iterator[Row]:
    """`<id>/source.mp4 + mask.mp4`, with `caption.txt` or an entry in `clips.json`."""
    stems = {named.split_name(name)[0]: name for name in files.names if named.is_media(name) and "/" not in name}
    mask = stems.get("mask")
    source = named.pick_source(files.names, files.video, "clip0000", mask) if mask else None
    if mask is None or source is None:
        expected = f"masks (mask_clip0000_instance0000_ori_mask.mp4, or mask.mp4) and a source ({named.LOOKED_FOR})"
        tally.add(f"{expected} in each video's folder", "add them, or move the folder away", files.before)
        return
    facts = {"source_video": files.video} | named.fields_of(entry)
    if facts.get("reference") == source:  # there, relative to the clip's folder
        del facts["reference"]
    if "prompt" not in facts and "caption.txt" in files.names:
        facts["prompt"] = text_of(data, f"{files.before}caption.txt", tally)
    yield from row_of(files.video, f"{files.before}{source}", f"{files.before}{mask}", None, facts, tally)


def _beside(data: Path, files: Files, clip: str, only_clip: bool) -> str | None:
    """Return the video of a folder that lies beside it, or in a folder of videos of its own, by the video's number."""
    if MEMBER in files.before:
        return None
    parent = PurePosixPath(files.before).parent
    for folder in dict.fromkeys((parent, *(PurePosixPath(name) for name in ("videos", "video", "source", "sources")))):
        for stem in (f"{files.video}_{clip}", *([files.video] if only_clip else [])):
            for suffix in named.MEDIA_SUFFIXES:
                path = (folder / f"{stem}{suffix}").as_posix()
                if (data / path).is_file():
                    return path
    return None


def _of_keys(data: Path, files: Files, tally: Tally) -> Iterator[Row]:
    """`<key>.mp4 <key>.mask.mp4 <key>.txt <key>.json`, in a folder or a shard."""
    # Keys are unique in a shard, and in many sets begin again in the next.
    shard = files.before.rpartition(MEMBER)[0]
    first = f"{_as_id(shard)}_" if shard else files.before.replace("/", "_")
    groups = list(named.keyed(files.names))
    expects_masks = bool(shard) or any(group.mask for group in groups)
    for group in groups:
        if group.twice:
            tally.add("one source and one mask with each key", "remove the other", f"{files.before}{group.key}")
            continue
        if group.mask is None:
            if expects_masks and group.has_media:
                expected = "a mask with each key (<key>.mask.mp4; a key ends at the first dot)"
                tally.add(expected, "add it, or rename the files", f"{files.before}{group.key}")
            continue
        mask = f"{files.before}{group.mask}"
        if group.source is None:
            tally.add("a source with each mask (<key>.mp4 beside <key>.mask.mp4)", "add it", mask)
            continue
        facts = named.fields_of(json_of(data, f"{files.before}{group.facts}", tally)) if group.facts else {}
        if "prompt" not in facts and group.caption:
            facts["prompt"] = text_of(data, f"{files.before}{group.caption}", tally)
        if group.reference:
            facts["reference"] = group.reference
        default = f"{first}{group.key.replace('/', '_')}"
        facts.setdefault("source_video", named.video_of(group.key) or default)
        yield from row_of(default, f"{files.before}{group.source}", mask, None, facts, tally)


def _as_id(path: str) -> str:
    """Return a shard's path as the beginning of ids: its last suffix dropped, folders kept apart by `_`."""
    return PurePosixPath(path).with_suffix("").as_posix().replace("/", "_")


def _of_parquet(data: Path, path: str, tally: Tally) -> Iterator[Row]:
    """Rows of a parquet file whose columns of bytes hold the clip and its mask; those columns are not read."""
    try:
        if is_index(data / path):
            return
        with opened_parquet(data / path) as file:
            heavy = named.fields_of({name: name for name in byte_columns(file.schema_arrow)})
        if not {"source", "mask"} <= heavy.keys():
            names = f"{named.ALIASES['source']} and {named.ALIASES['mask']}"
            expected = f"columns of bytes for source and mask ({names}) in each parquet file"
            tally.add(expected, "rename the columns", path)
            return
        for number, entry in enumerate(parquet_rows(data / path)):
            facts = named.fields_of(entry)
            if "reference" in heavy:
                facts["reference"] = heavy["reference"]
            if heavy["source"].startswith("image"):
                facts.setdefault("frames", 1)
            source, mask = (f"{path}{MEMBER}{number}/{heavy[field]}" for field in ("source", "mask"))
            yield from row_of(f"{_as_id(path)}_{number}", source, mask, None, facts, tally)
    except InputError as error:
        tally.damaged.append(error)


def _clips(data: Path) -> dict[str, Mapping[str, Any]]:
    """Return the entries of a `clips.json` by id; none where there is no such file."""
    path = data / CLIPS
    if not path.is_file():
        return {}
    try:
        return {str(entry["id"]): entry for entry in parse_json(path.read_bytes())}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            path, expected="a list of clips, each with an id", found=str(error), fix="correct it"
        ) from error
