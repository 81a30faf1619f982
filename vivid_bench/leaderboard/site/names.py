"""Names of the site's files and addresses: plain ASCII, whatever a suite's samples are called."""

from __future__ import annotations

import re

from vivid_bench.files import canonical_json, sha256_text
from vivid_bench.leaderboard.table import Table
from vivid_bench.leaderboard.words import title

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def page_name(sample_id: str) -> str:
    """Return a sample's file name without suffix: its id, or an ASCII likeness and 8 digits of the id's hash.

    An id may hold quotes, `#`, `%` or 200 letters of any script, and two may differ in case alone; a name that is valid
    on every disk needs no escaping in an address either.
    """
    if _PLAIN.fullmatch(sample_id):
        return sample_id
    likeness = re.sub(r"[^a-z0-9]+", "-", sample_id.lower())[:60].strip("-")
    return f"{likeness}-{sha256_text(sample_id)[:8]}".lstrip("-")


def table_name(table: Table) -> str:
    """Return a table's name in addresses: task, suite, and 6 digits of a hash over all that makes it a table."""
    made_of = {
        "composite": table.composite,
        "keyframes": table.keyframes,
        "split": table.split_sha256,
        "samples": table.record.samples,
        "metrics": table.record.metrics,
        "weights": table.record.weights,
    }
    return f"{table.task}-{table.suite}-{sha256_text(canonical_json(made_of))[:6]}".lower()


def table_title(table: Table) -> str:
    """Return what tells a table from the others of its task, e.g. `suite mini, keyframes 0`."""
    return title(table).removeprefix(f"{table.task}, ")
