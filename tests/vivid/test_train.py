from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from clips import DataFolder
from safetensors.torch import load_file

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.vivid.adapter import CHECKPOINT
from vivid_bench.vivid.build import ModelConfig
from vivid_bench.vivid.data import BatchConfig
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import LossConfig, OptimiserConfig, TrainConfig, ValidationConfig, read_config
from vivid_bench.vivid.sources import SceneConfig, SuiteConfig
from vivid_bench.vivid.train import saved_states, start_or_resume, train
from vivid_bench.vivid.validation import validation_splits

PARAMETERS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def config(tiny_model: ModelConfig) -> TrainConfig:
    return TrainConfig(
        steps=6,
        log_every=2,
        save_every=3,
        precision="no",
        model=tiny_model,
        data=SceneConfig(shards=1, clips_per_shard=4, frames=5, size=32),
        batch=(
            BatchConfig(
                pixels=2 * 5 * 16**2,
                crop_shares={16: 1.0},
                frame_shares={1: 0.3, 5: 0.7},
                keyframe_share=0.8,
                own_keyframe_share=0.5,
            ),
        ),
        loss=LossConfig(full_noise_share=0.5, own_trajectory=True),
        optimiser=OptimiserConfig(learning_rate=1e-3, matrix_learning_rate=1e-3, warmup_steps=2, decay_steps=2),
        validation=ValidationConfig(suite="SUITE", clips=1),
    )


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite of one delete sample."""
    folder = tmp_path_factory.mktemp("validation")
    DataFolder(folder).add("one", task="delete")
    return folder


@pytest.fixture(scope="module")
def config_here(config: TrainConfig, suite: Path) -> TrainConfig:
    return config.model_copy(update={"validation": ValidationConfig(suite="folder", data=suite, clips=1)})


@pytest.fixture(scope="module")
def unbroken(config_here: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run beside its pool."""
    root = tmp_path_factory.mktemp("runs")
    list(train(start_or_resume(config_here, root / "pool", root / "unbroken", resume=False), root / "pool"))
    return root / "unbroken"


def weights(state: Path) -> dict[str, torch.Tensor]:
    (file,) = state.glob("model*.safetensors")
    return load_file(file)


def test_a_resumed_run_equals_an_unbroken_one(config_here: TrainConfig, unbroken: Path, tmp_path: Path) -> None:
    pool = unbroken.parent / "pool"
    for progress in train(start_or_resume(config_here, pool, tmp_path, resume=False), pool):
        if progress.step == 4:  # the last save was at step 3: step 4 is lost and done again
            break
    resumed = start_or_resume(config_here, pool, tmp_path, resume=True)
    assert resumed.clock.step == 3
    list(train(resumed, pool))
    assert [row["step"] for row in csv.DictReader((tmp_path / "log.csv").open())] == ["2", "4", "6"]
    ours, theirs = (weights(folder / "states" / "00000006") for folder in (tmp_path, unbroken))
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor), name
    averaged, others = (load_file(f / "pipeline" / PARAMETERS) for f in (tmp_path, unbroken))
    for name, tensor in others.items():
        assert torch.equal(averaged[name], tensor), name


def test_one_state_is_kept_and_a_half_written_one_is_no_state(unbroken: Path, tmp_path: Path) -> None:
    assert [folder.name for folder in saved_states(unbroken)] == ["00000006"]
    (tmp_path / "states" / "00000003.partial").mkdir(parents=True)
    assert saved_states(tmp_path) == []


def test_training_changes_the_weights_and_saves_a_pipeline(unbroken: Path) -> None:
    pipeline = VividPipeline.from_pretrained(unbroken / "pipeline")
    assert bool(pipeline.transformer.proj_out.weight.detach().any())


def test_the_record_says_what_was_done(config_here: TrainConfig, unbroken: Path) -> None:
    record = json.loads((unbroken / "pipeline" / "training.json").read_text())
    assert record["steps"] == 6
    assert TrainConfig(**record["config"]) == config_here
    assert [step for step, _ in record["loss_curve"]] == [2, 4, 6]
    assert record["validation"]["vivid"]["step"] == 6
    assert record["validation"]["telea"]["delete_edit_psnr"] > 0
    assert record["validation"]["vivid"]["delete_edit_psnr"] > 0


def test_the_log_has_a_row_for_every_interval(unbroken: Path) -> None:
    rows = list(csv.DictReader((unbroken / "log.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    assert all(float(row["loss"]) > 0 for row in rows)


def test_tensorboard_gets_figures_and_pictures(unbroken: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(next(unbroken.rglob("events.out*")).parent))
    events.Reload()
    assert {"loss", "clips_per_second", "validation/delete_edit_psnr"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"] == ["validation/one"]


def test_a_run_is_not_overwritten(config_here: TrainConfig, unbroken: Path) -> None:
    with pytest.raises(InputError, match="add --resume or another --out"):
        start_or_resume(config_here, unbroken.parent / "pool", unbroken, resume=False)


def test_a_run_killed_after_its_last_state_is_finished(
    config_here: TrainConfig, unbroken: Path, tmp_path: Path
) -> None:
    out, pool = tmp_path / "out", unbroken.parent / "pool"
    shutil.copytree(unbroken, out)
    shutil.rmtree(out / "pipeline")
    (out / "validation.csv").unlink()
    assert list(train(start_or_resume(config_here, pool, out, resume=True), pool)) == []
    assert (out / "validation.csv").read_text() == (unbroken / "validation.csv").read_text()
    ours, theirs = (load_file(folder / "pipeline" / PARAMETERS) for folder in (out, unbroken))
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())
    assert json.loads((out / "pipeline" / "training.json").read_text())["steps"] == 6


def test_a_run_longer_than_its_recipe_is_refused(config_here: TrainConfig, unbroken: Path) -> None:
    config = config_here.model_copy(update={"steps": 5})
    with pytest.raises(InputError, match="expected at most 5 steps done, found 6; raise `steps`"):
        start_or_resume(config, unbroken.parent / "pool", unbroken, resume=True)


def test_what_a_killed_save_left_does_not_join_the_next(
    config_here: TrainConfig, unbroken: Path, tmp_path: Path
) -> None:
    trainer = start_or_resume(config_here, unbroken.parent / "pool", tmp_path, resume=False)
    partial = tmp_path / "states" / "00000000.partial"
    partial.mkdir(parents=True)
    (partial / "random_states_7.pkl").write_bytes(b"stale")
    trainer.save()
    (state,) = saved_states(tmp_path)
    assert not (state / "random_states_7.pkl").exists()


def test_a_saved_pipeline_can_be_trained_on(config_here: TrainConfig, unbroken: Path, tmp_path: Path) -> None:
    config = config_here.model_copy(update={"model": None, "pipeline": unbroken / "pipeline", "steps": 7})
    trainer = start_or_resume(config, unbroken.parent / "pool", tmp_path, resume=False)
    before = trainer.pipeline.transformer.proj_out.weight.detach().clone()
    trainer.train_step(trainer.batches[0])
    assert not torch.equal(before, trainer.pipeline.transformer.proj_out.weight)


def test_a_converted_base_is_trained_on_the_clips_of_a_suite(
    config_here: TrainConfig, full_folders: dict[str, Path], suite: Path, tmp_path: Path
) -> None:
    config = config_here.model_copy(
        update={
            "model": None,
            "pipeline": full_folders["5b"],
            "steps": 1,
            "data": SuiteConfig(
                kind="suite", suite="folder", data=suite, tasks=("delete",), frames=1, height=32, width=32
            ),
            "batch": (BatchConfig(pixels=2 * 32**2, frame_shares={1: 1.0}),),
            "loss": LossConfig(),
            "optimiser": OptimiserConfig(learning_rate=1e-3, warmup_steps=1, decay_steps=1),
            "gradient_checkpointing": True,
        }
    )
    list(train(start_or_resume(config, tmp_path, tmp_path / "out", resume=False), tmp_path))
    trained = load_file(tmp_path / "out" / "pipeline" / PARAMETERS)
    before = load_file(full_folders["5b"] / PARAMETERS)
    assert trained["patch_embed.proj.weight"].dtype == torch.bfloat16
    assert not torch.equal(trained["patch_embed.proj.weight"].float(), before["patch_embed.proj.weight"].float())
    load_pipeline(tmp_path / "out" / "pipeline")


@pytest.mark.parametrize("option", ["own_trajectory", "own_keyframe_share"])
def test_own_estimates_need_a_model_that_predicts_the_sample(
    config_here: TrainConfig, full_folders: dict[str, Path], suite: Path, tmp_path: Path, option: str
) -> None:
    stage = BatchConfig(pixels=2 * 32**2, frame_shares={1: 1.0})
    change = {"loss": LossConfig(own_trajectory=True)} if option == "own_trajectory" else {"loss": LossConfig()}
    stage = stage.model_copy(update={"own_keyframe_share": float(option == "own_keyframe_share")})
    config = config_here.model_copy(
        update={"model": None, "pipeline": full_folders["5b"], "batch": (stage,), "workers": 0, **change}
    )
    with pytest.raises(VividBenchError, match="predicts v_prediction: leave them out"):
        start_or_resume(config, tmp_path, tmp_path / "out", resume=False)


def test_worker_processes_change_nothing(config_here: TrainConfig, unbroken: Path, tmp_path: Path) -> None:
    config = config_here.model_copy(update={"workers": 1})
    trainer = start_or_resume(config, unbroken.parent / "pool", tmp_path, resume=False)
    batches = list(trainer.loader())
    assert len(batches) == 6
    assert torch.equal(batches[4].masked, trainer.batches[4].masked)


@pytest.mark.parametrize("name", ["mini", "mini-long"])
def test_the_test_split_is_no_validation_split(config_here: TrainConfig, tmp_path: Path, name: str) -> None:
    config = config_here.model_copy(update={"validation": ValidationConfig(suite=name)})
    with pytest.raises(InputError, match="found the test split"):
        validation_splits(config, tmp_path)


@pytest.mark.parametrize("ends", [(None, None), (3, 3, None), (5, 3, None), (3,)])
def test_stages_end_one_after_the_other(config: TrainConfig, ends: tuple[int | None, ...]) -> None:
    stages = [config.batch[0].model_copy(update={"until": end}).model_dump() for end in ends]
    with pytest.raises(ValueError, match="needs `until`"):
        TrainConfig(**{**config.model_dump(), "batch": stages})


@pytest.mark.parametrize(
    ("change", "message"),
    [({"crop_shares": {15: 1.0}}, r"clips of \[15\] px"), ({"frame_shares": {4: 1.0}}, r"clips of \[4\] frames")],
)
def test_clips_have_to_fit_the_codec(config: TrainConfig, change: dict[str, object], message: str) -> None:
    stages = [{**config.batch[0].model_dump(), **change}]
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{**config.model_dump(), "batch": stages})


def test_one_start_has_to_be_given(config: TrainConfig) -> None:
    with pytest.raises(ValueError, match=r"either a \[model\] table or `pipeline`"):
        TrainConfig(**{**config.model_dump(), "model": None})


def test_a_wrong_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("stepps = 3\n")
    with pytest.raises(InputError, match="stepps"):
        read_config(path)


@pytest.mark.parametrize("key", ["steps", "log_every", "save_every"])
def test_numbers_of_steps_are_positive(config: TrainConfig, key: str) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        TrainConfig(**{**config.model_dump(), key: 0})


def test_a_file_of_another_kind_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="expected a training configuration"):
        read_config(tmp_path / "bad.toml")


@pytest.mark.parametrize("name", ["mini.toml", "train-full-size.toml"])
def test_the_shipped_recipes_are_read(name: str) -> None:
    import vivid_bench.vivid

    assert read_config(Path(vivid_bench.vivid.__path__[0]) / "configs" / name).steps > 0


def test_the_shipped_checkpoint_was_made_by_the_shipped_recipe() -> None:
    record = json.loads((CHECKPOINT / "training.json").read_text())
    assert TrainConfig(**record["config"]) == read_config(CHECKPOINT.parents[1] / "configs" / "mini.toml")
