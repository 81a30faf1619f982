"""`vivid-bench train`: train a model of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    model: Annotated[str, typer.Argument(help="The model to train: vivid.")],
    config: Annotated[Path, typer.Option("--config", help="A TOML file; see vivid_bench/vivid/configs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for states, logs and the pipeline.")] = Path(
        "training/vivid"
    ),
    pool: Annotated[Path, typer.Option("--pool", help="Folder of rendered clips; made when missing.")] = Path(
        "training/pool"
    ),
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run that --out holds.")] = False,
) -> None:
    """Train VIVID; OUT/pipeline is the checkpoint, OUT/log.csv the curve, `tensorboard --logdir OUT` shows both.

    Several GPUs, FSDP or DeepSpeed: `accelerate launch --config_file FILE -m vivid_bench train vivid --config FILE`.
    """
    from vivid_bench.cli.console import out as console
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.vivid.recipe import read_config
    from vivid_bench.vivid.train import start_or_resume
    from vivid_bench.vivid.train import train as run

    if model != "vivid":
        raise UnknownNameError("model", model, ["vivid"])
    settings = read_config(config)
    trainer = start_or_resume(settings, pool, out, resume)
    clips = trainer.batches.clips
    if trainer.accelerator.is_main_process:
        console.print(f"step {trainer.clock.step} of {settings.steps}, {clips} clips to draw from, writing to {out}")
    for p in run(trainer, pool):
        if trainer.accelerator.is_main_process:
            console.print(
                f"step {p.step}/{settings.steps}  loss {p.loss:.4f}  {p.clips_per_second:.1f} clips/s  "
                f"{p.seconds_left / 60:.0f} min left"
            )
