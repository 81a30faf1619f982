"""VIVID as a method of the benchmark."""

from __future__ import annotations

from pathlib import Path

from vivid_bench.types import EditRequest, Frames

CHECKPOINT = Path(__file__).parent / "checkpoints" / "vivid-mini"


class Vivid:
    """Edits with a `VividPipeline`: masked video, mask, caption and keyframes; no optical flow.

    Videos of any size and length; see `editor.Editor`.

    Args:
        device: `cpu`, `cuda`, `cuda:1`, ...
        checkpoint: folder or hub name of a saved pipeline; None = the shipped `vivid-mini`.
        steps: denoising steps; None = the checkpoint's own default.
        guidance_scale: 1 = without classifier-free guidance; None = the checkpoint's own default.
    """

    def __init__(
        self,
        device: str = "cpu",
        checkpoint: str | None = None,
        steps: int | None = None,
        guidance_scale: float | None = None,
    ) -> None:
        from vivid_bench.vivid.editor import Editor
        from vivid_bench.vivid.loading import load_pipeline

        self._editor = Editor(load_pipeline(checkpoint or CHECKPOINT, device), steps, guidance_scale)

    def edit(self, request: EditRequest) -> Frames:
        """Return the edited clip, (T, H, W, 3) uint8.

        The request's seed decides all randomness. On CPU the same request gives the same bytes; another number of
        threads changes the order of sums and with it, rarely, a value by one level.
        """
        return self._editor.edit(
            request.frames,
            request.mask,
            request.prompt,
            negative_prompt=request.negative_prompt,
            keyframes=request.keyframes,
            seed=request.seed,
        )
