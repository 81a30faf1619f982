"""`vivid-bench train`: train a model of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    model: Annotated[str, typer.Argument(help="The model to train: vivid.")],
    config: Annotated[Path, typer.Option("--config", help="A TOML file; see vivid_bench/vivid/configs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the state, the log and the pipeline.")] = Path(
        "training/vivid"
    ),
    pool: Annotated[Path, typer.Option("--pool", help="Folder of rendered clips; made when missing.")] = Path(
        "training/pool"
    ),
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run that --out holds.")] = False,
) -> None:
    """Train VIVID on rendered scenes; OUT/pipeline is the checkpoint, OUT/log.csv the curve."""
    from vivid_bench.cli.console import out as console
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.vivid.recipe import read_config
    from vivid_bench.vivid.train import start_or_resume
    from vivid_bench.vivid.train import train as run

    if model != "vivid":
        raise UnknownNameError("model", model, ["vivid"])
    settings = read_config(config)
    trainer = start_or_resume(settings, pool, out, resume)
    console.print(f"step {trainer.step} of {settings.steps}, pool of {len(trainer.pool)} clips, writing to {out}")
    begun, first = trainer.seconds, trainer.step
    for step, loss in run(trainer, out):
        left = (settings.steps - step) * (trainer.seconds - begun) / max(1, step - first)
        console.print(f"step {step}/{settings.steps}  loss {loss:.4f}  {left / 60:.0f} min left")
