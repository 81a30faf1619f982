"""The site as a whole: which pages and files it has, and where they lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files as package_files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from vivid_bench.errors import InputError
from vivid_bench.files import write_text
from vivid_bench.leaderboard.site.clips import find_split, mask_kinds
from vivid_bench.leaderboard.site.index_view import TableView, view_table
from vivid_bench.leaderboard.site.media import MediaFolder
from vivid_bench.leaderboard.site.names import page_name, table_name, table_title
from vivid_bench.leaderboard.site.table_pages import PAGES_A_TABLE, TablePages
from vivid_bench.leaderboard.table import Table

ROOT = "../../"
"""From a sample's page to the index's folder."""


MANIFEST = "site.json"
"""Lists the site's files, so that writing it again takes away its own old files and nothing else."""


@dataclass(frozen=True)
class SiteReport:
    """What `write_site` wrote.

    Attributes:
        index: the page to open.
        pages: HTML pages, the index included.
        videos: video files.
        size: of all files, bytes.
        notes: what could not be shown and why, one sentence each, for the terminal.
    """

    index: Path
    pages: int
    videos: int
    size: int
    notes: tuple[str, ...]


def count_samples(tables: Sequence[Table]) -> int:
    """Return how many sample pages the tables' site has, which is how often `progress` is called."""
    return sum(min(table.n_samples, PAGES_A_TABLE) for table in tables)


def write_site(
    tables: Sequence[Table],
    out: Path,
    *,
    data: Path | None = None,
    progress: Callable[[str], None] = lambda sample_id: None,
) -> SiteReport:
    """Write the leaderboard as a static site that opens from disk: an index and a page a sample, videos included.

    At most 100 samples of a table get a page, those with a video first, and a page shows the 30 best methods and 30
    controls, so that the site of a large leaderboard stays of a size that can be published; the pages say so.

    Args:
        tables: as `build_tables` gives them.
        out: a new or empty folder, or one that holds such a site, whose files are replaced; hidden files are left.
        data: the clips behind suite `folder`, or behind a suite that does not ship; without them such a table's pages
            show the edits alone.
        progress: called with a sample's id when its page is written.

    Raises:
        InputError: `out` holds something else, or cannot be written.
    """
    writer = _Writer(out, _old_files(out), progress)
    for table in tables:
        writer.add_table(table, data)
    return writer.finish()


def _old_files(out: Path) -> set[str]:
    """Return the files of the site that is in a folder now; raises `InputError` when something else is."""
    if not out.exists() or (out.is_dir() and all(path.name.startswith(".") for path in out.iterdir())):
        return set()
    try:
        listed = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["files"]
        names = {name for name in listed if _is_own(out, name)}
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(
            out, expected="an empty folder, or a site made by this command", found="something else",
            fix="choose another --out",
        ) from None  # fmt: skip
    return names


def _is_own(out: Path, name: str) -> bool:
    """Return whether a listed name is a plain file inside the folder: the list may have been tampered with."""
    is_hidden = any(part.startswith(".") for part in Path(name).parts)
    return not is_hidden and (out / name).is_file() and (out / name).resolve().is_relative_to(out.resolve())


@dataclass
class _Writer:
    """Collects pages as tables come in; the index is written last, when all its links lead somewhere."""

    out: Path
    old_files: set[str]
    progress: Callable[[str], None]
    written: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    views: list[TableView] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.media = MediaFolder(self.out / "media")
        self.templates = Environment(
            loader=PackageLoader("vivid_bench.leaderboard.site"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def add_table(self, table: Table, data: Path | None) -> None:
        """Write the pages of a table's samples and keep its section for the index."""
        found = find_split(table, data)
        if isinstance(found, str):
            self._note(found)
        loaded = None if isinstance(found, str) else found
        pages = TablePages(table, loaded, self.media, self._note)
        names = [f"{page_name(sample_id)}.html" for sample_id in pages.samples]
        cards = []
        for place, (sample_id, name) in enumerate(zip(pages.samples, names, strict=True)):
            path = f"samples/{table_name(table)}/{name}"
            view, card = pages.view(sample_id, path, f"{ROOT}media/")
            self._page(
                path, "sample.html", root=ROOT, view=view, task=table.task, table_name=table_name(table),
                table_title=table_title(table), before=names[place - 1] if place else None,
                after=names[place + 1] if place + 1 < len(names) else None,
            )  # fmt: skip
            cards.append(card)
            self.progress(sample_id)
        self.views.append(view_table(table, mask_kinds(loaded, table.record.samples), cards))

    def finish(self) -> SiteReport:
        """Write the index, the styles and scripts and the list of files, and remove what an older site left."""
        kinds = list(dict.fromkeys(kind for view in self.views for kind in view.kinds))
        self._page(
            "index.html", "index.html", root="", tables=self.views, kinds=kinds,
            tasks=list(dict.fromkeys(view.task for view in self.views)),
            means={view.name: _means(view) for view in self.views},
        )  # fmt: skip
        for file in package_files("vivid_bench.leaderboard.site").joinpath("static").iterdir():
            if file.name.endswith((".css", ".js")):
                self._write(f"static/{file.name}", file.read_text(encoding="utf-8"))
        self.written |= {f"media/{name}" for name in self.media.files}
        write_text(self.out / MANIFEST, json.dumps({"files": sorted(self.written)}, indent=1) + "\n")
        for name in self.old_files - self.written:
            (self.out / name).unlink(missing_ok=True)
        return SiteReport(
            index=self.out / "index.html",
            pages=sum(name.endswith(".html") for name in self.written),
            videos=sum(name.endswith(".mp4") for name in self.written),
            size=sum((self.out / name).stat().st_size for name in self.written),
            notes=tuple(self.notes),
        )

    def _page(self, name: str, template: str, **context: object) -> None:
        self._write(name, self.templates.get_template(template).render(**context))

    def _write(self, name: str, text: str) -> None:
        write_text(self.out / name, text)
        self.written.add(name)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _means(view: TableView) -> dict[str, dict[str, list[str]]]:
    """Return, by mask kind and row, the text of each metric's cell over the samples of that kind alone."""
    rows = [*view.methods, *view.controls]
    return {kind: {str(place): row.by_kind[kind] for place, row in enumerate(rows)} for kind in view.kinds}
