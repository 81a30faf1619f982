"""Reader of DAVIS 2016 and 2017: object removal from sequences whose every frame has a mask.

Several objects of a sequence are removed together, as in DAVIS 2016 and in object removal since. No reference exists:
what was behind the objects was never filmed.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path, PurePosixPath

from vivid_bench.clip_files import DOWNLOAD
from vivid_bench.datasets.frame_trees import (
    IMAGES,
    MASKS,
    Findings,
    FrameTree,
    findings,
    resolution_folder,
    set_folder,
)
from vivid_bench.datasets.listing import is_plain
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError
from vivid_bench.types import DELETE_PROMPT, Task

FPS = 24.0
"""Of all sequences (CVPR 2016, section 3)."""

PREFERRED = "480p"

CARD = Card(
    name="davis",
    title="DAVIS 2016 and 2017 (Densely Annotated VIdeo Segmentation)",
    homepage="https://davischallenge.org",
    licence="not clear: the 2017 archive's README.md is said to name CC BY 4.0 (Credits) and CC BY-NC 4.0 (Terms of "
    "Use); the makers' code says BSD. Look in the archive",
    citation="Perazzi et al., A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation, CVPR 2016; "
    "Pont-Tuset et al., The 2017 DAVIS Challenge on Video Object Segmentation, arXiv 1704.00675",
    tasks=("delete",),
    layout="[DAVIS/]JPEGImages/<480p, Full-Resolution, …>/<sequence>/00000.jpg\n"
    "[DAVIS/]Annotations/<480p, …>/<sequence>/00000.png\n"
    "[DAVIS/]ImageSets/<2017, 2016, 480p, …>/val.txt (without it all sequences are read)",
    certain=True,
    source="davisvideochallenge/davis2017-evaluation, davis2017/davis.py (30b698a); not seen: the lists of 2016, whose "
    "form is known from programs that read them",
    downloads={
        "2017-480p": Download(
            url="https://data.vision.ee.ethz.ch/csergi/share/davis/DAVIS-2017-trainval-480p.zip", gigabytes=0.8
        ),
        "2017-full": Download(
            url="https://data.vision.ee.ethz.ch/csergi/share/davis/DAVIS-2017-trainval-Full-Resolution.zip",
            gigabytes=2.9,
        ),
        "2016": Download(url="https://graphics.ethz.ch/Downloads/Data/Davis/DAVIS-data.zip", gigabytes=1.9),
    },
)


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield the sequences of `val.txt`, in its order, or all of them; see `types.Reader`."""
    prefix = set_folder(data, "DAVIS", CARD.layout)
    with findings(report, data) as found:
        resolution = resolution_folder(data / prefix, PREFERRED, found)
        tree = FrameTree(data, f"{prefix}{IMAGES}{resolution}", f"{prefix}{MASKS}{resolution}")
        names = _listed(data / prefix / "ImageSets", resolution.lstrip("/"), tree, found)
        for clip, labels in tree.labelled(tree.clips(names, report, found), report):
            yield Candidate(
                id=clip.name, task=task, source=clip.source, mask=clip.mask, prompt=DELETE_PROMPT, fps=FPS,
                span=clip.span, frames=clip.frames, labels=labels,
            )  # fmt: skip


def _listed(image_sets: Path, resolution: str, tree: FrameTree, found: Findings) -> list[str]:
    """Return the sequences to read; what no list of the set names is noted."""
    present = tree.names(found)
    for year in ("2017", "2016", resolution):
        listing = image_sets / year / "val.txt"
        if year and listing.is_file():
            known = {name for file in sorted(listing.parent.glob("*.txt")) for name in _names(file)}
            for name in present:
                if name not in known:
                    found.odd(f"sequences left out, for no list in ImageSets/{year} names them", name)
            return _checked(listing)
    return present


def _names(listing: Path) -> list[str]:
    """Return the sequences of a list, each once.

    A line is a name, or (2016) `/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png`.
    """
    try:
        lines = [line.strip() for line in listing.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError(listing, expected="a list in UTF-8", found="other bytes", fix=DOWNLOAD) from error
    names = (PurePosixPath(line.split()[0]).parent.name if line.startswith("/") else line for line in lines if line)
    return list(dict.fromkeys(names))


def _checked(listing: Path) -> list[str]:
    names = _names(listing)
    if not names:
        raise InputError(listing, expected="sequences, one a line", found="none", fix=DOWNLOAD)
    for name in names:
        if not is_plain(name):
            raise InputError(listing, expected="a sequence's name a line", found=ascii(name), fix=DOWNLOAD)
    return names
