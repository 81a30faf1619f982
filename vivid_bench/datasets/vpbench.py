"""Reader of VPBench, the benchmark of VideoPainter: inpainting and editing of an object in videos of Videvo and Pexels.

- Inpainting is read as add. The source is its own ground truth and the hole is hidden, so that the masked object has
  to appear in a hole that shows nothing of it; the prompt is the caption of the masked object. It could be called
  modify as well, but no table should mix its clips, which have a reference, with those of editing, which have none.
- Editing is read as modify, and as delete where the instruction begins with remove, delete, erase or eliminate. The
  hole is visible, the prompt is the caption of the edited object (of a delete too). Instructions that add something
  stay modify: their mask is that of an object that is there, and what they add changes it.
- Its DAVIS part, with random masks, is read as add where that folder itself is the data folder.

Where the makers' code does otherwise: it thins the frames to 8 a second, takes 49 of them and dilates the masks; here
all frames from `start_frame` to `end_frame` are read as they are, with the masks as they are. The captions of whole
frames (`video_inpainting_prompt`, `Edited_video_caption`) are not used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.davis import FPS
from vivid_bench.datasets.frame_trees import Findings, FrameTree, findings
from vivid_bench.datasets.listing import content, folders, is_plain
from vivid_bench.datasets.tables import table_rows, whole_number
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError, NoSamplesError
from vivid_bench.types import Span, Task

INPAINT = ("our_video_inpaint.csv", "our_video_inpaint_long.csv", "pexels_videovo_test_dataset.csv")
EDIT = ("our_video_edit.csv", "our_video_edit_long.csv")
"""Lists, of which the first that is there is read: the makers report long clips apart."""

CAPTION_OF = {
    "our_video_inpaint.csv": "image_inpainting_prompt",
    "our_video_inpaint_long.csv": "image_inpainting_prompt",
    "pexels_videovo_test_dataset.csv": "caption",
    "our_video_edit.csv": "Edited_image_caption",
    "our_video_edit_long.csv": "Edited_image_caption",
}
INSTRUCTION = "Editing_instruction"
CLIP_COLUMNS = ("path", "mask_id", "start_frame", "end_frame")

MASKS = "video_inpainting"
DAVIS_IMAGES, DAVIS_MASKS, DAVIS_CAPTIONS = "JPEGImages_432_240", "test_masks", "davis_caption.csv"

CARD = Card(
    name="vpbench",
    title="VPBench (VideoPainter)",
    homepage="https://github.com/TencentARC/VideoPainter",
    licence="VideoPainter's own (License.txt): academic, research and education only; the terms of the videos "
    "themselves (Videvo, Pexels, DAVIS) are not stated",
    citation="Bian et al., VideoPainter: Any-length Video Inpainting and Editing with Plug-and-Play Context Control, "
    "SIGGRAPH 2025, arXiv 2503.05639",
    tasks=("add", "modify", "delete"),
    layout=(
        f"{INPAINT[0]} (add), {EDIT[0]} (modify, delete); without one, {INPAINT[1]}, {INPAINT[2]}, {EDIT[1]}\n"
        "videovo/raw_video/000005000/000005000000.0.mp4\n"
        "pexels/pexels/raw_video/000000000/000000000000_852038.mp4\n"
        f"{MASKS}/{{videovo,pexels}}/<video>/all_masks.npz\n"
        f"or, as --data .../davis: {DAVIS_CAPTIONS}, {DAVIS_IMAGES}/<sequence>/00000.jpg, "
        f"{DAVIS_MASKS}/<sequence>/00000.png"
    ),
    certain=True,
    source="TencentARC/VideoPainter bbab6cd5: README.md (tree), evaluate/dataset.py (paths, masks, frames), "
    "evaluate/eval_inpainting.py, eval_edit.py, infer/inpaint.py (columns). Not seen: the lists and masks themselves",
    downloads={
        "vpbench": Download(hub="TencentARC/VPBench", gigabytes=4.64),
        "vpdata": Download(
            by_hand="its masks are 1 to 2 TB: follow `VPBench and VPData Download` in the README of "
            "https://github.com/TencentARC/VideoPainter (hub: TencentARC/VPData)"
        ),
    },
)

_NAME = re.compile(r"([^.]{4,})(\.0)?\.mp4")
_DELETES = re.compile(r"\W*(remove|delete|erase|eliminate)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Row:
    video: str
    is_videvo: bool
    mask_id: int
    first: int
    end: int
    caption: str
    instruction: str

    @property
    def source(self) -> str:
        if self.is_videvo:
            return f"videovo/raw_video/{self.video[:-3]}/{self.video}.0.mp4"
        return f"pexels/pexels/raw_video/{self.video[:9]}/{self.video}.mp4"

    @property
    def mask(self) -> str:
        return f"{MASKS}/{'videovo' if self.is_videvo else 'pexels'}/{self.video}/all_masks.npz"


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield a task's clips, `<video>-mask<id>-<start>`, in the order of its list; see `types.Reader`."""
    if (data / DAVIS_IMAGES).is_dir():
        return _davis(data, task, report)
    return _listed(data, task, report)


def _listed(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    lists = INPAINT if task == "add" else EDIT
    present = [name for name in lists if (data / name).is_file()]
    if not present:
        fix = f"--data is the folder of:\n{CARD.layout}"
        raise NoSamplesError(data, expected=f"the list {' or '.join(lists)}", found=content(data), fix=fix)
    with findings(report, data) as found:
        for name in present[1:]:
            found.odd(f"lists not read ({present[0]} is)", name)
        _note_left_over(data, found)
        seen: Counter[str] = Counter()
        for row in _rows(data / present[0], found):
            if task != "add" and (task == "delete") != bool(_DELETES.match(row.instruction)):
                continue
            if not _is_there(data, row, found):
                continue
            name = f"{row.video}-mask{row.mask_id}-{row.first}"
            seen[name] += 1
            yield Candidate(
                id=name if seen[name] == 1 else f"{name}.{seen[name]}", task=task, prompt=row.caption,
                source=row.source, mask=row.mask, reference=row.source if task == "add" else None,
                hole="hidden" if task == "add" else "visible", labels=(row.mask_id,), span=Span(first=row.first),
                frames=row.end - row.first, source_video=row.video,
            )  # fmt: skip


def _rows(table: Path, found: Findings) -> Iterator[_Row]:
    """Yield the rows of a list that can be used; the others are noted."""
    caption = CAPTION_OF[table.name]
    columns = (*CLIP_COLUMNS, caption, *([INSTRUCTION] if table.name in EDIT else []))
    for line, row in table_rows(table, columns):
        where = f"{row['path']} (row {line})"
        name = _NAME.fullmatch(row["path"])
        mask_id, first, end = (whole_number(row[column]) for column in CLIP_COLUMNS[1:])
        if name is None or not is_plain(name[1]):
            found.missing(f"names <video>.0.mp4 or <video>.mp4 in column path of {table.name}", where)
        elif mask_id is None or first is None or end is None or end <= first:
            found.missing(f"whole numbers mask_id, start_frame < end_frame in {table.name}", where)
        elif not all(row[column] for column in columns[len(CLIP_COLUMNS) :]):
            found.missing(f"{' and '.join(columns[len(CLIP_COLUMNS) :])} in {table.name}", where)
        else:
            yield _Row(name[1], bool(name[2]), mask_id, first, end, row[caption], row.get(INSTRUCTION, ""))


def _is_there(data: Path, row: _Row, found: Findings) -> bool:
    missing = [
        (kind, path) for kind, path in (("video", row.source), ("mask", row.mask)) if not (data / path).is_file()
    ]
    for kind, path in missing:
        found.missing(f"the {kind} of each listed clip", path)
    return not missing


def _note_left_over(data: Path, found: Findings) -> None:
    """Note masks of videos that none of the lists names."""
    listed = set()
    for table in (data / name for name in CAPTION_OF):
        if table.is_file():
            listed |= {row["path"].split(".")[0] for _, row in table_rows(table, ("path",))}
    for part in ("videovo", "pexels"):
        for video in folders(data / MASKS / part):
            if video not in listed:
                found.odd(f"videos left out, for no list names them, in {MASKS}/{part}", video)


def _davis(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    if task != "add":
        fix = "pass --task add"
        raise NoSamplesError(data, expected=f"{task} samples", found="the DAVIS part, which is add", fix=fix)
    captions = {
        whole_number(row["Video_Index"]): row["Masked_Target_Caption"]
        for _, row in table_rows(data / DAVIS_CAPTIONS, ("Video_Index", "Masked_Target_Caption"))
    }
    # The list counts the folders of masks, by name.
    names = folders(data / DAVIS_MASKS)
    if not names:
        raise InputError(data, expected=f"sequences in {DAVIS_MASKS}", found="none", fix=DOWNLOAD)
    if set(captions) != set(range(1, len(names) + 1)):
        # With a folder missing, all that follow it would get captions of others.
        raise InputError(
            data / DAVIS_CAPTIONS, expected=f"Video_Index from 1 to {len(names)}, as many as {DAVIS_MASKS} has folders",
            found=_numbered(captions), fix=f"{DOWNLOAD}, {DAVIS_MASKS} and {DAVIS_CAPTIONS} both",
        )  # fmt: skip
    caption_of = {name: captions[index] for index, name in enumerate(names, 1)}
    with findings(report, data) as found:
        tree = FrameTree(data, DAVIS_IMAGES, DAVIS_MASKS)
        for name in tree.names(found):
            if name not in caption_of:
                found.odd(f"sequences left out, for {DAVIS_MASKS} has none of them", name)
        for clip, labels in tree.labelled(tree.clips(names, report, found), report):
            if not (prompt := caption_of[clip.name]):
                found.missing(f"Masked_Target_Caption of each sequence in {DAVIS_CAPTIONS}", clip.name)
                continue
            yield Candidate(
                id=clip.name, task=task, source=clip.source, mask=clip.mask, reference=clip.source, hole="hidden",
                prompt=prompt, fps=FPS, span=clip.span, frames=clip.frames, labels=labels,
            )  # fmt: skip


def _numbered(captions: Collection[int | None]) -> str:
    """Return how many captions there are and between which numbers, for errors."""
    numbers = [number for number in captions if number is not None]
    if len(numbers) < len(captions):
        return "rows whose Video_Index is no number"
    return f"{len(numbers)} captions, from {min(numbers)} to {max(numbers)}" if numbers else "no captions"
