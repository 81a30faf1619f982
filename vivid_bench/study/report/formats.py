"""A report as Markdown, LaTeX and one HTML page that needs nothing beside it; each format escapes names."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from vivid_bench import escaping
from vivid_bench.study.report.document import Document, Picture, Section
from vivid_bench.tables.blocks import Block
from vivid_bench.tables.formats import latex_tabular, markdown_notes, markdown_rows

FIGURES = "figures"
"""Folder of the pictures, beside the texts."""

_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"
"""As wide as the page at most; what fits keeps its size."""


def as_markdown(document: Document) -> str:
    """Return the report as Markdown; its pictures are SVG files beside it."""
    parts = [f"# {escaping.markdown(document.title)}"]
    if document.warning:
        parts.append(f"**{escaping.markdown(document.warning)}**")
    for section in document.sections:
        parts += [f"{'#' * section.level} {escaping.markdown(section.title)}"]
        parts += map(escaping.markdown, section.paragraphs)
        for block in section.blocks:
            parts += [f"**{escaping.markdown(block.title)}**", *markdown_rows(block), *markdown_notes(block.notes)]
        for picture in section.pictures:
            parts.append(f"![{escaping.markdown(picture.caption)}]({FIGURES}/{picture.stem}.svg)")
    return "\n\n".join(parts) + "\n"


def as_latex(document: Document) -> str:
    """Return the report as LaTeX to `\\input`: packages booktabs and graphicx; its pictures are PDF files beside it."""
    lines = [
        f"% {escaping.one_line(document.title)}, to \\input; needs \\usepackage{{booktabs,graphicx}};",
        f"% set \\graphicspath or copy the folder {FIGURES} beside your document",
    ]
    if document.warning:
        lines.append(rf"\paragraph{{{escaping.latex(document.warning)}}}")
    for section in document.sections:
        lines += ["", *_latex_section(section)]
    return "\n".join(lines) + "\n"


def _latex_section(section: Section) -> Iterator[str]:
    # A new page takes all floats so far: LaTeX holds few of them back.
    kind = "section" if section.level == 2 else "subsection"
    yield (r"\clearpage" + "\n" if section.level == 2 else "") + rf"\{kind}*{{{escaping.latex(section.title)}}}"
    for paragraph in section.paragraphs:
        yield f"{escaping.latex(paragraph)}\n"
    for block in section.blocks:
        yield _latex_table(block) if block.rows else _latex_notes(block)
    for picture in section.pictures:
        yield _latex_figure(picture)


def _latex_notes(block: Block) -> str:
    items = "\n".join(rf"\item {escaping.latex(note)}" for note in block.notes)
    return rf"\paragraph{{{escaping.latex(block.title)}}}" + f"\n\\begin{{itemize}}\n{items}\n\\end{{itemize}}"


def _latex_table(block: Block) -> str:
    notes = "; ".join(map(escaping.latex, block.notes))
    below = f"\n\n\\smallskip\\parbox{{\\linewidth}}{{\\footnotesize {notes}.}}" if notes else ""
    return rf"""\begin{{table}}[htbp]
\centering\small
\caption{{{escaping.latex(block.title)}}}
{_FIT}{{{latex_tabular(block)}}}{below}
\end{{table}}"""


def _latex_figure(picture: Picture) -> str:
    return rf"""\begin{{figure}}[htbp]
\centering
{_FIT}{{\includegraphics{{{FIGURES}/{picture.stem}.pdf}}}}
\caption{{{escaping.latex(picture.caption)}}}
\end{{figure}}"""


def as_html(document: Document, figures: Path) -> str:
    """Return the report as one page: styles inside, pictures as data URIs, no network.

    Args:
        figures: the folder that the pictures were saved to as SVG.
    """
    environment = Environment(
        loader=PackageLoader("vivid_bench.study.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pictures = {picture.stem: _data_uri(figures / f"{picture.stem}.svg") for picture in document.pictures}
    return environment.get_template("report.html").render(document=document, pictures=pictures)


def _data_uri(svg: Path) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.read_bytes()).decode()}"
