"""A report's files: the analysis itself, the report in three formats, and its figures."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path
from typing import get_args

from vivid_bench.files import disk_errors_named, write_text
from vivid_bench.leaderboard.plots import save
from vivid_bench.study.report.build import build_document
from vivid_bench.study.report.figures import Kind
from vivid_bench.study.report.formats import FIGURES, as_html, as_latex, as_markdown
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.saved import ANALYSIS
from vivid_bench.types import TASKS

SUFFIXES = ("svg", "png", "pdf")
_PICTURE = re.compile(rf"({'|'.join(get_args(Kind))})-({'|'.join(TASKS)})-.*\.({'|'.join(SUFFIXES)})")


def write_report(analysis: StudyAnalysis, out: Path) -> tuple[Path, ...]:
    """Write analysis.json, report.md, report.html, report.tex and figures/ to a folder; return these paths.

    Figures that an earlier report left there, of tables that are no more, are removed.

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
    _remove_old(out / FIGURES, {picture.stem for picture in document.pictures})
    return (*(out / name for name in texts), *([out / FIGURES] if document.pictures else []))


def _remove_old(figures: Path, stems: Container[str]) -> None:
    for path in figures.glob("*"):
        if _PICTURE.fullmatch(path.name) and path.stem not in stems:
            with disk_errors_named(path):
                path.unlink()
