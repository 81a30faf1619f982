"""The sample pages of one table: which samples get one, and what is on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from vivid_bench.errors import InputError
from vivid_bench.leaderboard.rows import Row
from vivid_bench.leaderboard.site.index_view import Card
from vivid_bench.leaderboard.site.media import ClipFiles, MediaFolder
from vivid_bench.leaderboard.site.sample_scores import read_sample_scores
from vivid_bench.leaderboard.site.sample_view import SampleInput, SampleView, shape_of, view_sample
from vivid_bench.leaderboard.table import Table
from vivid_bench.suites import LoadedSplit
from vivid_bench.types import EditedClip, Sample

PAGES_A_TABLE = 100
"""So many samples of a table get a page: those with a video first, then in the split's order."""

ROWS_A_PAGE = 30
"""A sample's page shows so many methods, the best of the table, and as many controls."""


class TablePages:
    """Makes the pages of one table's samples.

    Args:
        loaded: the table's split; None where the suite's clips are not at hand.
        media: where videos go.
        note: told what cannot be shown.

    Attributes:
        samples: ids of the samples that get a page, in the split's order.
    """

    def __init__(
        self, table: Table, loaded: LoadedSplit | None, media: MediaFolder, note: Callable[[str], None]
    ) -> None:
        self._table, self._loaded, self._media, self._note = table, loaded, media, note
        self._rows = shown_rows(table)
        self._edits = [row.runs[0].edits() for row in self._rows]
        self._clips = {sample.id: sample for sample in loaded.split.samples} if loaded else {}
        self.samples = choose_samples(table.record.samples, [self._with_video(row) for row in self._rows])
        self._scores = [read_sample_scores(row.runs[0], self.samples) for row in self._rows]
        self._places = {sample_id: place for place, sample_id in enumerate(table.record.samples)}

    def view(self, sample_id: str, page: str, media: str) -> tuple[SampleView, Card]:
        """Return a sample's page and its card, with the addresses of the page and of the videos' folder."""
        sample = self._clips.get(sample_id)
        files = self._clip_files(sample)
        edits = [own.get(sample_id) for own in self._edits]
        given = SampleInput(
            index=self._places[sample_id],
            sample_id=sample_id,
            sample=sample,
            files=files,
            edits=edits,
            videos=[self._video(row, edit) for row, edit in zip(self._rows, edits, strict=True)],
            scores=self._scores,
        )
        card = Card(
            sample_id=sample_id,
            prompt=sample.prompt if sample else "",
            kind=sample.mask_kind if sample else None,
            page=page,
            poster=f"media/{files.poster}" if files else None,
        )
        return view_sample(self._table, self._rows, given, media), card

    def _with_video(self, row: Row) -> set[str]:
        folder = row.runs[0]
        return {path.stem for kind in (folder.previews_dir, folder.edits_dir) for path in _files(kind)}

    def _clip_files(self, sample: Sample | None) -> ClipFiles | None:
        if sample is None or self._loaded is None:
            return None
        try:
            return self._media.add_clip(self._loaded, sample)
        except InputError as error:
            self._note(f"sample {sample.id} is shown without its own clips: {error}")
            return None

    def _video(self, row: Row, edit: EditedClip | None) -> str | None:
        if edit is None or shape_of(edit) is None:
            return None
        try:
            return self._media.add_edit(row, edit)
        except InputError as error:
            self._note(f"an edit of {edit.sample_id} is not shown: {error}")
            return None


def shown_rows(table: Table) -> list[Row]:
    """Return the rows that sample pages show: the best methods, then controls."""
    methods = [row for row in table.rows if not row.is_control]
    controls = [row for row in table.rows if row.is_control]
    return methods[:ROWS_A_PAGE] + controls[:ROWS_A_PAGE]


def choose_samples(samples: Sequence[str], with_video: Sequence[set[str]]) -> list[str]:
    """Return the samples that get a page, in the given order.

    Args:
        samples: all of a table.
        with_video: of each shown row, the samples of which a video is at hand.
    """
    seen = set().union(*with_video)
    chosen = set(sorted(samples, key=lambda sample_id: sample_id not in seen)[:PAGES_A_TABLE])
    return [sample_id for sample_id in samples if sample_id in chosen]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
