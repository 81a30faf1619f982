"""The table `removal`: our delete rows, and what was published on DAVIS and on PROVE-Bench."""

from __future__ import annotations

from collections.abc import Sequence

from vivid_bench.leaderboard.table import Table
from vivid_bench.tables.blocks import PaperTable
from vivid_bench.tables.measured import measured_block, measured_figure, no_records
from vivid_bench.tables.printed import published_block, published_figures
from vivid_bench.tables.published import Published
from vivid_bench.types import MetricInfo

MEASURES = (
    "edit_psnr",
    "edit_ssim",
    "edit_lpips",
    "background_psnr",
    "background_ssim",
    "clip_temporal_full",
    "removal_success",
    "removal_success_histogram",
    "remove",
    "rc_s",
    "rc_t",
)
"""Metrics nearest to those of the published tables, by the name in front of their weights."""


def removal(tables: Sequence[Table], published: Published) -> PaperTable:
    """Return the measured delete rows and, in blocks of their own, the published ones."""
    own = [table for table in tables if table.task == "delete"]
    printed = (published.davis_removal, published.prove_m_removal, published.prove_h_removal)
    blocks = [measured_block(table, _infos(table)) for table in own] or [no_records("delete")]
    figures = [measured_figure(table, row, info.name) for table in own for row in table.rows for info in _infos(table)]
    for other in printed:
        blocks.append(published_block(other, other.source))
        figures += published_figures(other, other.source, "delete")
    notes = (
        "Published rows were measured by others, on other clips and with other definitions of what may have the same "
        "name: read each block on its own, and rank no row of one among the rows of another.",
    )
    return PaperTable("removal", "Removal (delete)", tuple(blocks), tuple(figures), notes)


def _infos(table: Table) -> list[MetricInfo]:
    return [info for info in table.metrics if info.name.partition("@")[0] in MEASURES]
