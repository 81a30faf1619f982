"""The training loop: accelerate's devices and precision, exact resume, an averaged copy that becomes the checkpoint."""

from __future__ import annotations

import csv
import logging
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import Accelerator, PartialState
from accelerate.utils import is_tensorboard_available, parse_flag_from_env, set_seed
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader

from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.methods import find_method
from vivid_bench.suites import LoadedSplit
from vivid_bench.vivid.build import build_pipeline
from vivid_bench.vivid.data import Batch, Batches
from vivid_bench.vivid.loading import load_pipeline, save_half
from vivid_bench.vivid.objective import EditObjective
from vivid_bench.vivid.optimisers import learning_rate_factor, make_optimisers, set_learning_rates
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import TrainConfig
from vivid_bench.vivid.record import write_record
from vivid_bench.vivid.sources import ClipSource, open_source
from vivid_bench.vivid.validation import method_figures, validate, validation_splits

STATES, LOG_FILE, VALIDATION_FILE = "states", "log.csv", "validation.csv"
PIPELINE_FOLDER, RECORD_FILE = "pipeline", "training.json"


class Clock:
    """How far a run is; saved and restored with its state.

    Attributes:
        step: optimiser steps done.
        seconds: time spent in them, over all resumed parts.
    """

    def __init__(self) -> None:
        self.step = 0
        self.seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return both."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self.step, self.seconds = state["step"], state["seconds"]


@dataclass(frozen=True)
class Progress:
    """What happened since the last report.

    Attributes:
        loss: mean over the steps.
        clips_per_second: of all processes.
        seconds_left: to the last step, at this pace.
    """

    step: int
    loss: float
    clips_per_second: float
    seconds_left: float


class Trainer:
    """A run's models, optimisers and data on the devices that accelerate gives it.

    FSDP, DeepSpeed and several processes come from accelerate's own configuration (`accelerate launch`).

    Args:
        out: the run's folder: `states/`, `log.csv`, `validation.csv`, `pipeline/` and TensorBoard's files.
    """

    def __init__(self, config: TrainConfig, pipeline: VividPipeline, source: ClipSource, out: Path) -> None:
        tracker = "tensorboard" if is_tensorboard_available() else None
        self.config = config
        self.out = out
        self.pipeline = pipeline
        self.accelerator = Accelerator(mixed_precision=config.precision, log_with=tracker, project_dir=out)
        # A T5 encoder's embeddings are tied; accelerate would say so at every save.
        logging.getLogger("accelerate.utils.other").setLevel(logging.ERROR)
        set_seed(config.seed, device_specific=True)
        device = self.accelerator.device
        for name in ("text_encoder", "vae", "transformer"):
            getattr(pipeline, name).to(device)
        if config.gradient_checkpointing:
            pipeline.transformer.enable_gradient_checkpointing()
        objective = EditObjective(pipeline, config.loss)
        # Before `prepare`, which wraps modules: parameters are chosen by their names.
        optimisers = make_optimisers(objective, config.optimiser)
        self.objective, *prepared = self.accelerator.prepare(objective, *optimisers)
        self.optimisers = list(prepared)
        self.parameters = [p for p in self.objective.parameters() if p.requires_grad]
        self.ema = EMAModel(self.parameters, decay=config.optimiser.ema_decay, use_ema_warmup=True, power=0.75)
        self.ema.to(device)
        self.clock = Clock()
        self.accelerator.register_for_checkpointing(self.ema, self.clock)
        self.batches = Batches(source, config.batch, config.seed, self.accelerator.num_processes)

    def numbers(self) -> range:
        """Return the numbers of the batches that this process still has to see."""
        count, index = self.accelerator.num_processes, self.accelerator.process_index
        return range(self.clock.step * count + index, self.config.steps * count, count)

    def loader(self) -> DataLoader[Batch]:
        """Return those batches, prepared ahead by worker processes."""
        workers = self.config.workers
        # Forked workers would inherit this process's threads in mid-work.
        context = "spawn" if workers else None
        return DataLoader(
            self.batches,
            batch_size=None,
            sampler=self.numbers(),
            num_workers=workers,
            multiprocessing_context=context,
        )

    def train_step(self, batch: Batch) -> float:
        """Do one optimiser step and return its loss."""
        self.objective.train()
        config, step = self.config.optimiser, self.clock.step
        set_learning_rates(self.optimisers, learning_rate_factor(step, self.config.steps, config))
        seed = (self.config.seed * 1_000_003 + step) * self.accelerator.num_processes + self.accelerator.process_index
        loss = self.objective(batch.to(self.accelerator.device), seed)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.parameters, config.gradient_clip)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.step(self.parameters)
        self.clock.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Save all that the next step depends on, and the averaged pipeline; a kill leaves the last save whole."""
        target = self.out / STATES / f"{self.clock.step:08d}"
        partial = target.with_suffix(".partial")
        if self.accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(partial))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
            for old in target.parent.iterdir():
                if old != target:
                    shutil.rmtree(old)
        self.save_pipeline()

    def save_pipeline(self) -> None:
        """Write `pipeline/` with the averaged weights, gathered where they are spread over devices."""
        self.ema.store(self.parameters)
        self.ema.copy_to(self.parameters)
        try:
            weights = self.accelerator.get_state_dict(self.objective)
        finally:
            self.ema.restore(self.parameters)
        if self.accelerator.is_main_process:
            save_half(self.pipeline, self.out / PIPELINE_FOLDER, weights)
        self.accelerator.wait_for_everyone()

    def resume(self) -> None:
        """Continue from the newest whole state, if there is one."""
        if states := saved_states(self.out):
            self.accelerator.load_state(str(states[-1]))


def saved_states(out: Path) -> list[Path]:
    """Return the whole states of a run, oldest first."""
    return sorted(folder for folder in (out / STATES).glob("*") if folder.name.isdigit())


def start_or_resume(config: TrainConfig, pool: Path, out: Path, resume: bool) -> Trainer:
    """Make a trainer; with `resume`, continue from `out`'s state if there is one.

    Raises:
        InputError: when `out` holds another run and `resume` is False, or has done more steps than the recipe asks for.
        VividBenchError: for a recipe that the model cannot follow.
    """
    if saved_states(out) and not resume:
        raise InputError(out, expected="a new folder", found="another run's state", fix="add --resume or another --out")
    # One process of a machine renders what the pool lacks; the others find it there.
    with PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU")).local_main_process_first():
        source = open_source(config.data, pool)
    if config.model is not None:
        pipeline = build_pipeline(config.model, source.captions(), config.seed)
    else:
        assert config.pipeline is not None
        pipeline = load_pipeline(config.pipeline)
        pipeline.transformer.float()
    own = config.loss.own_trajectory or any(stage.own_keyframe_share for stage in config.batch)
    if own and pipeline.scheduler.config.prediction_type != "sample":
        raise VividBenchError(
            "own_trajectory and own_keyframe_share need a model that predicts the sample, as a mini does; this one "
            f"predicts {pipeline.scheduler.config.prediction_type}: leave them out"
        )
    trainer = Trainer(config, pipeline, source, out)
    if resume:
        trainer.resume()
    if (done := trainer.clock.step) > config.steps:
        fix = "raise `steps`, or choose another --out"
        raise InputError(out, expected=f"at most {config.steps} steps done", found=f"{done}", fix=fix)
    return trainer


def train(trainer: Trainer, pool: Path) -> Iterator[Progress]:
    """Run to the last step, yielding the progress since the last report.

    `pool` holds the mini suite's validation fold too, where the recipe names no other. With the last step comes
    `pipeline/training.json`, the run's record.
    """
    config, out, accelerator = trainer.config, trainer.out, trainer.accelerator
    main = accelerator.is_main_process
    out.mkdir(parents=True, exist_ok=True)
    if main:
        _drop_rows_after(out / LOG_FILE, trainer.clock.step)
        _drop_rows_after(out / VALIDATION_FILE, trainer.clock.step)
    splits = validation_splits(config, pool) if main else []
    accelerator.init_trackers("tensorboard")
    losses, clips, spent = [], 0, 0.0
    started = time.perf_counter()
    for batch in trainer.loader():
        losses.append(trainer.train_step(batch))
        clips += len(batch.captions) * accelerator.num_processes
        step, done = trainer.clock.step, trainer.clock.step == config.steps
        spent += time.perf_counter() - started
        trainer.clock.seconds += time.perf_counter() - started
        if step % config.log_every == 0 or done:
            left = spent / len(losses) * (config.steps - step)
            report = Progress(step, sum(losses) / len(losses), clips / spent, left)
            if main:
                _log(out / LOG_FILE, {"step": step, "loss": report.loss, "seconds": trainer.clock.seconds})
            accelerator.log({"loss": report.loss, "clips_per_second": report.clips_per_second}, step=step)
            yield report
            losses, clips, spent = [], 0, 0.0
        if step % config.save_every == 0 or done:
            trainer.save()
        if step % config.validation.every == 0 and not done:
            trainer.save_pipeline()
            if main:
                _validate(trainer, splits)
        started = time.perf_counter()
    # Not in the loop: a run that was killed after its last state was saved comes straight here.
    trainer.save_pipeline()
    if main:
        _drop_rows_after(out / VALIDATION_FILE, config.steps - 1)
        _validate(trainer, splits)
        telea = method_figures(find_method("telea"), splits, accelerator.device, out / "validation")
        write_record(out / PIPELINE_FOLDER / RECORD_FILE, config, out / LOG_FILE, out / VALIDATION_FILE, telea.values)
    accelerator.end_training()


def _validate(trainer: Trainer, splits: list[LoadedSplit]) -> None:
    out, step = trainer.out, trainer.clock.step
    # Every checkpoint's run is a folder of its own; only the last one's is kept.
    shutil.rmtree(out / "validation", ignore_errors=True)
    figures = validate(splits, out / PIPELINE_FOLDER, trainer.accelerator.device, out / "validation")
    _log(out / VALIDATION_FILE, {"step": step, **figures.values})
    trainer.accelerator.log({f"validation/{name}": value for name, value in figures.values.items()}, step=step)
    for tracker in trainer.accelerator.trackers:
        tracker.log_images({f"validation/{name}": p for name, p in figures.pictures.items()}, step, dataformats="NHWC")


def _log(path: Path, row: Mapping[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(row)
        writer.writerow(value if isinstance(value, int) else f"{value:.5g}" for value in row.values())


def _drop_rows_after(path: Path, step: int) -> None:
    """Forget what a killed run logged after its last save: those steps are done again."""
    if path.exists():
        head, *rows = path.read_text().splitlines()
        kept = [row for row in rows if int(row.partition(",")[0]) <= step]
        path.write_text("\n".join((head, *kept)) + "\n")
