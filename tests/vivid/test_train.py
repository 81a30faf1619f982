from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from vivid_bench.errors import InputError
from vivid_bench.vivid.build import ModelConfig
from vivid_bench.vivid.data import Batch, BatchConfig, PoolConfig
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import TrainConfig, read_config
from vivid_bench.vivid.train import edit_loss, learning_rate_factor, start_or_resume, train


@pytest.fixture(scope="module")
def config(tiny_model: ModelConfig) -> TrainConfig:
    return TrainConfig(
        steps=6,
        warmup_steps=2,
        decay_steps=2,
        learning_rate=1e-3,
        matrix_learning_rate=1e-3,
        log_every=2,
        save_every=3,
        validation_clips=1,
        model=tiny_model,
        pool=PoolConfig(shards=1, clips_per_shard=4, frames=5, size=32),
        batch=BatchConfig(pixels=2 * 16**2, crop_shares={16: 1.0}),
    )


@pytest.fixture(scope="module")
def unbroken(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run beside its pool."""
    root = tmp_path_factory.mktemp("runs")
    list(train(start_or_resume(config, root / "pool", root / "unbroken", resume=False), root / "unbroken"))
    return root / "unbroken"


def test_a_resumed_run_equals_an_unbroken_one(config: TrainConfig, unbroken: Path, tmp_path: Path) -> None:
    pool = unbroken.parent / "pool"
    for step, _ in train(start_or_resume(config, pool, tmp_path, resume=False), tmp_path):
        if step == 4:  # the last save was at step 3: step 4 is lost and done again
            break
    resumed = start_or_resume(config, pool, tmp_path, resume=True)
    assert resumed.step == 3
    list(train(resumed, tmp_path))
    assert [row["step"] for row in csv.DictReader((tmp_path / "log.csv").open())] == ["2", "4", "6"]
    ours, theirs = (torch.load(f / "state.pt", weights_only=True) for f in (tmp_path, unbroken))
    assert ours["step"] == theirs["step"] == 6
    for name, tensor in theirs["modules"].items():
        assert torch.equal(ours["modules"][name], tensor), name
    for mine, other in zip(ours["ema"]["shadow_params"], theirs["ema"]["shadow_params"], strict=True):
        assert torch.equal(mine, other)


def test_training_changes_the_weights_and_saves_a_pipeline(unbroken: Path) -> None:
    pipeline = VividPipeline.from_pretrained(unbroken / "pipeline")
    assert bool(pipeline.transformer.proj_out.weight.detach().any())


def test_the_record_says_what_was_done(config: TrainConfig, unbroken: Path) -> None:
    record = json.loads((unbroken / "pipeline" / "training.json").read_text())
    assert record["steps"] == 6
    assert TrainConfig(**record["config"]) == config
    assert [step for step, _ in record["loss_curve"]] == [2, 4, 6]
    assert record["validation"]["vivid"]["step"] == 6
    assert record["validation"]["filled hole"]["delete_background_psnr"] == 100
    assert "delete_edit_psnr" in record["validation"]["telea"]


def test_the_log_has_a_row_for_every_interval(unbroken: Path) -> None:
    rows = list(csv.DictReader((unbroken / "log.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    assert all(float(row["loss"]) > 0 for row in rows)


def test_a_run_is_not_overwritten(config: TrainConfig, unbroken: Path) -> None:
    with pytest.raises(InputError, match="add --resume or another --out"):
        start_or_resume(config, unbroken.parent / "pool", unbroken, resume=False)


def test_learning_rate_rises_stays_and_falls(config: TrainConfig) -> None:
    # 2 of warm-up, 2 constant, 2 of decay.
    assert [learning_rate_factor(step, config) for step in range(7)] == [1 / 2, 1, 1, 1, 1, 1 / 2, 0]


def test_loss_of_the_filled_hole_is_one_and_of_the_truth_zero(config: TrainConfig) -> None:
    config = config.model_copy(update={"difficulty_floor": 0.0})
    edit, masked = torch.zeros(1, 3, 1, 2, 2), torch.zeros(1, 3, 1, 2, 2)
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).reshape(1, 1, 1, 2, 2)
    masked[..., 0, 0] = 0.5
    batch = Batch(edit, masked, mask, [""])
    assert edit_loss(masked, batch, config).tolist() == [1]
    assert edit_loss(edit, batch, config).tolist() == [0]
    # An error of 0.1 in the background alone: 10 x 0.1^2.
    assert edit_loss(edit + 0.1 * (1 - mask), batch, config).tolist() == pytest.approx([0.1])


def test_difficulty_is_taken_out(config: TrainConfig) -> None:
    config = config.model_copy(update={"difficulty_floor": 0.0})
    mask = torch.ones(2, 1, 1, 2, 2)
    masked = torch.stack([torch.full((3, 1, 2, 2), 0.1), torch.full((3, 1, 2, 2), 0.8)])
    losses = edit_loss(masked / 2, Batch(torch.zeros_like(masked), masked, mask, ["", ""]), config)
    assert losses.tolist() == pytest.approx([1 / 4, 1 / 4])


def test_a_wrong_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("stepps = 3\n")
    with pytest.raises(InputError, match="stepps"):
        read_config(path)


def test_the_shipped_recipe_is_read() -> None:
    import vivid_bench.vivid

    assert read_config(Path(vivid_bench.vivid.__path__[0]) / "configs" / "mini.toml").steps > 0
