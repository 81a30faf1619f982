"""The leaderboard as a static site that opens from disk: `write_site` makes it."""

from vivid_bench.leaderboard.site.write import SiteReport, count_samples, write_site

__all__ = ["SiteReport", "count_samples", "write_site"]
