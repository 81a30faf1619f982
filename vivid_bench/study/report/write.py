"""A report's files: the analysis itself, the report in three formats, and its figures."""

from __future__ import annotations

from pathlib import Path

from vivid_bench.files import write_text
from vivid_bench.leaderboard.plots import save
from vivid_bench.study.report.build import build_document
from vivid_bench.study.report.formats import FIGURES, as_html, as_latex, as_markdown
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.saved import ANALYSIS

SUFFIXES = ("svg", "png", "pdf")


def write_report(analysis: StudyAnalysis, out: Path) -> tuple[Path, ...]:
    """Write analysis.json, report.md, report.html, report.tex and figures/ to a folder; return these paths.

    Raises:
        InputError: a folder that cannot be written.
    """
    document = build_document(analysis)
    for picture in document.pictures:
        for suffix in SUFFIXES:
            save(picture.figure, out / FIGURES / f"{picture.stem}.{suffix}")
    texts = {
        ANALYSIS: analysis.model_dump_json(indent=2) + "\n",
        "report.md": as_markdown(document),
        "report.html": as_html(document, out / FIGURES),
        "report.tex": as_latex(document),
    }
    for name, text in texts.items():
        write_text(out / name, text)
    return (*(out / name for name in texts), *([out / FIGURES] if document.pictures else []))
