"""`vivid-bench submit`, as a user types it: the walk-through of CONTRIBUTING.md, and submissions that are wrong."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import zipfile
from pathlib import Path

from clips import Command
from submitted import EXAMPLE, write_suite

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def walk_through() -> list[list[str]]:
    """The commands of "Submit your method", in order."""
    text = CONTRIBUTING.read_text()
    section = text[text.index("## Submit your method") : text.index("## Add a metric")]
    blocks = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def test_walk_through_of_contributing(vivid_bench: Command, tmp_path: Path) -> None:
    """Its very commands, but for the suite: twelve tiny clips in place of the mini suite's."""
    suite, work = write_suite(tmp_path / "suite"), tmp_path / "work"
    outputs = []
    for command in walk_through():
        if command[:3] == ["cp", "-r", "docs/example-method"]:
            shutil.copytree(EXAMPLE, work / command[3])
            continue
        assert command[0] == "vivid-bench"
        at = command.index("--suite")
        assert command[at + 1] == "mini"
        outputs.append(vivid_bench(*command[1 : at + 1], suite, *command[at + 2 :]))
    trial, run, pack, check, accept = outputs
    assert "2/2" in trial.stdout
    assert "12/12" in run.stdout
    assert "blur-fill.zip: 1 run, 17 files" in pack.stdout
    assert "left out: 4 runs of other methods, controls among them" in pack.stderr
    assert re.search(r"12 clips, 2 checked \(--seed \d+\)", check.stdout)
    assert "badge: re-scored" in check.stdout
    (record,) = (work / "results").glob("tiny/delete/blur-fill/*/submission.json")
    assert f"accepted: {record.parent.relative_to(work)}" in accept.stdout
    assert json.loads(record.read_text())["badge"] == "re-scored"
    _wrong_submissions(vivid_bench, suite, work)


def _wrong_submissions(vivid_bench: Command, suite: Path, work: Path) -> None:
    with zipfile.ZipFile(work / "blur-fill.zip", "a") as archive:
        archive.writestr("records/[red]\x1b[31m<script>.py", "open('witness', 'w')")
    done = vivid_bench("submit", "check", "blur-fill.zip", "--suite", suite, expect=1)
    assert r"problem: records/[red]\x1b[31m<script>.py: expected a file as `submit pack` writes it" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stdout.endswith("1 problem, no badge\n")
    (work / "text.zip").write_text("no archive")
    assert "found a truncated one, or none" in vivid_bench("submit", "check", "text.zip", expect=2).stderr
    assert not (work / "witness").exists()
