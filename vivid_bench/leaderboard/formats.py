"""Leaderboards as text: Markdown, LaTeX, csv, JSON. Names are data: each format escapes them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence

from vivid_bench import escaping
from vivid_bench.leaderboard.sheet import Line, Sheet, sheet, two_lines
from vivid_bench.leaderboard.table import Row, Table, label
from vivid_bench.leaderboard.words import facts, legend, title
from vivid_bench.metrics import metric_info

FIGURES_ACROSS = 8
"""About as many as a page shows beside each other; the others go below, with the methods again."""


def markdown(tables: Sequence[Table]) -> str:
    """Return tables for a page in a repository; the best, and what cannot be told from it, is bold."""
    parts = ["# Leaderboard", "*Made by `vivid-bench leaderboard --format md`; edit the records, not this file.*"]
    for table in tables:
        what, pinned = map(escaping.markdown, facts(table))
        parts += [f"## {escaping.markdown(title(table))}", f"{what}<br>\n{pinned}", *_markdown_tables(table)]
    if notes := legend(tables, best="bold"):
        parts += ["---", "\n".join(f"- {escaping.markdown(note)}" for note in notes)]
    return "\n\n".join(parts) + "\n"


def _markdown_tables(table: Table) -> Iterator[str]:
    whole = sheet(table)
    for part, is_first in whole.parts(FIGURES_ACROSS):
        names = whole.names if is_first else whole.names[1:2]
        figures = whole.figures[part]
        rows = [
            [*names, *("<br>".join(map(escaping.markdown, two_lines(figure))) for figure in figures)],
            [":--" if name in ("method", "keyframe") else "--:" for name in names] + ["--:"] * len(figures),
        ]
        for line in whole.lines:
            if line.is_first_control:
                rows.append(["*controls*" if name == "method" else "" for name in names] + [""] * len(figures))
            rows.append(_markdown_line(line, part, is_first))
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _markdown_line(line: Line, part: slice, is_first: bool) -> list[str]:
    names = list(map(escaping.markdown, line.name if is_first else line.name[1:2]))
    cells = list(map(escaping.markdown, line.figures[part]))
    if is_first and line.is_best:
        cells[0] = f"**{cells[0]}**"
    return names + cells


def latex(tables: Sequence[Table]) -> str:
    """Return a booktabs table for each table, ready to paste; the figures that do not fit across stand below."""
    return "\n".join(_latex_table(table) for table in tables)


def _latex_table(table: Table) -> str:
    whole = sheet(table)
    what, pinned = facts(table)
    caption = ". ".join([f"{title(table).capitalize()}: {what}", *legend([table], best="bold")])
    return "\n".join(
        [
            f"% {escaping.one_line(pinned)}; needs \\usepackage{{booktabs}}",
            r"\begin{table*}",
            r"\centering\footnotesize",
            rf"\caption{{{escaping.latex(caption)}.}}",
            "\n\n\\medskip\n".join(_latex_part(whole, *part) for part in whole.parts(FIGURES_ACROSS)),
            r"\end{table*}",
            "",
        ]
    )


def _latex_part(whole: Sheet, part: slice, is_first: bool) -> str:
    names = whole.names if is_first else whole.names[1:2]
    figures = whole.figures[part]
    columns = "".join("l" if name in ("method", "keyframe") else "r" for name in names) + "r" * len(figures)
    headings = [*names, *(_shortstack(figure) for figure in figures)]
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", " & ".join(headings) + r" \\", r"\midrule"]
    for line in whole.lines:
        if line.is_first_control:
            lines += [r"\midrule", rf"\multicolumn{{{len(columns)}}}{{l}}{{\emph{{controls}}}} \\"]
        cells = list(map(escaping.latex, line.figures[part]))
        if is_first and line.is_best:
            cells[0] = rf"\textbf{{{cells[0]}}}"
        lines.append(" & ".join([*map(escaping.latex, line.name if is_first else line.name[1:2]), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _shortstack(heading: str) -> str:
    return r"\shortstack[r]{" + r"\\".join(map(escaping.latex, two_lines(heading))) + "}"


def comma_separated(tables: Sequence[Table]) -> str:
    """Return one line a method and metric, unrounded, each with all that the figures depend on."""
    lines = [values for table in tables for row in table.rows for values in _csv_lines(table, row)]
    if not lines:
        return ""
    file = io.StringIO()
    columns = dict.fromkeys(name for line in lines for name in line)  # only some tables have a human column
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: escaping.csv_cell(value) for name, value in line.items()} for line in lines)
    return file.getvalue()


def _csv_lines(table: Table, row: Row) -> Iterator[dict[str, object]]:
    for name in row.record.metrics:
        info = metric_info(name)
        yield {
            **_table_facts(table),
            **_row_facts(table, row),
            "metric": name,
            "metric_version": row.record.metrics[name],
            "metric_weights": info.needs_weights,
            "metric_weights_sha256": row.record.weights.get(info.needs_weights) if info.needs_weights else None,
            "unit": info.unit,
            "higher_is_better": info.higher_is_better,
            **row.summaries[name].model_dump(),
            **_study_facts(table),
            **_human_facts(table, row),
        }


def json_text(tables: Sequence[Table]) -> str:
    """Return tables as JSON, unrounded."""
    return json.dumps([table_json(table) for table in tables], indent=2, ensure_ascii=False) + "\n"


def table_json(table: Table) -> dict[str, object]:
    """Return a table as plain values, unrounded."""
    return {
        **_table_facts(table),
        "metric_versions": dict(table.record.metrics),
        "weights": dict(table.record.weights),
        "rows": [
            {
                **_row_facts(table, row),
                "summaries": {name: s.model_dump() for name, s in row.summaries.items()},
                **_human_facts(table, row),
            }
            for row in table.rows
        ],
        "comparisons": _comparisons_json(table),
        **_study_facts(table),
    }


def _study_facts(table: Table) -> dict[str, object]:
    """Return what a table's human column is from; nothing where it has none."""
    human = table.human
    if human is None:
        return {}
    return {
        "human_study": human.study,
        "human_simulated": human.simulated,
        "human_question": human.result.question,
        "human_measure": human.measure.meaning,
        "human_raters": human.result.raters,
        "human_samples": human.result.samples,
    }


def _human_facts(table: Table, row: Row) -> dict[str, object]:
    """Return what raters said of a row, unrounded, as `metric` and its interval are; nothing without a human column."""
    human = table.human
    if human is None:
        return {}
    method, estimate = human.of(row), human.estimate(row)
    return {
        "human": estimate.value if estimate else None,
        "human_ci_low": estimate.low if estimate else None,
        "human_ci_high": estimate.high if estimate else None,
        "human_judgements": method.judgements if method else None,
    }


def _comparisons_json(table: Table) -> list[dict[str, object]]:
    """Return what was found between ranked rows on the main metric."""
    if table.comparisons is None:
        return []
    names = [label(table, row) for row in table.rows if row.is_ranked]
    return [
        {
            "first": names[pair.first],
            "second": names[pair.second],
            "difference": pair.difference,
            "ci_low": pair.interval.low if pair.interval else None,
            "ci_high": pair.interval.high if pair.interval else None,
            "p": pair.p,
            "p_corrected": pair.p_corrected,
            "effect_size": pair.effect_size,
        }
        for pair in table.comparisons.pairs
    ]


def _table_facts(table: Table) -> dict[str, object]:
    return {
        "suite": table.suite,
        "task": table.task,
        "composite": table.composite,
        "keyframes": table.keyframes,
        "split_version": table.record.split_version,
        "split_sha256": table.split_sha256,
        "n_samples": table.n_samples,
        "n_source_videos": table.n_source_videos,
        "main_metric": table.main_metric,
    }


def _row_facts(table: Table, row: Row) -> dict[str, object]:
    record = row.record
    return {
        "method": record.method.name,
        "label": label(table, row),
        "kind": record.method.kind,
        "badge": row.badge,
        "version": record.method.version,
        "parameters": record.method.parameters,
        "weights_sha256": record.method.weights_sha256,
        "composite": record.composite,
        "keyframes_given": record.keyframes_given,
        "rank": row.rank,
        "ranked": row.is_ranked,
        "tied_with_best": row.tied_with_best,
        "seed": record.seed,
        "run_key": record.run_key,
        "seeds": [record.seed for record in row.records],
        "run_keys": [record.run_key for record in row.records],
        "n_edited": record.n_edited,
        "n_failed": row.n_failed,
        "seconds_per_frame": row.seconds_per_frame,
        "peak_memory_bytes": row.peak_memory_bytes,
    }


TEXT_FORMATS: dict[str, Callable[[Sequence[Table]], str]] = {
    "md": markdown,
    "csv": comma_separated,
    "json": json_text,
    "latex": latex,
}
"""What `leaderboard --format` can write as one text."""
