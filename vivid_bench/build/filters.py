"""Which mask sequences become samples: figures of a track, and the limits that they are held to."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from vivid_bench.build.types import FrameMask, Track


@dataclass(frozen=True)
class Limits:
    """Thresholds; a mask sequence that breaks one is rejected for it.

    Attributes:
        min_area, max_area: of the mask's mean share of the frame.
        max_step: of the largest ratio between the mask's areas in two consecutive frames.
        max_border: of the largest share of the mask's outline that lies on the frame's border.
        min_confidence: of a track's smallest confidence.
        max_flow_error: of its largest flow error, pixels at 480 lines.
    """

    min_area: float = 0.003
    max_area: float = 0.4
    max_step: float = 1.6
    max_border: float = 0.3
    min_confidence: float = 0.3
    max_flow_error: float = 2.0


LIMITS = Limits()


@dataclass(frozen=True)
class Measures:
    """Figures of a mask sequence, as `Limits` names them."""

    area: float
    step: float
    border: float
    confidence: float
    flow_error: float

    def __str__(self) -> str:
        return (
            f"area {100 * self.area:.1f} %, step {self.step:.2f}, border {self.border:.3f}, "
            f"confidence {self.confidence:.3f}, flow error {self.flow_error:.2f} px"
        )

    def rounded(self) -> dict[str, float]:
        """Return them by name, with four decimals, as they are stored."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def measure(track: Track) -> Measures:
    """Return the figures of a track; areas in shares of the frame, the flow error in pixels at 480 lines."""
    masks = track.masks
    areas = masks.mean(axis=(1, 2))
    held = areas[track.first : track.last + 1]
    held = held[held > 0]  # masks that the user gave may be empty in between
    steps = np.maximum(held[1:], held[:-1]) / np.minimum(held[1:], held[:-1])
    return Measures(
        area=float(areas.mean()),
        step=float(steps.max(initial=1.0)),
        border=max(_border_share(mask) for mask in masks),
        confidence=float(track.confidence[track.first : track.last + 1].min()),
        flow_error=float(track.flow_error.max()) * 480 / masks.shape[1],
    )


def reject_reason(track: Track, measures: Measures, *, is_given: bool = False) -> str | None:
    """Return why a track is no sample, one of few phrases so that rejects can be counted; None where it is one.

    Masks that the user gave are held to the limits of size alone: an entity may leave and come back.
    """
    limits = LIMITS
    size = {"too small": measures.area < limits.min_area, "too large": measures.area > limits.max_area}
    if is_given:
        return next((reason for reason, fails in size.items() if fails), None)
    frames = len(track.masks)
    if track.first > 0 or track.last < frames - 1 or not track.masks.any(axis=(1, 2)).all():
        return "lost before the clip's end"
    checks = {
        **size,
        "its size jumps": measures.step > limits.max_step,
        "cut off by the frame's border": measures.border > limits.max_border,
        "followed without confidence": measures.confidence < limits.min_confidence,
        "flow error": measures.flow_error > limits.max_flow_error,
    }
    return next((reason for reason, fails in checks.items() if fails), None)


def _border_share(mask: FrameMask) -> float:
    """Return which share of a frame's mask outline lies on the frame's border."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(np.bool_)
    outline = mask & ~inner
    total = int(outline.sum())
    if not total:
        return 0.0
    on_border = outline.copy()
    on_border[1:-1, 1:-1] = False
    return float(on_border.sum() / total)
