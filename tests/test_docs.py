"""What the documents tell a reader to type must work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from clips import Command

from vivid_bench.cli.main import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md", "BENCHMARK.md", "CONTRIBUTING.md", "docs/methods/contract.md", "tasks/mini/README.md",
    "tasks/mini-long/README.md",
)  # fmt: skip


def commands(document: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), flags=re.DOTALL)
    lines = [
        line.partition("  #")[0].partition(" # ")[0]
        for block in blocks
        for line in re.sub(r"\\\n\s*", "", block).splitlines()
    ]
    return [line.removeprefix("vivid-bench ") for line in lines if line.startswith("vivid-bench ")]


@pytest.mark.parametrize("line", sorted({line for document in DOCUMENTS for line in commands(document)}))
def test_every_documented_command_parses(line: str) -> None:
    group = typer.main.get_command(app)
    name, *arguments = shlex.split(line)
    command = group.commands[name]  # type: ignore[attr-defined]
    if hasattr(command, "commands"):  # weights list, weights fetch, ...
        name, *arguments = arguments
        command = command.commands[name]
    assert command.make_context(name, arguments).params


def test_the_example_method_runs(vivid_bench: Command, tmp_path: Path) -> None:
    (code,) = re.findall(
        r"```python\n# my_method\.py\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL
    )
    (tmp_path / "my_method.py").write_text(code)
    target = f"{tmp_path / 'my_method.py'}:MyMethod"
    done = vivid_bench("run", "--method", target, "--task", "delete", "--limit", "2", "--device", "cpu")
    assert "my-method" in done.stdout
    assert "2/2" in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not link.startswith("http")]
    missing = [link for link in links if not ((ROOT / document).parent / link).exists()]
    assert missing == []
    headings = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
    anchors = re.findall(r"\]\(#([^)]+)\)", text)
    assert [a for a in anchors if a not in headings] == []
