"""`vivid-bench edit`: edit a video of one's own with VIVID."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vivid_bench.cli import options as opt


def edit(
    video: Annotated[Path, typer.Argument(help="A video, or a folder of numbered frames. Sound is not carried over.")],
    mask: Annotated[
        Path | None,
        typer.Option("--mask", help="White = edit: a video, a folder of frames, or one image for all frames."),
    ] = None,
    box: Annotated[
        str | None,
        typer.Option("--box", metavar="X,Y,W,H", help="In place of --mask: a box in the first frame, tracked by flow."),
    ] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", help="What the masked part is to show.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="In place of --prompt: remove what is there.")] = False,
    keyframe: Annotated[
        int | None, typer.Option("--keyframe", min=0, help="Edit this frame first, then propagate it to the others.")
    ] = None,
    only_keyframe: Annotated[
        bool, typer.Option("--only-keyframe", help="Stop after --keyframe I and write that frame as a PNG.")
    ] = False,
    keyframe_image: Annotated[
        list[str] | None,
        typer.Option("--keyframe-image", metavar="I=FILE", help="Propagate this edited frame; may be given again."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help=".mkv: lossless FFV1 (default: VIDEO-edited.mkv here); .mp4: H.264, to look at."),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="Folder or hub name of a VIVID; default: vivid-mini.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, max=1000, help="Denoising steps.")] = None,
    guidance: Annotated[float | None, typer.Option("--guidance", min=0, help="1 = no guidance.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Another seed is another edit.")] = 0,
    composite: opt.CompositeOption = "hard",
    device: opt.Device = "auto",
) -> None:
    """Add, modify or delete something in a video of any length and size, inside a mask.

    Beside OUT come OUT.preview.mp4 (source with the mask's outline, and the edit) and OUT.json (what was done).

    To get one frame right first: --keyframe 0 --only-keyframe, look at the PNG, change --seed or --prompt, and pass
    the one you like (or a frame edited in any other program) with --keyframe-image 0=FILE.
    """
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.cli.console import out as console
    from vivid_bench.machine import resolve_device
    from vivid_bench.suites import parse_composite
    from vivid_bench.vivid.adapter import CHECKPOINT
    from vivid_bench.vivid.edit_command import EditCommand

    command = EditCommand(
        video=video,
        mask=mask,
        box=box,
        prompt=_prompt(prompt, delete),
        keyframe=keyframe,
        only_keyframe=only_keyframe,
        given=_keyframe_images(keyframe_image or []),
        out=out or Path(f"{video.stem}-keyframe-{keyframe}.png" if only_keyframe else f"{video.stem}-edited.mkv"),
        checkpoint=checkpoint or str(CHECKPOINT),
        steps=steps,
        guidance_scale=guidance,
        seed=seed,
        composite=parse_composite(composite),
        device=resolve_device(device),
    )
    record = command.run(ConsoleReporter())
    console.print(f"edit     {command.out}{'' if record.lossless else ' (H.264, to look at: not lossless)'}")
    console.print(f"preview  {command.preview}")
    console.print(f"record   {command.record}")


def _prompt(prompt: str | None, delete: bool) -> str:
    from vivid_bench.errors import VividBenchError
    from vivid_bench.types import DELETE_PROMPT

    if delete == (prompt is not None):
        raise VividBenchError("say what the masked part is to show: --prompt TEXT, or --delete to remove what is there")
    if prompt is not None and not prompt.strip():
        raise VividBenchError("--prompt is empty: say what the masked part is to show, or pass --delete")
    return DELETE_PROMPT if prompt is None else prompt


def _keyframe_images(texts: list[str]) -> dict[int, Path]:
    from vivid_bench.errors import VividBenchError

    given: dict[int, Path] = {}
    for text in texts:
        index, _, path = text.partition("=")
        if not index.isdecimal() or not path:
            raise VividBenchError(f"--keyframe-image {text}: expected I=FILE, e.g. 0=frame.png")
        if int(index) in given:
            raise VividBenchError(f"--keyframe-image {text}: frame {index} has one already: {given[int(index)]}")
        given[int(index)] = Path(path)
    return given
