"""Reader of FiVE-Bench: six kinds of fine-grained edits of 100 videos, each with a mask of what is edited.

Kinds 1 to 4 (replacement rigid and non-rigid, colour, material) are modify, 5 (addition) is add, 6 (removal) is delete,
numbered as the makers' README numbers its six tasks. The prompt is the target prompt without its brackets, of a delete
too: it describes the whole scene after the edit. A video has one mask, whatever the edit: that of an addition covers
what the video shows, not the place of what is added.

Where the makers' code does otherwise: it takes any grey above 0 of a JPEG mask for the mask, here masks are cut at
half, as all are; it scores every 8th frame, here all count. The frames have no rate of their own and are given 24.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.frame_trees import Findings, FrameClip, FrameTree, findings
from vivid_bench.datasets.json_files import found_wrong, parse_json
from vivid_bench.datasets.listing import content, folders, is_plain
from vivid_bench.datasets.mask_kinds import Labels
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError
from vivid_bench.images import numbered_frames
from vivid_bench.types import Task

LISTS, IMAGES, MASKS = "edit_prompt", "images", "bmasks"

CARD = Card(
    name="five",
    title="FiVE-Bench: A Fine-Grained Video Editing Benchmark",
    homepage="https://github.com/MinghanLi/FiVE-Bench",
    licence="CC BY-NC 4.0 (the set's card on the hub); 74 of its 100 videos are DAVIS', under DAVIS' terms",
    citation="Li et al., FiVE: A Fine-Grained Video Editing Benchmark for Evaluating Emerging Diffusion and Rectified "
    "Flow Models, ICCV 2025, arXiv 2503.13684",
    tasks=("add", "modify", "delete"),
    layout=(
        f"{LISTS}/edit1_FiVE.json … edit6_FiVE.json\n"
        f"{IMAGES}/<video>/00001.jpg …  ({IMAGES}.zip, unpacked)\n"
        f"{MASKS}/<video>/00001.jpg …  ({MASKS}.zip, unpacked)"
    ),
    certain=True,
    source="MinghanLi/FiVE-Bench 737b30e6: README.md, INSTALL.md (tree), evaluation/evaluate.py (fields of the lists). "
    "Not seen: the files themselves, so which number is which kind is by the README's order",
    downloads={"all": Download(hub="LIMinghan/FiVE-Fine-Grained-Video-Editing-Benchmark")},
)

TASK_OF: dict[int, Task] = {1: "modify", 2: "modify", 3: "modify", 4: "modify", 5: "add", 6: "delete"}
"""By `editing_type_id`."""


class Edit(BaseModel):
    """An entry of a list: what is used of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    video_name: str
    editing_type_id: int
    target_prompt: str

    @property
    def prompt(self) -> str:
        """The target prompt without the brackets around what changes, as the makers' evaluation reads it."""
        return self.target_prompt.replace("[", "").replace("]", "").strip()


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield a task's edits, `edit<kind>-<video>`, in the order of the lists; see `types.Reader`."""
    for name in (LISTS, IMAGES, MASKS):
        if not (data / name).is_dir():
            fix = f"--data is the folder of:\n{CARD.layout}"
            raise InputError(data, expected=f"a folder {name}", found=content(data), fix=fix)
    with findings(report, data) as found:
        edits = _edits(data / LISTS, found)
        _note_left_over(data, edits, found)
        clips: dict[str, tuple[FrameClip, Labels] | None] = {}
        seen: Counter[tuple[int, str]] = Counter()
        for edit in edits:
            kind, video = edit.editing_type_id, edit.video_name
            if TASK_OF[kind] != task:
                continue
            if video not in clips:
                clips[video] = _clip(data, video, report, found)
            if (labelled := clips[video]) is None:
                continue
            clip, labels = labelled
            seen[kind, video] += 1
            again = f".{seen[kind, video]}" if seen[kind, video] > 1 else ""
            yield Candidate(
                id=f"edit{kind}{again}-{video}", task=task, source=clip.source, mask=clip.mask, prompt=edit.prompt,
                hole="visible", span=clip.span, frames=clip.frames, labels=labels, source_video=video,
            )  # fmt: skip


def _edits(folder: Path, found: Findings) -> list[Edit]:
    """Read the six lists, some hundred entries; those that cannot be used are noted."""
    usable = []
    for path in (folder / f"edit{kind}_FiVE.json" for kind in TASK_OF):
        if not path.is_file():
            found.missing(f"edit1_FiVE.json to edit{max(TASK_OF)}_FiVE.json in {LISTS}", path.name)
            continue
        for edit in _list(path):
            if not is_plain(edit.video_name):
                found.missing("video_name to be the plain name of a folder", edit.video_name)
            elif edit.editing_type_id not in TASK_OF:
                found.missing(f"editing_type_id from 1 to {max(TASK_OF)}", f"{edit.video_name} in {path.name}")
            elif not edit.prompt:
                found.missing("a target_prompt of each edit", f"{edit.video_name} in {path.name}")
            else:
                usable.append(edit)
    return usable


def _list(path: Path) -> list[Edit]:
    try:
        return TypeAdapter(list[Edit]).validate_python(parse_json(path.read_bytes()))
    except ValueError as error:
        expected = f"a list of edits with {', '.join(Edit.model_fields)}"
        raise InputError(path, expected=expected, found=found_wrong(error), fix=DOWNLOAD) from error


def _note_left_over(data: Path, edits: list[Edit], found: Findings) -> None:
    listed = {edit.video_name for edit in edits}
    for name in folders(data / IMAGES):
        if name not in listed:
            found.odd(f"videos of {IMAGES} left out, for no list has an edit of them", name)


def _clip(data: Path, video: str, report: Report, found: Findings) -> tuple[FrameClip, Labels] | None:
    """Pair a video's frames and masks by number, as the makers pair them by name, and return them with their labels.

    None where that is noted to fail.
    """
    tree = FrameTree(data, IMAGES, MASKS, _step(data / IMAGES / video))
    return next(tree.labelled(tree.clips([video], report, found), report), None)


def _step(folder: Path) -> int:
    """Return how far apart the numbers of a video's frames are: the makers say that some are sampled (hub's card)."""
    try:
        numbers = sorted(numbered_frames(folder))
    except (InputError, OSError):  # said when the clip is paired
        return 1
    return min((b - a for a, b in pairwise(numbers)), default=1)
