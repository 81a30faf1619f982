"""The suites' own clips behind the tables, where they are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vivid_bench.errors import VividBenchError
from vivid_bench.leaderboard.table import Table
from vivid_bench.suites import DATA_SUITES, LoadedSplit, load_splits, suite_folders


def find_split(table: Table, data: Path | None) -> LoadedSplit | str:
    """Return the split that a table was made on, or, for the terminal, the sentence why it is not at hand.

    Args:
        table: names the suite.
        data: the clips of suite `folder` or of a published set, or the folder of a suite that does not ship.
    """
    is_shipped = table.suite in suite_folders()
    if not is_shipped and data is None:
        return f"the clips of suite {table.suite} do not ship with vivid-bench: pass --data DIR to show them"
    lies_in_data = table.suite in DATA_SUITES
    suite = table.suite if is_shipped or lies_in_data else str(data)
    keyframes = table.keyframes if isinstance(table.keyframes, tuple) else None
    try:
        (loaded,) = load_splits(
            suite, (table.record.task,), data if lies_in_data else None, limit=table.n_samples, keyframes=keyframes
        )
    except VividBenchError as error:
        return f"the clips of suite {table.suite}, task {table.task}, cannot be shown: {error}"
    if loaded.split.sha256 != table.split_sha256:
        return (
            f"the clips of suite {table.suite}, task {table.task}, cannot be shown: the runs were made on split "
            f"{table.split_sha256[:12]}…, the one at hand is {loaded.split.sha256[:12]}…"
        )
    return loaded


def mask_kinds(loaded: LoadedSplit | None, samples: Sequence[str]) -> list[str | None]:
    """Return each sample's mask kind, None where it is not known."""
    if loaded is None:
        return [None] * len(samples)
    kinds = {sample.id: sample.mask_kind for sample in loaded.split.samples}
    return [kinds.get(sample) for sample in samples]
