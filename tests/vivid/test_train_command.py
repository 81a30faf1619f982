from __future__ import annotations

from pathlib import Path

import pytest
from clips import DataFolder

from vivid_bench.cli.train import train
from vivid_bench.errors import InputError, UnknownNameError

CONFIG = """
steps = 2
log_every = 1

[model]
width = 32
heads = 2
layers = 1
text_width = 16
text_heads = 2
text_layers = 1
vocabulary = 300

[data]
kind = "scenes"
shards = 1
clips_per_shard = 4
frames = 5
size = 32

[[batch]]
pixels = 1280
frame_shares = { 5 = 1.0 }
crop_shares = { 16 = 1.0 }

[optimiser]
learning_rate = 1e-3
warmup_steps = 1
decay_steps = 1

[validation]
suite = "folder"
data = "DATA"
clips = 1
"""


def test_train_writes_a_pipeline_and_says_how_far_it_is(
    tmp_path: Path, data_folder: DataFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    data_folder.add("one", task="delete")
    config = tmp_path / "tiny.toml"
    config.write_text(CONFIG.replace("DATA", str(data_folder.path)))
    train("vivid", config, tmp_path / "out", tmp_path / "pool", resume=False)
    assert (tmp_path / "out" / "pipeline" / "model_index.json").is_file()
    assert "step 2/2" in capsys.readouterr().out


def test_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='unknown model "vivd": did you mean "vivid"'):
        train("vivd", tmp_path / "x.toml", tmp_path, tmp_path, resume=False)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a training configuration"):
        train("vivid", tmp_path / "x.toml", tmp_path, tmp_path, resume=False)
