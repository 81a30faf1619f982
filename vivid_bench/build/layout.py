"""How a raw video's stored frames become upright frames of the size that clips have."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.video_reader import MIN_SIDE

_Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class Turn:
    """A display matrix of right angles: swap rows and columns, then mirror columns, then rows."""

    swap: bool = False
    mirror_columns: bool = False
    mirror_rows: bool = False

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (H, W) or (H, W, 3) pixels as they are shown."""
        if self.swap:
            image = image.swapaxes(0, 1)
        if self.mirror_columns:
            image = image[:, ::-1]
        if self.mirror_rows:
            image = image[::-1]
        return np.ascontiguousarray(image)

    def size(self, size: _Size) -> _Size:
        """Return the size that an image of this size has when shown."""
        return (size[1], size[0]) if self.swap else size


@dataclass(frozen=True)
class Layout:
    """What is done to every frame of a video.

    Attributes:
        stored: the frames' size in the file.
        scaled: the size that they are shrunk to before they are turned; `stored` where they are not.
        turn: makes them upright.
        size: what is left of them, even, when a last odd row and column is cut off.
        notes: all of it in words.
    """

    stored: _Size
    scaled: _Size
    turn: Turn
    size: _Size
    notes: tuple[str, ...]

    @classmethod
    def of_frame(cls, path: Path, frame: Any, aspect: Fraction | None, side: int | None) -> Layout:
        """Lay out a video by its first decoded frame.

        Args:
            frame: of PyAV.
            aspect: width of a pixel over its height.
            side: of the shorter side; None: frames keep their size, and odd sides.
        """
        return cls._of(path, (frame.height, frame.width), aspect or Fraction(1), side, _turn(path, frame))

    @classmethod
    def of_image(cls, path: Path, height: int, width: int, side: int | None) -> Layout:
        """Lay out a folder of images of one size."""
        return cls._of(path, (height, width), Fraction(1), side, Turn())

    @classmethod
    def _of(cls, path: Path, stored: _Size, aspect: Fraction, side: int | None, turn: Turn) -> Layout:
        if side is None:
            return cls(stored, stored, turn, turn.size(stored), ())
        scaled = _scaled(stored, aspect, side)
        upright = turn.size(scaled)
        size = upright[0] // 2 * 2, upright[1] // 2 * 2
        if min(size) < MIN_SIDE:
            fix = "use larger frames"
            raise InputError(path, expected=f"sides of at least {MIN_SIDE} px", found=_text(turn.size(stored)), fix=fix)
        notes = []
        if turn != Turn():
            notes.append("turned upright, as the file says")
        if aspect != 1:
            notes.append(f"pixels of {aspect.numerator}:{aspect.denominator} -> square")
        if scaled != stored:
            notes.append(f"{_text(turn.size(stored))} -> {_text(upright)}")
        if size != upright:
            notes.append(f"{_text(upright)} cut to {_text(size)}, for even sides")
        return cls(stored, scaled, turn, size, tuple(notes))

    @property
    def upright(self) -> _Size:
        """Size of the frames as they are shown, before anything shrinks them."""
        return self.turn.size(self.stored)

    def check(self, path: Path, found: _Size, index: int) -> None:
        """Raise `InputError` for a frame of another size than the first."""
        if found != self.stored:
            fix = "re-encode it at one size"
            raise InputError(path, expected="one frame size", found=f"{_text(found)} at frame {index}", fix=fix)

    def pixels(self, frame: Any, grey: bool) -> NDArray[np.uint8]:
        """Return a PyAV frame as (H, W, 3) uint8 RGB, or (H, W) luma; decoder and scaler see each pixel once."""
        from av.video.reformatter import Interpolation

        wanted: dict[str, Any] = {"format": "gray" if grey else "rgb24"}
        if self.scaled != self.stored:
            height, width = self.scaled
            wanted |= {"height": height, "width": width, "interpolation": Interpolation.AREA}
        return self._cut(self.turn(frame.to_ndarray(**wanted)))

    def resized(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image as a clip's frame, by area averaging."""
        height, width = self.scaled
        if self.scaled != self.stored:
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        return self._cut(image)

    def like(self, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an upright mask of the video's size as it lies on the clip's frames, by nearest neighbour."""
        height, width = self.turn.size(self.scaled)
        if mask.shape != (height, width):
            mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return self._cut(mask)

    def _cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(image[: self.size[0], : self.size[1]])


def _scaled(stored: _Size, aspect: Fraction, side: int) -> _Size:
    """Return the size with square pixels and a shorter side of at most `side`; neither side grows."""
    height, width = stored
    # Pixels that are wider than high have too many rows for their columns: these shrink, so that nothing is enlarged.
    shown = (height / aspect, Fraction(width)) if aspect > 1 else (Fraction(height), width * aspect)
    scale = min(Fraction(1), Fraction(side) / min(shown))
    if scale == 1 and aspect == 1:
        return stored
    even = [max(2, round(length * scale / 2) * 2) for length in shown]
    return min(even[0], height), min(even[1], width)


def _turn(path: Path, frame: Any) -> Turn:
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return Turn()
    # A point moves from (x, y) to (a x + c y, b x + d y); ISO/IEC 14496-12, 6.2.2.
    (a, b), (c, d) = np.frombuffer(bytes(data), np.int32)[:6].reshape(2, 3)[:, :2]
    if a and d and not b and not c:
        return Turn(False, bool(a < 0), bool(d < 0))
    if b and c and not a and not d:
        return Turn(True, bool(c < 0), bool(b < 0))
    fix = "turn it: `ffmpeg -i IN OUT` does"
    raise InputError(path, expected="frames turned by right angles", found=f"{frame.rotation} degrees", fix=fix)


def _text(size: _Size) -> str:
    return f"{size[1]}x{size[0]}"
