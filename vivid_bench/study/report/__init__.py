"""The report of a user study: what raters preferred, as Markdown, HTML, LaTeX and figures."""

from vivid_bench.study.report.write import write_report

__all__ = ["write_report"]
