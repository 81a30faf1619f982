"""Reader of DAVIS-Edit, the benchmark of StableV2V (arXiv 2411.11045): DAVIS sequences with edited captions.

Each sequence has two text edits: `similar`, to an entity of much the same shape (DAVIS-Edit-S), and `changing`, to one
of another shape (DAVIS-Edit-C). The reference images of its image-based track are not read: no task here takes them.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.davis import FPS, PREFERRED
from vivid_bench.datasets.frame_trees import (
    IMAGES,
    MASKS,
    FrameTree,
    findings,
    resolution_folder,
    set_folder,
)
from vivid_bench.datasets.json_files import found_wrong, parse_json
from vivid_bench.datasets.listing import is_plain
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError
from vivid_bench.types import Task

CAPTIONS = "edited_video_caption_dict_text.json"

CARD = Card(
    name="davis-edit",
    title="DAVIS-Edit (StableV2V)",
    homepage="https://huggingface.co/datasets/AlonzoLeeeooo/DAVIS-Edit",
    licence="MIT (the set's card); the frames and masks are DAVIS', under DAVIS' terms",
    citation="Liu et al., StableV2V: Stablizing Shape Consistency in Video-to-Video Editing, arXiv 2411.11045",
    tasks=("modify",),
    layout=f"{CAPTIONS}\nJPEGImages/<sequence>/00000.jpg\nAnnotations/<sequence>/00000.png",
    certain=False,
    source="AlonzoLeeeooo/StableV2V, README.md, 'Details of DAVIS-Edit', and the set's card on the hub. Not seen: the "
    "masks' kind (labels or black and white), and why the hub counts 1996 files of frames and 1994 of masks",
    downloads={"all": Download(hub="AlonzoLeeeooo/DAVIS-Edit")},
)


class Captions(BaseModel):
    """A sequence's captions; a caption that is absent has no edit."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    original: str = ""
    similar: str = ""
    changing: str = ""


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield the edits `<sequence>-similar` and `<sequence>-changing` in the captions' order; see `types.Reader`."""
    prefix = set_folder(data, "DAVIS-Edit", CARD.layout)
    captions = _captions(data / prefix / CAPTIONS)
    with findings(report, data) as found:
        resolution = resolution_folder(data / prefix, PREFERRED, found)
        tree = FrameTree(data, f"{prefix}{IMAGES}{resolution}", f"{prefix}{MASKS}{resolution}")
        for name in tree.names(found):
            if name not in captions:
                found.odd(f"sequences left out, for {CAPTIONS} has none of them", name)
        for clip, labels in tree.labelled(tree.clips(captions, report, found), report):
            for kind, prompt in (("similar", captions[clip.name].similar), ("changing", captions[clip.name].changing)):
                if not prompt.strip():
                    found.missing(f"captions `similar` and `changing` in {CAPTIONS}", f"{clip.name} ({kind})")
                    continue
                yield Candidate(
                    id=f"{clip.name}-{kind}", task=task, source=clip.source, mask=clip.mask, prompt=prompt.strip(),
                    fps=FPS, span=clip.span, frames=clip.frames, labels=labels, source_video=clip.name,
                )  # fmt: skip


def _captions(path: Path) -> dict[str, Captions]:
    try:
        captions = TypeAdapter(dict[str, Captions]).validate_python(parse_json(path.read_bytes()))
    except FileNotFoundError as error:
        raise InputError(path, expected="the edited captions", found="nothing", fix=DOWNLOAD) from error
    except ValueError as error:
        expected = 'captions: {"bear": {"original": …, "similar": …, "changing": …}, …}'
        raise InputError(path, expected=expected, found=found_wrong(error), fix=DOWNLOAD) from error
    for name in captions:
        if not is_plain(name):
            raise InputError(path, expected="names of sequences", found=ascii(name), fix=DOWNLOAD)
    return captions
