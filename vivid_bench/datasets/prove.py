"""Reader of PROVE-Bench: object removal, PROVE-M with ground truth (filmed without the object), PROVE-H without.

The makers' code names no folders: it pairs `.mp4` files of one name in a folder of videos and a folder of masks, which
the user writes into it. So folders are found by the names they may have; of ground truth only is known that PROVE-M has
it. The data folder is the set, or one of its two parts: the makers report them apart and together. White is the removed
object; their code takes any grey above 0 for it, here masks are cut at half, as all are.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from vivid_bench.datasets.frame_trees import Findings, findings
from vivid_bench.datasets.listing import content, folders, is_plain, visible
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.errors import InputError
from vivid_bench.types import DELETE_PROMPT, Task
from vivid_bench.video import VIDEO_SUFFIXES, find_video

PARTS = ("PROVE-M", "PROVE-H")
WITH_TRUTH = "PROVE-M"

INPUTS = ("inputs", "input", "raw_videos", "raw", "videos", "video", "source", "sources", "src", "ori", "original")
MASKS = ("masks", "mask", "mask_videos", "masks_videos")
TRUTHS = ("gts", "gt", "gt_videos", "ground_truth", "ground_truths", "groundtruth", "reference", "references", "clean",
          "background", "backgrounds", "bg")  # fmt: skip
"""Names that a part's folders may have; upper case and hyphens count as lower case and underscores."""

CARD = Card(
    name="prove",
    title="PROVE-Bench: Perceptual RemOVal cohErence Benchmark",
    homepage="https://github.com/xiaomi-research/prove",
    licence="Apache 2.0 (the set's card on the hub)",
    citation="Li et al., PROVE: A Perceptual RemOVal cohErence Benchmark for Visual Media, ACM MM 2026, "
    "arXiv 2605.14534",
    tasks=("delete",),
    layout=(
        f"[{PARTS[0]}/, {PARTS[1]}/]{INPUTS[0]}/<video>.mp4\n"
        f"[{PARTS[0]}/, {PARTS[1]}/]{MASKS[0]}/<video>.mp4\n"
        f"[{WITH_TRUTH}/]{TRUTHS[0]}/<video>.mp4"
    ),
    certain=False,
    source="xiaomi-research/prove 7ca299a7: README.md, utils/dataset.py, utils/media_utils.py; the set's card on the "
    "hub (HigherHu/PROVE-Bench). Not seen: the names of its folders",
    downloads={"all": Download(hub="HigherHu/PROVE-Bench")},
)


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield the videos of PROVE-M, then of PROVE-H, by name; ids begin with the part's name; see `types.Reader`."""
    parts = {part: f"{name}/" for part in PARTS if (name := _one_of(data, (part,)))}
    if not parts:
        parts = {_part_of(data): ""}
    with findings(report, data) as found:
        for part, prefix in parts.items():
            try:
                yield from _videos(data, part, prefix, task, report, found)
            except InputError as error:
                if len(parts) == 1:
                    raise
                report.problems.append(error)


def _videos(data: Path, part: str, prefix: str, task: Task, report: Report, found: Findings) -> Iterator[Candidate]:
    root = data / prefix
    inputs, masks = _folder(root, "videos", INPUTS), _folder(root, "masks", MASKS)
    truths = _one_of(root, TRUTHS)
    if truths is None and part == WITH_TRUTH:
        expected = f"a folder {' or '.join(TRUTHS)} of the videos without the object"
        fix = f"give that folder the name {TRUTHS[0]}"
        report.problems.append(InputError(root, expected=expected, found=content(root), fix=fix))
    stems = _stems(root / inputs)
    for stem in sorted(set(_stems(root / masks)) - set(stems)):
        found.odd(f"masks left out, for {prefix}{inputs} has no video of their name", stem)
    for stem in stems:
        if not is_plain(stem):
            found.missing(f"names of videos in {prefix}{inputs} that can be file names", stem)
            continue
        kinds = {"source": inputs, "mask": masks} | ({"reference": truths} if truths else {})
        files = {}
        for kind, folder in kinds.items():
            try:
                path = find_video(root / folder, stem)
            except InputError as error:
                report.problems.append(error)
                continue
            if path is None:
                found.missing(f"a {kind} of each video, in {prefix}{folder}", stem)
            else:
                files[kind] = path.relative_to(data).as_posix()
        if len(files) == len(kinds):
            yield Candidate(
                id=f"{part}-{stem}" if part else stem, task=task, source=files["source"], mask=files["mask"],
                reference=files.get("reference"), prompt=DELETE_PROMPT,
            )  # fmt: skip


def _folder(root: Path, what: str, names: tuple[str, ...]) -> str:
    if (name := _one_of(root, names)) is not None:
        return name
    expected = f"a folder {' or '.join(names)} of {what}"
    fix = f"give that folder the name {names[0]}; --data is the folder of:\n{CARD.layout}"
    raise InputError(root, expected=expected, found=content(root), fix=fix)


def _one_of(root: Path, names: tuple[str, ...]) -> str | None:
    """Return the first of the names that a folder has, as it is spelt there."""
    spelt = {_plain(name): name for name in folders(root)}
    return next((spelt[_plain(name)] for name in names if _plain(name) in spelt), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _part_of(data: Path) -> str:
    return next((part for part in PARTS if _plain(part) == _plain(data.resolve().name)), "")


def _stems(folder: Path) -> list[str]:
    """Return the names, without suffix, of a folder's videos and folders of frames."""
    paths = [p for p in visible(folder) if p.is_dir() or p.suffix.lower() in VIDEO_SUFFIXES]
    return sorted({p.name if p.is_dir() else p.stem for p in paths})
