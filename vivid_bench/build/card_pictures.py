"""The pictures of a data card: how masks are distributed, and a sheet of samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.results import BuiltSample
from vivid_bench.clip_files import read_clip, read_mask
from vivid_bench.files import atomic_path
from vivid_bench.images import write_image
from vivid_bench.types import Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 24
"""Samples on a sheet at most, spread over the split."""
TIMES = (0.0, 0.25, 0.5, 0.75, 1.0)
TILE_WIDTH = 240
HOLE_COLOUR = (255, 45, 150)
_CAPTION_HEIGHT = 16

_DRAWN = (
    ("area", "area, share of the frame"),
    ("step", "largest step in area, ratio"),
    ("border", "outline on the frame's border"),
    ("confidence", "smallest confidence"),
    ("flow_error", "largest flow error, px at 480 lines"),
)


def draw_distributions(path: Path, samples: Sequence[BuiltSample]) -> None:
    """Draw a histogram of each measure by task, and how many masks there are of each kind."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from vivid_bench.leaderboard.plots import COLOURS, STYLE

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        axes = figure.subplots(2, 3).ravel()
        tasks = sorted({built.sample.task for built in samples})
        for axis, (name, title) in zip(axes, _DRAWN, strict=False):
            by_task = [[built.measures[name] for built in samples if built.sample.task == task] for task in tasks]
            axis.hist(by_task, bins=12, stacked=True, label=tasks, color=COLOURS[: len(tasks)])
            axis.yaxis.set_major_locator(MaxNLocator(integer=True))
            axis.set_title(title)
        axes[0].legend()
        _draw_kinds(axes[-1], samples)
        with atomic_path(path) as temporary:
            # No date and no version of the library: the same samples give the same bytes.
            figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def _draw_kinds(axis: Axes, samples: Sequence[BuiltSample]) -> None:
    from matplotlib.ticker import MaxNLocator

    from vivid_bench.leaderboard.plots import GREY

    kinds = sorted({built.sample.mask_kind or "" for built in samples})
    axis.barh(kinds, [sum(built.sample.mask_kind == kind for built in samples) for kind in kinds], color=GREY)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_title("masks of each kind")


def draw_contact_sheet(path: Path, root: Path, samples: Sequence[Sample]) -> None:
    """Draw frames of up to `SHOWN` samples, a row each, with the hole's outline and tint.

    Args:
        root: the suite's folder.
    """
    picked = [samples[i] for i in np.unique(np.linspace(0, len(samples) - 1, min(SHOWN, len(samples))).astype(int))]
    rows = [_row(root, sample) for sample in picked]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    write_image(path, np.concatenate(padded))


def _row(root: Path, sample: Sample) -> NDArray[np.uint8]:
    frames = read_clip(root, sample.source.path).frames
    mask, _ = read_mask(root, sample.mask.path)
    times = sorted({round(share * (sample.frames - 1)) for share in TIMES})
    tiles = [_tile(frames[t], mask[t]) for t in times]
    row = np.concatenate([np.pad(tile, ((0, 0), (0, 4), (0, 0)), constant_values=255) for tile in tiles], axis=1)
    row = np.pad(row, ((_CAPTION_HEIGHT, 0), (0, 0), (0, 0)), constant_values=255)
    text = f"{sample.id}  ({sample.mask_kind})"
    cv2.putText(row, text, (2, _CAPTION_HEIGHT - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return row


def _tile(frame: NDArray[np.uint8], hole: NDArray[np.bool_]) -> NDArray[np.uint8]:
    height, width = hole.shape
    size = (TILE_WIDTH, max(1, round(height * TILE_WIDTH / width)))
    tinted = frame.copy()
    tinted[hole] = (0.7 * frame[hole] + 0.3 * np.array(HOLE_COLOUR)).astype(np.uint8)
    contours, _ = cv2.findContours(hole.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, contours, -1, HOLE_COLOUR, max(1, width // TILE_WIDTH))
    return np.asarray(cv2.resize(tinted, size, interpolation=cv2.INTER_AREA), np.uint8)
