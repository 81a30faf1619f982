from __future__ import annotations

import re
from pathlib import Path

import pytest
from programs import card, write_card

from vivid_bench.errors import InputError, MethodError
from vivid_bench.method_card import read_card
from vivid_bench.methods import find_method


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"run": ["x"], "per": "batch"}, r'per = "batch" needs \[\'edits\', \'requests\'\] in run'),
        ({"run": ["x", "{prompt}"], "per": "batch"}, r"no such name with per = \"batch\": \['prompt'\]"),
        ({"run": ["x", "{sauce}"], "per": "sample", "output": "o"}, r"\['sauce'\]"),
        ({"run": ["x"], "per": "sample"}, "needs output"),
        ({"run": ["x"], "per": "sample", "output": "o", "height": 8}, "height and width belong together"),
        ({"run": ["x"], "per": "sample", "output": "/tmp/x.mp4"}, "must lie below {out}"),
        ({"run": ["x"], "per": "sample", "output": "{out}/../*"}, "must lie below {out}"),
        ({"run": ["{repo}/x"], "per": "sample", "output": "o"}, r"need a table \[checkout\]"),
        ({"run": ["{weights}"], "per": "sample", "output": "o"}, r"need a table \[checkout\]"),
    ],
)
def test_a_command_that_cannot_work_is_refused(tmp_path: Path, facts: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_card(write_card(tmp_path, facts))


@pytest.mark.parametrize("more", ['adapter = "a:B"', "keyframes = true"])
def test_what_a_command_excludes(tmp_path: Path, more: str) -> None:
    with pytest.raises(InputError, match=r"exclude each other|no keyframes"):
        read_card(write_card(tmp_path, {"run": ["{requests}{edits}"], "per": "batch"}, more))


def test_programs_beside_the_card_are_part_of_the_method(tmp_path: Path) -> None:
    path = card(tmp_path)
    known = find_method(str(path))
    assert [file.name for file in known.code_files] == ["method.toml", "program.py"]
    before = known.ref()
    (tmp_path / "program.py").write_text("pass")
    changed = known.ref()
    assert changed.code_sha256 != before.code_sha256
    path.write_text(path.read_text().replace('per = "batch"', 'per = "batch"\nclip_minutes = 3'))
    other = find_method(str(path)).ref()
    assert other.code_sha256 != changed.code_sha256
    path.write_text(f'licence = "MIT"\n{path.read_text()}')
    assert find_method(str(path)).ref() == other


def test_a_card_that_starts_nothing_is_no_method(tmp_path: Path) -> None:
    path = tmp_path / "method.toml"
    path.write_text('name = "x"\nversion = "1"\nkind = "method"\ntasks = ["add"]\nadapter = "a:B"\n')
    with pytest.raises(MethodError, match=re.escape('expected kind "method" and a table [command]')):
        find_method(str(path))
    with pytest.raises(InputError, match="expected a method card, found nothing"):
        find_method(str(tmp_path / "none.toml"))
    path.write_text(card(tmp_path).read_text().replace('"outside"', '"telea"'))
    with pytest.raises(MethodError, match="a method that ships is called telea"):
        find_method(str(path))


def test_a_card_only_refuses_in_a_sentence(tmp_path: Path) -> None:
    path = card(tmp_path)
    facts = 'size = "1 B"\nresolution = "any"\nframes = "any"\nenvironment = "old"\nmemory = "not stated"\n'
    path.write_text(f'{path.read_text()}\n[card]\n{facts}state = "card only"\ncode = "https://example.org/x"\n')
    known = find_method(str(path))
    assert known.why_not_here("cuda") == (
        "it is a card only, nothing here runs it; its own code is at https://example.org/x"
    )
    with pytest.raises(MethodError, match="method outside cannot run here: it is a card only"):
        known.load("cuda")
