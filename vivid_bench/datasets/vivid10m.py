"""Reader of VIVID-10M, and of whatever follows its authors' naming.

The source is its own ground truth: methods see it with a grey hole. An instance's mask serves add and modify, with the
same ids; a mask whose name says `remove` serves delete. Each form of a mask (original, expand, hull, …) is a sample of
its own. An image is a clip of one frame.

Samples come in the order of a hash of their ids, with an index or without: the first N are a fair sample of the set and
not one video's N masks. Without an index all names below the folder are listed first, at each run: with
`index.parquet` (`vivid10m_index.write_index`) nothing is listed.

The layout on the hub is not known here: the project page that announces it (inkosizhong.github.io/VIVID, 2025-07-10)
says nothing of it. What is read is in `CARD.layout`, and the rules are in `vivid10m_names`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path

from vivid_bench.datasets import vivid10m_index as index
from vivid_bench.datasets.types import Candidate, Card, Download, Report
from vivid_bench.datasets.vivid10m_names import LAYOUT
from vivid_bench.datasets.vivid10m_rows import Row, Tally
from vivid_bench.types import Task

MANY = 10_000
"""Samples from which a folder without an index is worth a warning."""

CARD = Card(
    name="vivid10m",
    title="VIVID-10M: A Dataset and Baseline for Versatile and Interactive Video Local Editing",
    homepage="https://kwaivgi.github.io/VIVID/",
    licence="not stated where we could read; see https://huggingface.co/datasets/KwaiVGI/VIVID-10M",
    citation="Hu, Zhong, Wang, Jiang, Tian, Yang, Wan and Zhang, VIVID-10M: A Dataset and Baseline for Versatile and "
    "Interactive Video Local Editing, arXiv 2411.15260, 2024",
    tasks=("add", "modify", "delete"),
    layout=LAYOUT,
    certain=False,
    source="InkosiZhong/VIVID: names at 97b372d, scripts/utils.py at 474986a (the authors' project page); the files on "
    "the hub were not seen",
    downloads={"all": Download(hub="KwaiVGI/VIVID-10M", zip_shards=True)},
)


def find(data: Path, task: Task, report: Report) -> Generator[Candidate]:
    """Yield a task's clips in the order of a hash of their ids.

    With an index in the folder nothing is listed, and what was missing when it was made is a warning; without one, what
    is missing is among the problems. Raises `InputError` for a folder without samples, an id twice, or a damaged list,
    shard or index.
    """
    if index.is_kept(data):
        kept = data / index.INDEX
        since = f"what changed since is not seen; `{index.MAKE}` makes it again"
        report.warnings.append(f"{kept}: samples as listed on {index.made_on(kept)}; {since}")
        report.warnings += [f"{kept}: left out when it was made: {line}" for line in index.left_out(kept)]
        yield from (_candidate(row, task) for row in index.read_rows(kept, task))
        return
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="vivid10m-") as folder:
        made = Path(folder) / index.INDEX
        index.write_unmeasured(data, made, tally)
        report.problems += tally.problems(data)
        if (count := index.count_rows(made)) > MANY:
            report.warnings.append(f"{data}: {count} samples were listed for this run; `{index.MAKE}` keeps the list")
        yield from (_candidate(row, task) for row in index.read_rows(made, task))


def _candidate(row: Row, task: Task) -> Candidate:
    # Frames are not handed on: a header's count may be a guess.
    return Candidate(
        id=row.id, task=task, source=row.source, mask=row.mask, prompt=row.prompt, hole="hidden",
        reference=row.source, source_video=row.source_video, mask_kind=row.mask_kind,
    )  # fmt: skip
