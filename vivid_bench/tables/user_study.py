"""The table `user-study`: raters' preferences, ours and the paper's."""

from __future__ import annotations

from vivid_bench.tables.blocks import EMPTY, Block, Figure, PaperTable
from vivid_bench.tables.printed import published_block, published_figures
from vivid_bench.tables.published import Published
from vivid_bench.types import TASKS

NO_STUDY = "no study was given"


def user_study(published: Published) -> PaperTable:
    """Return the table as far as it can be filled: no study of ours exists yet, and the paper's is as published."""
    paper = published.vivid_paper_tables
    missing = f"{paper.source}: {paper.status}"
    printed = paper.user_study
    rows = tuple((task, EMPTY, EMPTY if printed is None else "below") for task in TASKS)
    block = Block("raters' preferences", ("task", "measured", "published"), rows)
    reason: Figure = {"measured": None, "measured_missing": NO_STUDY}
    if printed is None:
        notes = (f"measured: {EMPTY}: {NO_STUDY}", f"published: {EMPTY}: {missing}")
        figures = tuple({"name": task, **reason, "published": None, "published_missing": missing} for task in TASKS)
        return PaperTable("user-study", "User study", (block,), figures, notes)
    figures = tuple({"name": task, **reason} for task in TASKS)
    figures += published_figures(printed, paper.source, "all")
    blocks = (block, published_block(printed, paper.source))
    return PaperTable("user-study", "User study", blocks, figures, (f"measured: {EMPTY}: {NO_STUDY}",))
