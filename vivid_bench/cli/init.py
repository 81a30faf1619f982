"""`vivid-bench init`: a model to train, made from another one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    model: Annotated[str, typer.Argument(help="The model to make: vivid.")],
    base: Annotated[
        str,
        typer.Option(
            "--from", help="A CogVideoX text-to-video checkpoint: a folder, or a hub name such as THUDM/CogVideoX-5b."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="A new folder for the pipeline.")],
    download: Annotated[
        bool, typer.Option("--download", help="Fetch what the hub's local cache lacks of --from.")
    ] = False,
) -> None:
    """Make a full-size VIVID out of CogVideoX: new input channels start at zero, all else is the base's."""
    from vivid_bench.cli.console import out as console
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.vivid.base import find_base

    if model != "vivid":
        raise UnknownNameError("model", model, ["vivid"])
    folder = find_base(base, download=download)
    # Heavy, hence only when there is something to convert.
    from vivid_bench.vivid.convert import convert

    transformer = convert(folder, out)
    config = transformer.config
    console.print(
        f"{out}: VIVID of {base}, {transformer.num_parameters() / 1e6:,.0f} M parameters in the transformer, "
        f"{config.out_channels} input channels as they were, {config.in_channels - config.out_channels} new at zero"
    )
    console.print("Before training it does not see the video that it is to edit: it makes what its base makes.")
