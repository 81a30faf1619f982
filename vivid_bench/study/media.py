"""A study's clips as browsers play them, made so that nothing but the picture tells them apart.

Every clip is encoded alike, without names, dates or encoder tags, and those of one sample are padded to equal bytes.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.video.reformatter import ColorRange, Colorspace

from vivid_bench.files import atomic_path
from vivid_bench.types import Frames

# Good enough that coding hides no fault; a key frame every 12th, so that stepping and looping are quick. One thread
# and no mbtree: else equal frames do not always make equal files (see `video.codec_round_trip`).
_H264 = {"crf": "14", "preset": "medium", "g": "12", "bf": "0", "threads": "1", "x264-params": "mbtree=0"}
_MP4 = {"movflags": "+faststart", "write_btrt": "0"}
_BT709 = 1
_SEI = 6

SAME_TIME = 946_684_800
"""The date that all files of a packet get (2000-01-01): theirs would tell in which order they were made."""


def encode(path: Path, frames: Frames, fps: float) -> None:
    """Write frames as H.264 in MP4 (yuv420p, BT.709, constant rate, CRF 14), without anything that names its maker.

    Args:
        path: ends in `.mp4`.
        frames: (T, H, W, 3) uint8 RGB; odd sizes get their last row or column twice.
        fps: frames a second.
    """
    height, width = frames.shape[1:3]
    with (
        atomic_path(path) as temporary,
        av.open(
            f"file:{temporary}", "w", format="mp4", options=_MP4, container_options={"fflags": "+bitexact"}
        ) as file,
    ):
        stream = file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=_H264)
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.flags |= av.codec.context.Flags.bitexact
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        # x264 writes its version and options into a message of this type.
        untagged = BitStreamFilterContext(f"filter_units=remove_types={_SEI}", stream)
        for frame in (*frames, None):
            for packet in stream.encode(None if frame is None else _picture(frame)):
                file.mux(untagged.filter(packet))
        file.mux(untagged.filter(None))


def _picture(frame: Frames) -> av.VideoFrame:
    height, width = frame.shape[:2]
    padded = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    picture = av.VideoFrame.from_ndarray(padded, format="rgb24")
    return picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)


def pad_to_equal_bytes(paths: Sequence[Path]) -> None:
    """Append to each MP4 file a box that players skip, so that all are of one size, also when they are zipped."""
    # Also to the largest, so that each has one.
    size = max(path.stat().st_size for path in paths) + 8
    for path in paths:
        rest = size - path.stat().st_size
        with path.open("ab") as file:
            # Zeros would shrink to nothing in a zip, whose list of contents then told the sizes apart again.
            file.write(struct.pack(">I4s", rest, b"free") + Random(size).randbytes(rest - 8))


def link_all(sources_and_targets: Iterable[tuple[Path, Path]]) -> None:
    """Give files further names, or copy them where the file system cannot do that; all get the same date."""
    for source, target in sources_and_targets:
        try:
            target.hardlink_to(source)
        except OSError:
            with suppress(OSError):
                target.unlink()
            shutil.copyfile(source, target)
        os.utime(target, (SAME_TIME, SAME_TIME))
