"""What removal success says of right and wrong deletes: reference, baselines and controls, on the mini suite.

    python benchmarks/removal.py

Scores the visible-hole half of mini delete with both forms, and prints means and how often the reference is higher.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from vivid_bench.methods import find_method
from vivid_bench.metrics import load_metric
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.suites import load_splits
from vivid_bench.types import EditRequest, Frames

METRICS = ("removal_success@mini-clip", "removal_success_histogram")
METHODS = ("vivid", "flow-propagation", "navier-stokes", "telea", "temporal-median")
CONTROLS = ("copy-source", "grey-fill", "frozen-frame")
Values = dict[str, NDArray[np.float64]]


def measure(methods: tuple[str, ...], metrics: tuple[str, ...]) -> dict[str, Values]:
    """Return metric -> name of an edit -> its value on each clip."""
    (loaded,) = load_splits("mini", ("delete",), None)
    edit = {name: find_method(name).load("cpu").edit for name in methods}
    found: dict[str, dict[str, list[float]]] = {metric: {} for metric in metrics}
    for sample in track([s for s in loaded.split.samples if s.hole == "visible"], description="clips"):
        arrays = loaded.read(sample)
        assert arrays.reference is not None
        request = EditRequest(
            sample.id, sample.task, arrays.source, arrays.mask, sample.prompt, sample.fps, seed=0
        )  # fmt: skip
        edits: dict[str, Frames] = {"reference": arrays.reference}
        edits |= {name: make(request) for name, make in edit.items()}
        clip = SampleClip(sample, arrays.source, arrays.mask, arrays.reference)
        for metric in metrics:
            for name, frames in edits.items():
                value = load_metric(metric)(EditClip(clip, frames)).value
                assert value is not None
                found[metric].setdefault(name, []).append(value)
    return {metric: {name: np.array(v) for name, v in values.items()} for metric, values in found.items()}


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for metric, values in measure((*METHODS, *CONTROLS), METRICS).items():
        table = Table(title=f"{metric} ×100, {len(values['reference'])} clips", title_justify="left")
        for column in ("edit", "mean", "lowest", "highest", "reference higher on"):
            table.add_column(column, justify="left" if column == "edit" else "right")
        for name, column in values.items():
            higher = "" if name == "reference" else f"{(values['reference'] > column).mean():.0%}"
            table.add_row(name, *(f"{100 * x:.1f}" for x in (column.mean(), column.min(), column.max())), higher)
        Console().print(table)


if __name__ == "__main__":
    main()
