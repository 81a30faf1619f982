"""What a sample's page shows: its panels, scores and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vivid_bench.leaderboard.site.index_view import Column, view_column
from vivid_bench.leaderboard.site.media import ClipFiles
from vivid_bench.leaderboard.site.sample_scores import SampleScore
from vivid_bench.leaderboard.table import Row, Table, format_cell, heading, label, shown_metrics
from vivid_bench.types import EditedClip, MetricInfo, Sample, Summary

PANELS_AT_FIRST = 12
"""Edits beyond these start switched off, so that a page with many methods still plays."""

Scores = Mapping[tuple[str, str], SampleScore]


@dataclass(frozen=True)
class Shape:
    """How many frames a clip has, of what size, and how many a second."""

    frames: int
    height: int
    width: int
    fps: float


def shape_of(edit: EditedClip | None) -> Shape | None:
    """Return an edit's shape; None where its record leaves something out."""
    if edit is None or edit.frames is None or edit.height is None or edit.width is None or edit.fps is None:
        return None
    return Shape(edit.frames, edit.height, edit.width, edit.fps)


@dataclass(frozen=True)
class Panel:
    """One video of the page, or the sentence why there is none.

    Attributes:
        series: place of the method among the page's rows; None for the sample's own clips.
        video: address; None where there is none.
    """

    title: str
    video: str | None
    series: int | None = None
    is_control: bool = False
    is_on: bool = True
    why_none: str = ""


@dataclass(frozen=True)
class ScoreCell:
    """One score as printed; `reason` where there is no value."""

    text: str
    sort: float | None
    reason: str


@dataclass(frozen=True)
class ScoreRow:
    """A method's scores of the sample."""

    name: str
    is_control: bool
    cells: tuple[ScoreCell, ...]


@dataclass(frozen=True)
class SampleView:
    """A sample's page.

    Attributes:
        given: panels of the sample's own clips, `edits`: of the methods.
        outside: address of the video that is black in the hole.
        missing: which values there are none of, and why.
        player: what the page's scripts need.
    """

    sample_id: str
    prompt: str | None
    facts: tuple[tuple[str, str], ...]
    given: tuple[Panel, ...]
    edits: tuple[Panel, ...]
    outside: str | None
    columns: tuple[Column, ...]
    rows: tuple[ScoreRow, ...]
    notes: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    player: dict[str, object]

    @property
    def has_video(self) -> bool:
        """Whether there is anything to play."""
        return any(panel.video for panel in (*self.given, *self.edits))


@dataclass(frozen=True)
class SampleInput:
    """What is known of one sample of a table.

    Attributes:
        index: its place among the record's samples.
        sample, files: None where the suite's clips are not at hand.
        edits, videos, scores: of each shown row, in their order.
    """

    index: int
    sample_id: str
    sample: Sample | None
    files: ClipFiles | None
    edits: Sequence[EditedClip | None]
    videos: Sequence[str | None]
    scores: Sequence[Scores]

    @property
    def shape(self) -> Shape | None:
        """The clip's frames, size and rate, from the sample or else from an edit that says them all."""
        if self.sample is not None:
            return Shape(self.sample.frames, self.sample.height, self.sample.width, self.sample.fps)
        return next(filter(None, map(shape_of, self.edits)), None)


def view_sample(table: Table, shown: Sequence[Row], given: SampleInput, media: str) -> SampleView:
    """Return a sample's page.

    Args:
        table: the table that the page belongs to.
        shown: its rows that the page shows.
        given: the sample.
        media: address of the folder of videos, as seen from the page, with a slash at its end.
    """
    infos = shown_metrics(table)
    names = [label(table, row) for row in shown]
    edits = tuple(
        Panel(
            title=names[series],
            video=media + video if video else None,
            series=series,
            is_control=row.is_control,
            is_on=series < PANELS_AT_FIRST,
            why_none=_why_none(edit),
        )
        for series, (row, edit, video) in enumerate(zip(shown, given.edits, given.videos, strict=True))
    )
    rows = tuple(
        ScoreRow(name, row.is_control, tuple(_cell(row, info, given, scores) for info in infos))
        for name, row, scores in zip(names, shown, given.scores, strict=True)
    )
    return SampleView(
        sample_id=given.sample_id,
        prompt=given.sample.prompt if given.sample else None,
        facts=_facts(given),
        given=_given_panels(given.files, media),
        edits=edits,
        outside=media + given.files.outside if given.files else None,
        columns=tuple(map(view_column, infos)),
        rows=rows,
        notes=_notes(table, shown, given),
        missing=_missing(rows, infos),
        player=_player(table, shown, names, infos, given),
    )


def _given_panels(files: ClipFiles | None, media: str) -> tuple[Panel, ...]:
    if files is None:
        return ()
    panels = [Panel("source", media + files.source), Panel("mask on source", media + files.marked)]
    if files.reference is not None:
        panels.append(Panel("reference", media + files.reference))
    return tuple(panels)


def _why_none(edit: EditedClip | None) -> str:
    if edit is not None and edit.status == "failed":
        return f"The method failed on this clip: {edit.error}"
    return "No video of this edit is at hand."


def _facts(given: SampleInput) -> tuple[tuple[str, str], ...]:
    sample, shape = given.sample, given.shape
    facts = []
    if shape is not None:
        facts += [("Frames", f"{shape.frames} at {shape.fps:g} a second"), ("Size", f"{shape.width} × {shape.height}")]
    if sample is not None:
        facts += [("Mask kind", sample.mask_kind or "not known"), ("Hole", sample.hole)]
        facts += [("Source video", sample.source_video), ("Licence", sample.licence or "not stated")]
        if sample.keyframes:
            facts.append(("Keyframes", ", ".join(map(str, sample.keyframes))))
    return tuple(facts)


def _cell(row: Row, info: MetricInfo, given: SampleInput, scores: Scores) -> ScoreCell:
    """Return a row's value of the sample, the mean over its seeds."""
    score = scores[given.sample_id, info.name]
    value = float(row.values[info.name][given.index])
    if value != value:
        word = "n/a" if score.status == "not_applicable" else "failed"
        return ScoreCell(word, None, score.reason or "another seed failed")
    is_exact = bool(row.grid.is_exact[given.index, row.grid.metrics.index(info.name)])
    text = format_cell(info, Summary(mean=value, n_scored=1, n_expected=1))
    return ScoreCell(f"{text} =" if is_exact else text, value, "")


def _missing(rows: Sequence[ScoreRow], infos: Sequence[MetricInfo]) -> tuple[tuple[str, str], ...]:
    """Return each reason once, with the metric and the methods that it is for."""
    methods: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for info, cell in zip(infos, row.cells, strict=True):
            if cell.reason:
                methods.setdefault((info.name, cell.reason), []).append(row.name)
    return tuple(
        (f"{metric}, {'all methods' if len(names) == len(rows) else ', '.join(names)}", reason)
        for (metric, reason), names in methods.items()
    )


def _notes(table: Table, shown: Sequence[Row], given: SampleInput) -> tuple[str, ...]:
    notes = []
    if any(len(row.runs) > 1 for row in shown):
        notes.append("Scores are means over a method's seeds; its video and curve are of the first seed.")
    if len(shown) < len(table.rows):
        notes.append(f"{len(shown)} of {len(table.rows)} rows have a place here: the best methods, then controls.")
    if any(row.grid.is_exact[given.index].any() for row in shown):
        notes.append("A value followed by = is of pixels identical to the bit; a PSNR counts them as 100 dB.")
    return tuple(notes)


def _player(
    table: Table, shown: Sequence[Row], names: Sequence[str], infos: Sequence[MetricInfo], given: SampleInput
) -> dict[str, object]:
    shape = given.shape
    curves: list[dict[str, object]] = []
    for info in infos:
        lines = [scores[given.sample_id, info.name].per_frame for scores in given.scores]
        if shape is not None and any(line is not None for line in lines):
            curves.append({"title": heading(info), "times": info.shown_times, "lines": lines})
    return {
        "frames": shape.frames if shape else None,
        "fps": shape.fps if shape else None,
        "keyframes": list(given.sample.keyframes or ()) if given.sample else [],
        "series": [{"name": name, "control": row.is_control} for name, row in zip(names, shown, strict=True)],
        "curves": curves,
    }
