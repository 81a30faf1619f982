"""What the tests of the static site know of the runs that it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivid_bench.leaderboard.site import SiteReport
from vivid_bench.leaderboard.table import Table

HOSTILE_ID = "\"><img src=x onerror=alert(1)> #1 100% ünï 'q' ?&amp;"
HOSTILE_CAPTION = "</script><script>document.title='owned'</script> “quoted” 'single' {{ 7 * 7 }}"


@dataclass(frozen=True)
class MadeSite:
    """Runs on disk, their tables, and the site made of them."""

    records: Path
    data: Path
    tables: list[Table]
    report: SiteReport

    def table(self, suite: str = "mini") -> Table:
        """The table of a suite."""
        return next(table for table in self.tables if table.suite == suite)

    def page(self, sample: str, suite: str = "mini") -> Path:
        """The page of the only sample whose file name begins so."""
        (page,) = self.report.index.parent.glob(f"samples/*-{suite}-*/{sample}*.html")
        return page
