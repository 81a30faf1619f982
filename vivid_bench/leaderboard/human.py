"""The human column: raters' preferences from a user study beside a leaderboard's metrics. It ranks no row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vivid_bench.leaderboard.table import Row, Table, label
from vivid_bench.study.preference import EMPTY, Measure, cell, find_result, headline, marked, measure, spelled
from vivid_bench.study.results import Estimate, MethodPreference, QuestionResult, StudyAnalysis


@dataclass(frozen=True)
class HumanColumn:
    """What a study says of the methods of one table.

    Attributes:
        name: of the column, without unit and direction; says when the answers were simulated.
        methods: by run key.
    """

    study: str
    simulated: bool
    name: str
    measure: Measure
    result: QuestionResult
    methods: dict[str, MethodPreference]

    @property
    def heading(self) -> str:
        """The column's heading, e.g. `human, overall wins % ↑`."""
        return f"{self.name}, {self.measure.name} ↑"

    def of(self, row: Row) -> MethodPreference | None:
        """Return what raters said of a row; of several seeds, of the one whose edits they saw."""
        return next((self.methods[r.run_key] for r in row.records if r.run_key in self.methods), None)

    def estimate(self, row: Row) -> Estimate | None:
        """Return a row's figure; None where raters did not see it."""
        method = self.of(row)
        return None if method is None else headline(method)

    def cell(self, row: Row) -> str:
        """Return a row's figure and interval as printed, `–` for none."""
        return cell(self.measure, self.estimate(row))


def with_human(tables: Sequence[Table], analysis: StudyAnalysis) -> list[Table]:
    """Return the tables, those with a run that took part in the study with its main question's figures."""
    return [replace(table, human=_column(table, analysis)) for table in tables]


def _column(table: Table, analysis: StudyAnalysis) -> HumanColumn | None:
    result = find_result(analysis, table.suite, table.task, analysis.main_question)
    methods = {} if result is None else {method.run_key: method for method in result.methods}
    column = None
    if result is not None and methods:
        name = marked(analysis, f"human, {spelled(analysis.main_question)}")
        column = HumanColumn(analysis.study, analysis.simulated, name, measure(analysis.design), result, methods)
    return column if column and any(column.of(row) for row in table.rows) else None


def human_notes(table: Table) -> list[str]:
    """Return what a reader has to know of a table's human column; nothing where it has none."""
    human = table.human
    if human is None:
        return []
    result = human.result
    notes = [
        f"{human.name}: {human.measure.meaning}, with its 95 % interval over raters and samples; user study "
        f"{human.study}; it ranks no row",
        f"{table.task}, suite {table.suite}: {result.raters} raters, {result.samples} samples, "
        f"{result.judgements} judgements in the user study",
    ]
    if human.simulated:
        notes.append("simulated: these answers were made by `vivid-bench study simulate`; no person was asked")
    if any(human.of(row) is None for row in table.rows):
        notes.append(f"{human.name} {EMPTY}: raters did not see the edits of that run")
    for row in table.rows:
        if len(row.records) > 1 and human.of(row):
            seeds = ", ".join(str(record.seed) for record in row.records if record.run_key in human.methods)
            notes.append(f"{label(table, row)}: raters saw the edits of seed {seeds} alone")
    return notes
