"""Reader of YouTube-VOS 2018 and 2019: object removal from the sequences whose every annotated frame is there.

Masks come at 6 frames a second, every fifth frame of the videos; so do the clips. All objects of a sequence are removed
together, whenever they appear. Of `valid` and `test` only the frame in which an object first appears has a mask, which
is no mask sequence: they are left out, and counted. No reference exists.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.frame_trees import IMAGES, MASKS, Findings, FrameTree, findings
from vivid_bench.datasets.json_files import parse_json
from vivid_bench.datasets.listing import is_plain
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError
from vivid_bench.types import DELETE_PROMPT, Task

STEP = 5
"""Frames from one mask to the next."""

FPS = 30.0 / STEP
"""Of the frames that have masks (https://youtube-vos.org/dataset/vos: 6 fps)."""

_PARTS = ("train", "valid", "test")
_PAGE = "https://youtube-vos.org/dataset/vos"

CARD = Card(
    name="youtube-vos",
    title="YouTube-VOS 2018 and 2019",
    homepage=_PAGE,
    licence="annotations CC BY 4.0; the set for non-commercial research only (https://youtube-vos.org/dataset/term)",
    citation="Xu et al., YouTube-VOS: A Large-Scale Video Object Segmentation Benchmark, arXiv 1809.03327",
    tasks=("delete",),
    layout="[train/, valid/, test/]JPEGImages/<id>/00000.jpg, 00005.jpg, …\n"
    "[train/, …]Annotations/<id>/00000.png, 00005.png, …\n"
    "[train/, …]meta.json\n"
    "train_all_frames/JPEGImages/<id>/00000.jpg, 00001.jpg, … (read where train/ has no JPEGImages)",
    certain=True,
    source=f"{_PAGE}; AlonzoLeeeooo/StableV2V, README.md and datasets/youtube_vos.py (meta.json); "
    "suhwan-cho/awesome-video-object-segmentation and others for *_all_frames",
    downloads={
        "2018": Download(
            by_hand="register at https://competitions.codalab.org/competitions/19544, accept the terms, and unpack "
            "train.zip"
        ),
        "2019": Download(
            by_hand="register at https://competitions.codalab.org/competitions/20127, accept the terms, and unpack "
            "train.zip"
        ),
    },
)


class Meta(BaseModel):
    """What is used of `meta.json`: the sequences' names."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    videos: dict[str, Any]


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield the sequences by part and name; see `types.Reader`."""
    trees = {part: tree for part in ("", *_PARTS) if (tree := _tree(data, part))}
    if not trees:
        nothing = f"no {IMAGES} in it, nor in {', '.join(_PARTS)}"
        raise InputError(data, expected="YouTube-VOS", found=nothing, fix=f"--data is the folder of:\n{CARD.layout}")
    seen: set[str] = set()
    with findings(report, data) as found:
        for part, tree in trees.items():
            names = _names(data / part / "meta.json", tree, found)
            # Of `train` every fifth frame has a mask; a folder that is a part itself may be any.
            partial = not (part or data.resolve().name).startswith("train")
            clips = tree.clips(names, report, found, partial_expected=partial)
            for clip, labels in tree.labelled(clips, report):
                if clip.name in seen:
                    found.odd("sequences left out, for an earlier part has them too", clip.source)
                    continue
                seen.add(clip.name)
                yield Candidate(
                    id=clip.name, task=task, source=clip.source, mask=clip.mask, prompt=DELETE_PROMPT, fps=FPS,
                    span=clip.span, frames=clip.frames, labels=labels,
                )  # fmt: skip
    if not (seen or report.problems):
        left_out = "; ".join(report.warnings) or "no sequences"
        fix = "valid and test have masks of first frames only: give the folder that holds train too"
        raise InputError(data, expected="sequences of which every fifth frame has a mask", found=left_out, fix=fix)


def _tree(data: Path, part: str) -> FrameTree | None:
    """Return where a part's images and masks lie: its own, or else those of the part with all frames."""
    folders = (part, f"{part}_all_frames") if part else ("",)

    def place(kind: str) -> str | None:
        return next((path for folder in folders if (data / (path := f"{folder}/{kind}".lstrip("/"))).is_dir()), None)

    images = place(IMAGES)
    return FrameTree(data, images, place(MASKS) or f"{folders[0]}/{MASKS}".lstrip("/"), STEP) if images else None


def _names(meta: Path, tree: FrameTree, found: Findings) -> list[str]:
    present = tree.names(found)
    if not meta.is_file():
        return present
    try:
        listed = Meta.model_validate(parse_json(meta.read_bytes())).videos
    except ValueError as error:
        expected = 'a list of videos: {"videos": {"003234408d": …}}'
        raise InputError(meta, expected=expected, found=str(error), fix=DOWNLOAD) from error
    for name in sorted(listed):
        if not is_plain(name):
            raise InputError(meta, expected="names of videos", found=ascii(name), fix=DOWNLOAD)
    for name in present:
        if name not in listed:
            found.odd(f"sequences left out, for {meta.parent.name}/meta.json does not name them", name)
    return sorted(listed)
