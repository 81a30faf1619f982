"""`vivid-bench list`: what there is."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from vivid_bench.cli import options as opt

KINDS = ("methods", "metrics", "suites", "tasks")

LONG = ("version", "licence", "summary")
"""Columns of methods that a terminal has no room for; they are in the JSON and in the README's table."""


def list_(
    kind: Annotated[str, typer.Argument(metavar="methods|metrics|suites|tasks")],
    json: opt.Json = False,
) -> None:
    """List methods, metrics, suites or tasks; with --json, methods' versions, licences and summaries too."""
    from vivid_bench.cli.console import print_json, print_rows
    from vivid_bench.errors import UnknownNameError

    tables = {"methods": _methods, "metrics": _metrics, "suites": _suites, "tasks": _tasks}
    if kind not in tables:
        raise UnknownNameError("list", kind, KINDS)
    columns, rows = tables[kind]()
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    shown = [index for index, column in enumerate(columns) if kind != "methods" or column not in LONG]
    print_rows(None, [columns[index] for index in shown], [[row[index] for index in shown] for row in rows])


def _methods() -> tuple[list[str], list[list[str]]]:
    from vivid_bench.machine import has_nvidia_driver
    from vivid_bench.methods import known_methods

    # torch would know better, and take seconds to say so.
    device = "cuda" if has_nvidia_driver() else "cpu"
    rows = []
    for known in known_methods().values():
        c = known.card
        keyframes = "needed" if c.needs_keyframes else "taken" if c.keyframes else "no"
        state = c.card.state if c.card else "–"
        reason = known.why_not_here(device)
        runs_here = f"no: {re.split('[:;,]', reason)[0]}" if reason else "yes"
        rows.append([c.name, c.kind, ", ".join(c.tasks), keyframes, c.version, state, runs_here, c.licence, c.summary])
    columns = ["name", "kind", "tasks", "keyframes", "version", "state", "runs here", "licence", "summary"]
    return columns, rows


def _metrics() -> tuple[list[str], list[list[str]]]:
    from vivid_bench.metrics import METRICS, WEIGHTED_METRICS, metric_info
    from vivid_bench.suite_file import METRIC_NAMES

    weighted = [name for name in METRIC_NAMES if name.partition("@")[0] in WEIGHTED_METRICS]
    infos = [metric_info(name) for name in (*METRICS, *weighted)]
    rows = [
        [i.name, i.version, i.unit, "higher" if i.higher_is_better else "lower", ", ".join(i.tasks),
         ", ".join(filter(None, ("reference" if i.needs_reference else None, i.needs_weights))), i.citation]
        for i in infos
    ]  # fmt: skip
    return ["name", "version", "unit", "better", "tasks", "needs", "citation"], rows


def _suites() -> tuple[list[str], list[list[str]]]:
    from vivid_bench.datasets.readers import DATASETS, load_reader
    from vivid_bench.suite_file import read_suite_file
    from vivid_bench.suites import FOLDER, suite_folders

    rows = []
    for name, folder in suite_folders().items():
        suite = read_suite_file(folder)
        rows.append([name, suite.version, ", ".join(suite.tasks), suite.description])
    for name in DATASETS:
        card = load_reader(name).CARD
        rows.append([name, "1", ", ".join(card.tasks), f"{card.title}: --data DIR; `vivid-bench data list` says more"])
    rows.append([FOLDER, "1", "add, modify, delete", "your own clips: --data DIR with <id>/source.mp4 + mask.mp4"])
    return ["name", "version", "tasks", "description"], rows


def _tasks() -> tuple[list[str], list[list[str]]]:
    rows = [
        ["add", "an entity that the caption describes appears inside the mask"],
        ["modify", "the entity inside the mask becomes what the caption describes"],
        ["delete", "the entity inside the mask goes, and the background behind it is filled in"],
    ]
    return ["name", "meaning"], rows
