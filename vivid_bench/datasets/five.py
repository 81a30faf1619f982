"""Reader of FiVE-Bench: six kinds of fine-grained edits of 100 videos, each with a mask of what is edited.

Kinds 1 to 4 (replacement rigid and non-rigid, colour, material) are modify, 5 (addition) is add, 6 (removal) is delete;
they are numbered as the makers' README numbers them. The prompt is the target prompt without its brackets, for a delete
too: it describes the whole scene. A video has one mask, whatever the edit, so that of an addition covers what the video
shows, not the place of what is added.

What differs from the makers' code: it takes any grey above 0 of the JPEG masks for the mask, here they are cut at half,
as all masks are; it takes every 8th frame, here all count. The frames have no rate of their own and are given 24.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.listing import content, counted, folders, is_plain, with_files
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError
from vivid_bench.images import numbered_frames
from vivid_bench.types import Span, Task

CARD = Card(
    name="five",
    title="FiVE-Bench: A Fine-Grained Video Editing Benchmark",
    homepage="https://github.com/MinghanLi/FiVE-Bench",
    licence="CC BY-NC 4.0 (its card on the hub); 74 of the videos are from DAVIS",
    citation="Li et al., FiVE: A Fine-Grained Video Editing Benchmark for Evaluating Emerging Diffusion and Rectified "
    "Flow Models, ICCV 2025, arXiv 2503.13684",
    tasks=("add", "modify", "delete"),
    layout=(
        "edit_prompt/edit1_FiVE.json … edit6_FiVE.json\n"
        "images/<video>/00001.jpg …   (images.zip, unpacked)\n"
        "bmasks/<video>/00001.jpg …   (bmasks.zip, unpacked)"
    ),
    certain=True,
    source="MinghanLi/FiVE-Bench 737b30e6: README.md, INSTALL.md (tree), evaluation/evaluate.py (fields)",
    downloads={"all": Download(hub="LIMinghan/FiVE-Fine-Grained-Video-Editing-Benchmark")},
)

TASK_OF: dict[int, Task] = {1: "modify", 2: "modify", 3: "modify", 4: "modify", 5: "add", 6: "delete"}
"""By `editing_type_id`."""


class Edit(BaseModel):
    """An entry of a list; of its other fields (source prompt, questions, output folder) nothing is needed."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    video_name: str
    editing_type_id: int
    target_prompt: str


def find(data: Path, task: Task, report: Report) -> Iterator[Candidate]:
    """Yield the edits of a task, in the order of the lists; see `datasets.types.Reader`."""
    for name in ("edit_prompt", "images", "bmasks"):
        if not (data / name).is_dir():
            fix = "unpack images.zip and bmasks.zip in the folder that holds edit_prompt"
            raise InputError(data, expected=f"a folder {name}", found=content(data), fix=fix)
    edits = _edits(data / "edit_prompt", report)
    videos = {edit.video_name for edit in edits}
    if extra := [name for name in folders(data / "images") if name not in videos]:
        report.warnings.append(f"{data / 'images'}: in no list of edits, so left out: {counted(extra)}")
    chosen = [edit for edit in edits if TASK_OF[edit.editing_type_id] == task]
    yield from _numbered(data, with_files(data, _candidates(chosen, task), report), report)


def _edits(folder: Path, report: Report) -> list[Edit]:
    """Read the six lists; entries that cannot be used are problems, one for each kind."""
    edits: list[Edit] = []
    for path in (folder / f"edit{kind}_FiVE.json" for kind in TASK_OF):
        try:
            edits += TypeAdapter(list[Edit]).validate_json(path.read_bytes())
        except FileNotFoundError:
            error = InputError(path, expected="a list of edits", found="nothing", fix=DOWNLOAD)
            report.problems.append(error)
        except ValidationError as error:
            expected = f"a list of edits, each with {', '.join(Edit.model_fields)}"
            raise InputError(path, expected=expected, found=str(error), fix=DOWNLOAD) from error
    kinds = f"editing_type_id {min(TASK_OF)} to {max(TASK_OF)}"
    for expected, bad in (
        ("plain names of folders", [e.video_name for e in edits if not is_plain(e.video_name)]),
        (kinds, [f"{e.editing_type_id} of {e.video_name}" for e in edits if e.editing_type_id not in TASK_OF]),
        ("a target_prompt", [e.video_name for e in edits if not _prompt(e)]),
    ):
        if bad:
            found = f"none in {counted(bad)}" if expected == "a target_prompt" else f"others in {counted(bad)}"
            report.problems.append(InputError(folder, expected=expected, found=found, fix=DOWNLOAD))
    return [e for e in edits if is_plain(e.video_name) and e.editing_type_id in TASK_OF and _prompt(e)]


def _prompt(edit: Edit) -> str:
    return edit.target_prompt.replace("[", "").replace("]", "").strip()


def _candidates(edits: list[Edit], task: Task) -> Iterator[Candidate]:
    seen: Counter[tuple[int, str]] = Counter()
    for edit in edits:
        kind, video = edit.editing_type_id, edit.video_name
        seen[kind, video] += 1
        again = f".{seen[kind, video]}" if seen[kind, video] > 1 else ""
        yield Candidate(
            id=f"edit{kind}{again}-{video}", task=task, source=f"images/{video}", mask=f"bmasks/{video}",
            prompt=_prompt(edit), hole="visible", source_video=video,
        )  # fmt: skip


def _numbered(data: Path, candidates: list[Candidate], report: Report) -> Iterator[Candidate]:
    """Add which frames a video has, so that masks are paired with frames by number, as the makers pair them by name."""
    spans: dict[str, tuple[Span, int] | None] = {}
    for candidate in candidates:
        if candidate.source not in spans:
            spans[candidate.source] = _span(data / candidate.source, report)
        if (span := spans[candidate.source]) is not None:
            yield _with_span(candidate, *span)
