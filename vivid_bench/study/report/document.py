"""What a report is, before a format draws it: sections of paragraphs, tables and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from vivid_bench.tables.blocks import Block


@dataclass(frozen=True)
class Picture:
    """A figure, the name of its files without a suffix, and what it shows."""

    stem: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Section:
    """A part with a heading.

    Attributes:
        level: 2, or 3 inside the section of level 2 before it.
        paragraphs: plain text, above the tables.
        pictures: below the tables.
    """

    title: str
    level: int
    paragraphs: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        warning: what a reader must know before any figure; None where there is no such thing.
    """

    title: str
    warning: str | None
    sections: tuple[Section, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All of them, in order."""
        return tuple(picture for section in self.sections for picture in section.pictures)
