"""Samples of VIVID-10M as rows of text and numbers, and a count of what could not become one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from vivid_bench.datasets import vivid10m_names as named
from vivid_bench.datasets.json_files import parse_json
from vivid_bench.datasets.listing import NAMES_SHOWN, is_utf8
from vivid_bench.errors import InputError
from vivid_bench.shards import MEMBER, read_member
from vivid_bench.types import DELETE_PROMPT

MAX_ID = 200
_MAX_COUNT = 2**31


class Row(NamedTuple):
    """A sample.

    Attributes:
        task: `add,modify`, `add`, `modify` or `delete`.
        source, mask: relative to the data folder; `shard::member` in shards.
        mask_kind: one of `masks.MASK_KINDS`; None where nothing says which.
        frames, height, width: None where neither a list nor the file's header says.
        source_video: the video that the clip was cut from.
    """

    id: str
    task: str
    source: str
    mask: str
    prompt: str
    mask_kind: str | None
    frames: int | None
    height: int | None
    width: int | None
    source_video: str


@dataclass
class Tally:
    """What was left out, by kind: how many, and the first names.

    Attributes:
        damaged: what could not be read at all, one by one.
    """

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    first: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    damaged: list[InputError] = field(default_factory=list)

    def add(self, expected: str, fix: str, name: str) -> None:
        """Count one that is not as expected."""
        kind = (expected, fix)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        names = self.first.setdefault(kind, [])
        if len(names) < NAMES_SHOWN:
            names.append(name if name.isprintable() else ascii(name))

    def problems(self, data: Path) -> list[InputError]:
        """Return the errors of what is damaged, and one for each other kind."""
        return self.damaged + [
            InputError(
                data, expected=expected,
                found=f"{count} without ({', '.join(self.first[expected, fix])}{', …' if count > NAMES_SHOWN else ''})",
                fix=fix,
            )
            for (expected, fix), count in self.counts.items()
        ]  # fmt: skip


def row_of(
    default_id: str, source: str, mask: str, parsed: named.MaskName | None, facts: Mapping[str, Any], tally: Tally
) -> Iterator[Row]:
    """Yield the row, or count what it lacks."""
    parsed = parsed or named.parse_mask(PurePosixPath(mask.rpartition(MEMBER)[2]).name)
    if not is_utf8(f"{source}{mask}"):
        tally.add("names of files in UTF-8", "rename them", mask)
        return
    if facts.get("reference", source) != source or facts.get("hole", "hidden") != "hidden":
        expected = "samples that are their own reference under a hidden hole, as VIVID-10M's are"
        tally.add(expected, "read others by --suite folder", mask)
        return
    prompt = facts.get("prompt") or ""
    if not isinstance(prompt, str):
        tally.add("a caption that is one text with each sample", "correct the list", mask)
        return
    prompt = prompt.strip()
    stated = facts.get("task")
    task = named.task_of(stated) if stated else parsed.task if parsed else named.BOTH if prompt else None
    if task is None:
        found = "a known task with each sample (add, modify, delete, instance, remove; or a caption)"
        tally.add(found, "state it in the list", f"{mask}{f': {stated}' if stated else ''}")
        return
    if task == "delete":
        prompt = prompt or DELETE_PROMPT
    elif not prompt:
        expected = "a caption with each instance's mask (<id>/local_caption/v2/local_caption_<clip>_<instance>.txt)"
        tally.add(expected, "add it, or leave the sample out", mask)
        return
    sample_id = str(facts.get("id", default_id))
    if len(sample_id) > MAX_ID or sample_id[0] == "." or not sample_id.isprintable() or set("/\\") & set(sample_id):
        tally.add("ids that can be file names", "rename the samples", sample_id)
        return
    kind = named.kind_of(facts["mask_kind"]) if "mask_kind" in facts else parsed.kind if parsed else None
    video = str(facts.get("source_video") or named.video_of(source.rpartition(MEMBER)[2]) or source)
    frames, height, width = (_whole(facts.get(name)) for name in ("frames", "height", "width"))
    if frames is None and named.is_image(source):
        frames = 1
    yield Row(sample_id, task, source, mask, prompt, kind, frames, height, width, video)


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and int(text) < _MAX_COUNT else None


def text_of(data: Path, path: str, tally: Tally) -> str | None:
    """Return a text's non-empty lines joined by a space, as the authors' own script does."""
    try:
        content = read_member(data, path) if MEMBER in path else (data / path).read_bytes()
        lines = content.decode("utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError):
        tally.add("readable texts in UTF-8", "download them again", path)
        return None
    return " ".join(line.strip() for line in lines if line.strip())


def json_of(data: Path, path: str, tally: Tally) -> Mapping[str, Any]:
    """Return a file's object; what is none is counted, and empty here."""
    text = text_of(data, path, tally)
    try:
        value = parse_json(text.encode()) if text else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        tally.add("an object in each .json", "download them again", path)
        return {}
    return value


def leads_out(path: str) -> bool:
    """Return whether a listed path is no plain path below its folder."""
    plain = PurePosixPath(path)
    return plain.is_absolute() or ".." in plain.parts or "\\" in path or not path.isprintable()
