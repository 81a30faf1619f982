"""Draw one frame of several samples beside every method's edit of it, from run records and their previews.

python docs/contact_sheet.py --records results --task delete --out docs/delete.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np

from vivid_bench.leaderboard.load import load_row
from vivid_bench.leaderboard.table import build_tables
from vivid_bench.records import RunFolder, find_runs
from vivid_bench.suites import load_splits, parse_tasks
from vivid_bench.types import RunRecord
from vivid_bench.video import read_video


def runs(
    records: Path, task: str, composite: str, keyframes: tuple[int, ...] | None
) -> list[tuple[RunFolder, RunRecord]]:
    """Return the finished mini runs of a task, best first, controls last."""
    folders = [f for f in find_runs(records / "mini" / task) if load_row(f)]
    by_key = {record.run_key: folder for folder in folders if (record := folder.record())}
    tables = build_tables(row for f in folders if (row := load_row(f)))
    table = max((t for t in tables if t.keyframes == keyframes), key=lambda t: len(t.rows))
    kept = [row.record for row in table.rows if row.record.composite == composite]
    return [(by_key[record.run_key], record) for record in kept]


def outlined(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the frame with the mask's outline in white."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(frame.copy(), contours, -1, (255, 255, 255), 1)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, default=Path("results"))
    parser.add_argument("--task", choices=("add", "modify", "delete"), default="delete")
    parser.add_argument("--composite", default="none")
    parser.add_argument("--keyframes", type=int, nargs="+", help="of the keyframe track")
    parser.add_argument("--methods", nargs="+", help="only these")
    parser.add_argument("--frame", type=float, default=0.5, help="which frame, as a share of the clip's length")
    parser.add_argument("--samples", type=int, nargs="+", default=[0, 1, 4, 7, 10, 15])
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()

    (loaded,) = load_splits("mini", parse_tasks(arguments.task))
    keyframes = tuple(arguments.keyframes) if arguments.keyframes else None
    columns = runs(arguments.records, arguments.task, arguments.composite, keyframes)
    columns = [c for c in columns if not arguments.methods or c[1].method.name in arguments.methods]
    titles = ["source and mask", "reference", *(record.method.name for _, record in columns)]
    figure, axes = plt.subplots(
        len(arguments.samples), len(titles), figsize=(1.15 * len(titles), 1.2 * len(arguments.samples)), squeeze=False
    )
    for row, number in zip(axes, arguments.samples, strict=True):
        sample = loaded.split.samples[number]
        arrays = loaded.read(sample)
        middle = min(sample.frames - 1, round(sample.frames * arguments.frame))
        assert arrays.reference is not None
        pictures = [outlined(arrays.source[middle], arrays.mask[middle]), arrays.reference[middle]]
        for folder, _ in columns:
            pictures.append(read_video(folder.previews_dir / f"{sample.id}.mp4").frames[middle])
        for axis, picture in zip(row, pictures, strict=True):
            axis.imshow(picture)
            axis.axis("off")
        row[0].set_title(sample.id if arguments.task == "delete" else sample.prompt, fontsize=5, loc="left", pad=2)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.text(0.5, 1.22, title, transform=axis.transAxes, ha="center", fontsize=7)
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.94, 0.04, 0.18)
    figure.savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    main()
