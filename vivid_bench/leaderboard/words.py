"""What stands above and below a table of a leaderboard, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vivid_bench.escaping import one_line
from vivid_bench.leaderboard.human import human_notes
from vivid_bench.leaderboard.table import Row, Table, direction, keyframes_text, label
from vivid_bench.metrics import metric_info
from vivid_bench.stats.bootstrap import RESAMPLES
from vivid_bench.submission.record import Badge

HASH_DIGITS = 12

BADGES: dict[Badge, str] = {
    "self-reported": "self-reported: the figures are the authors' own; files and protocol are in order",
    "re-scored": "re-scored: the submitted edits were scored again, all or a random tenth, and the figures agree",
    "re-run": "re-run: the method was run again on all clips or a random tenth, and the figures agree",
}


def title(table: Table) -> str:
    """Return e.g. `delete, suite mini, composite hard, keyframes 0, 8`; no composite and no keyframes go unsaid."""
    parts = [table.task, f"suite {table.suite}"]
    if table.composite != "none":
        parts.append(f"composite {table.composite}")
    if table.keyframes is not None:
        parts.append(keyframes_text(table.keyframes))
    return ", ".join(parts)


def facts(table: Table) -> tuple[str, str]:
    """Return two lines: what was measured on how much, and the versions and hashes of all that decides the figures."""
    main = metric_info(table.main_metric)
    clips = f"{count(table.n_samples, 'clip')} from {count(table.n_source_videos, 'source video')}"
    if table.n_source_videos is None:
        clips = (
            f"{count(table.n_samples, 'clip')}, each counted as a source video of its own, for the records name none"
        )
    what = [
        clips,
        f"composite {table.composite}",
        f"ranked by {spelled(main.name)} {direction(main)}",
        f"[95 % intervals]: {RESAMPLES} resamples of source videos",
    ]
    weights = ", ".join(
        f"{one_line(name)} {'missing' if sha256 is None else one_line(sha256)[:HASH_DIGITS]}"
        for name, sha256 in sorted(table.record.weights.items())
    )
    pinned = [
        f"split {one_line(table.split_sha256)[:HASH_DIGITS]}, version {one_line(table.record.split_version)}",
        f"metric versions: {metric_versions(table)}",
        f"weights: {weights or 'none'}",
    ]
    return "; ".join(what), "; ".join(pinned)


def count(number: int | None, noun: str) -> str:
    """Return e.g. `1 clip` or `2 clips`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def metric_versions(table: Table) -> str:
    """Return e.g. `1, but 2 for edit warp error`: the commonest version, and those that differ from it."""
    versions = table.record.metrics
    common = Counter(versions.values()).most_common(1)[0][0]
    others = [
        f"{one_line(version)} for {spelled(name)}" for name, version in sorted(versions.items()) if version != common
    ]
    return one_line(common) + (f", but {', '.join(others)}" if others else "")


def spelled(metric: str) -> str:
    """Return a metric's name as headings spell it, e.g. `edit lpips @alex`."""
    name, at, weights = one_line(metric).partition("@")
    return name.replace("_", " ") + (f" {at}{weights}" if at else "")


def legend(tables: Sequence[Table], best: str = "*") -> list[str]:
    """Return notes on whatever needs one in these tables, where `best` is how the best figures are marked."""
    rows = [row for table in tables for row in table.rows]
    notes = []
    if any(table.comparisons for table in tables):
        notes.append(
            f"{best}: the best, or not told apart from it on the main metric (paired permutation test over source "
            "videos, Holm's correction, 5 %); methods that cannot be told apart share a rank"
        )
    if any(table.keyframes is not None for table in tables):
        note = "keyframe: whether the method was given the reference at the keyframes, which are not scored"
        unknown = any(row.record.keyframes_given is None for table in tables if table.keyframes for row in table.rows)
        notes.append(note + (" (?: finished videos, whose makers may have used them)" if unknown else ""))
    if any(summary.n_exact for row in rows for summary in row.summaries.values()):
        notes.append("=k: k clips identical to the bit; a PSNR counts them as 100 dB")
    if not all(row.is_complete for row in rows):
        notes.append("(n/N): mean over the n clips that could be scored; such rows are not ranked")
    if missing := dict.fromkeys(name for table in tables for name in table.missing_weights):
        names = ", ".join(map(one_line, missing))
        notes.append(f"not shown, for want of weights: the metrics that need {names} (`vivid-bench weights list`)")
    notes += [note for table in tables for note in human_notes(table)]
    notes += [BADGES[row.badge] for row in rows if row.badge]
    notes += [_seeds_note(table, row) for table in tables for row in table.rows if len(row.runs) > 1]
    return list(dict.fromkeys(notes))


def _seeds_note(table: Table, row: Row) -> str:
    note = f"{one_line(label(table, row))}: mean over {len(row.runs)} seeds, clip by clip"
    share = row.seeds.share if row.seeds else None
    if share is not None:
        note += f"; seeds make up {share:.0%} of the main metric's squared standard error"
    return note
