"""Navier-Stokes inpainting, frame by frame: no time, no learning."""

from __future__ import annotations

import cv2

from vivid_bench.types import EditRequest, Frames

from ..telea.adapter import inpaint_frames, require_delete


class NavierStokes:
    """Fluid-dynamics inpainting of each frame.

    Args:
        device: accepted like every method's; the work is done on the CPU.
        radius: neighbourhood that a filled pixel is made from, in pixels.

    Source: Bertalmio, Bertozzi and Sapiro, Navier-Stokes, fluid dynamics, and image and video
    inpainting, 2001.
    """

    def __init__(self, device: str = "cpu", radius: float = 3.0) -> None:
        self.radius = radius

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole filled; raises `MethodError` for add and modify."""
        require_delete(request, "navier-stokes")
        return inpaint_frames(request.frames, request.mask, self.radius, cv2.INPAINT_NS)
