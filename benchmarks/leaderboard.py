"""Time and memory of a large leaderboard: 200 methods x 5,000 samples x 12 metrics, read, checked, compared, written.

The records are made first, in a temporary folder: valid `run.json` files, a score line for each sample and metric with
per-frame values, every clip from a video of its own, a few clips failed. What is timed is the command as a user types
it. Exits with 1 above 60 s or 3 GB.

python benchmarks/leaderboard.py [--methods 200] [--samples 5000]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivid_bench.files import sha256_path
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder, new_record
from vivid_bench.types import FileRef, MethodRef, Sample, Split, Summary

METRICS = tuple(f"{region}_{m}" for region in ("edit", "boundary", "background") for m in ("psnr", "ssim", "l1", "mse"))
FRAMES = 17
MAX_SECONDS, MAX_BYTES = 60, 3e9


def big_split(samples: int) -> Split:
    nowhere = FileRef(path="none.mkv", sha256="0" * 64)
    first = Sample(
        id="0", task="delete", source=nowhere, mask=nowhere, reference=nowhere, prompt="p", frames=FRAMES, height=480,
        width=720, fps=24.0, hole="visible", source_video="0",
    )  # fmt: skip
    each = (first.model_copy(update={"id": f"clip-{i:05d}", "source_video": f"video-{i:05d}"}) for i in range(samples))
    return Split(
        suite="large", task="delete", version="1", sha256="1" * 64, samples=tuple(each), metrics=METRICS,
        main_metric="edit_psnr",
    )  # fmt: skip


def write_run(records: Path, split: Split, number: int, clips: NDArray[np.float64]) -> None:
    """Write a finished run; `clips` is how hard each clip is, for every method."""
    rng = np.random.default_rng(number)
    method = MethodRef(name=f"method-{number:03d}", kind="method", version="1")
    record = new_record(method, split, "none", 0, "cpu")
    folder = RunFolder.of(records, record)
    folder.path.mkdir(parents=True)
    shape = (len(clips), len(METRICS))
    values = 20 + number / 100 + clips[:, None] + rng.normal(0, 2, shape)
    is_failed = np.zeros(shape, bool)
    if number % 20 == 0:
        is_failed[: 1 + number // 20] = True
    curves = [", ".join(f"{x:.4g}" for x in rng.normal(20, 2, FRAMES)) for _ in range(100)]
    with (folder.path / "scores.jsonl").open("w", encoding="utf-8") as file:
        for i, sample in enumerate(record.samples):
            for j, metric in enumerate(METRICS):
                start = f'{{"sample_id": "{sample}", "metric": "{metric}", "value": '
                if is_failed[i, j]:
                    file.write(f'{start}null, "status": "failed", "reason": "edit failed"}}\n')
                else:
                    curve = curves[(i + j) % 100]
                    file.write(f'{start}{float(values[i, j])!r}, "status": "ok", "per_frame": [{curve}]}}\n')
    with (folder.path / "edits.jsonl").open("w", encoding="utf-8") as file:
        for sample in record.samples:
            line = {"sample_id": sample, "status": "ok", "frames": FRAMES, "seconds": 1.5, "peak_memory_bytes": 10**9}
            file.write(json.dumps(line) + "\n")
    summaries = {
        name: Summary(
            mean=float(values[~is_failed[:, j], j].mean()),
            n_scored=int((~is_failed[:, j]).sum()),
            n_expected=len(clips),
        )
        for j, name in enumerate(METRICS)
    }
    update = {
        "status": "complete",
        "metrics": {name: metric_info(name).version for name in METRICS},
        "summaries": summaries,
        "scores_sha256": sha256_path(folder.path / "scores.jsonl"),
        "n_edited": len(clips),
    }
    folder.write_record(record.model_copy(update=update))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=int, default=200)
    parser.add_argument("--samples", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        records = Path(temporary) / "records"
        split = big_split(arguments.samples)
        clips = np.random.default_rng(0).normal(0, 4, arguments.samples)
        for number in range(arguments.methods):
            write_run(records, split, number, clips)
        size = sum(path.stat().st_size for path in records.rglob("scores.jsonl"))
        lines = arguments.methods * arguments.samples * len(METRICS)
        print(f"{lines:,} score lines, {size / 1e9:.1f} GB", flush=True)
        command = [sys.executable, "-m", "vivid_bench", "leaderboard", "--records", str(records), "--format", "md"]
        start = time.perf_counter()
        subprocess.run([*command, "--out", str(Path(temporary) / "LEADERBOARD.md")], check=True)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"built in {seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of CPU), peak {used.ru_maxrss / 1e6:.2f} GB"
    )
    if seconds > MAX_SECONDS or used.ru_maxrss * 1024 > MAX_BYTES:
        sys.exit(f"more than {MAX_SECONDS} s or {MAX_BYTES / 1e9:g} GB")


if __name__ == "__main__":
    main()
