"""`vivid-bench init`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from clips import Command


def test_a_missing_base_says_how_to_get_it(vivid_bench: Command) -> None:
    said = vivid_bench("init", "vivid", "--from", "someone/base", "--out", "mine", expect=2).stderr
    assert "someone/base: expected a CogVideoX checkpoint, found no such folder" in said
    assert "--download" in said
    said = vivid_bench("init", "vivid", "--from", "no/such/folder", "--out", "mine", expect=2).stderr
    assert "check the path" in said


def test_a_foreign_folder_is_named(vivid_bench: Command, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    said = vivid_bench("init", "vivid", "--from", tmp_path, "--out", "mine", expect=2).stderr
    assert "expected CogVideoXPipeline, found StableDiffusionPipeline" in said


def test_only_vivid_can_be_made(vivid_bench: Command) -> None:
    assert 'unknown model "vace"' in vivid_bench("init", "vace", "--from", "x", "--out", "y", expect=2).stderr
