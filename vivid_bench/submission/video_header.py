"""A stranger's video, looked at without decoding a picture: what its header says, and how many frames it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import av

from vivid_bench.errors import InputError
from vivid_bench.submission.names import shown
from vivid_bench.types import Sample
from vivid_bench.video_reader import FILES_ONLY

LOSSLESS = frozenset({"ffv1", "png", "rawvideo", "huffyuv", "ffvhuff", "utvideo"})
"""Codecs that give the same pixels back, when their pixels are RGB."""

MAX_BYTES_PER_PIXEL = 5
"""Of an edit's file: random pixels in FFV1 take 4 bytes (`bgr0`) and some."""

MAX_PIXELS = 2**26
"""Of a frame; nothing larger is even probed."""


@dataclass
class HeaderFlaws:
    """What is wrong with a video, and what of it is not lossless."""

    problems: list[InputError] = field(default_factory=list)
    lossy: set[str] = field(default_factory=set)


def header_flaws(path: Path, sample: Sample) -> HeaderFlaws:
    """Check an edit's bytes, codec, frame size and number of frames against its sample; reads packets, decodes none."""
    flaws = HeaderFlaws()
    pixels = sample.frames * sample.height * sample.width
    if (size := path.stat().st_size) > (limit := pixels * MAX_BYTES_PER_PIXEL + 2**20):
        flaws.problems.append(_problem(path, f"at most {limit:,} bytes for {sample.id}", f"{size:,}"))
        return flaws
    try:
        with av.open(f"file:{path}", options={**FILES_ONLY, "max_pixels": str(MAX_PIXELS)}) as container:
            _check_stream(path, container, sample, flaws)
    except (av.error.FFmpegError, ValueError, OverflowError) as error:  # PyAV raises Python's own for odd metadata
        flaws.problems.append(_problem(path, "a video", f"none that can be read ({shown(str(error))})"))
    return flaws


def _check_stream(path: Path, container: av.container.InputContainer, sample: Sample, flaws: HeaderFlaws) -> None:
    if not container.streams.video:
        flaws.problems.append(_problem(path, "a video stream", "none"))
        return
    stream = container.streams.video[0]
    context = stream.codec_context
    found, expected = f"{context.width}x{context.height}", f"{sample.width}x{sample.height}"
    if context.format is None:
        flaws.problems.append(_problem(path, expected, f"frames of an unknown format or over {MAX_PIXELS:,} pixels"))
        return
    if found != expected:
        flaws.problems.append(_problem(path, f"{expected} ({sample.id}'s size)", found))
    count = sum(1 for packet in container.demux(stream) if packet.size)
    if count != sample.frames:
        flaws.problems.append(_problem(path, f"{sample.frames} frames (as {sample.id})", f"{count}"))
    if context.name not in LOSSLESS or not context.format.is_rgb:
        flaws.lossy.add(f"{context.name} {context.format.name}")


def _problem(path: Path, expected: str, found: str) -> InputError:
    return InputError(path, expected=expected, found=found, fix="make it again, as FFV1 in Matroska")
