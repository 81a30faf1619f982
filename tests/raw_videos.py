"""Videos as people have them, for tests to import: any codec, pixel format and time stamps."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from clips import Frames


def textured(seed: int, height: int = 48, width: int = 64) -> Frames:
    """A smooth-edged picture, (height, width, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def shot(seed: int, frames: int, height: int = 48, width: int = 64) -> Frames:
    """A picture of its own under a camera that moves by one pixel a frame."""
    canvas = textured(seed, height, width + 2 * frames)
    return np.stack([canvas[:, t : t + width] for t in range(frames)])


def write_raw(
    path: Path, frames: np.ndarray, codec: str = "ffv1", pix_fmt: str = "bgr0", *, fps: int = 24,
    times: list[int] | None = None, source: str = "rgb24", options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None, **stream_settings: Any,
) -> Path:  # fmt: skip
    """Encode frames; `times` are milliseconds."""
    with av.open(f"file:{path}", "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], pix_fmt
        if times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for key, value in stream_settings.items():
            setattr(stream, key, value)
        container.start_encoding()
        for i, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format=source)
            if times is not None:
                frame.pts, frame.time_base = times[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def set_matrix(path: Path, a: float, b: float, c: float, d: float) -> None:
    """Write the display matrix of an MP4's track, as phones do."""
    content = bytearray(path.read_bytes())
    start = content.index(struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), content.index(b"tkhd"))
    one = 1 << 16
    matrix = (round(a * one), round(b * one), 0, round(c * one), round(d * one), 0, 0, 0, 1 << 30)
    content[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)


def write_sound(path: Path, cover: Frames | None = None) -> Path:
    """Encode a tenth of a second of silence, with a cover picture where one is given."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        picture: Any = None
        if cover is not None:
            picture = container.add_stream("mjpeg", rate=1)
            picture.height, picture.width, picture.pix_fmt = *cover.shape[:2], "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        for _ in range(3):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.rate = 8000
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        if picture is not None:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            container.mux(picture.encode(None))
    return path
