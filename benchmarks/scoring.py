"""How long scoring takes, beside the plain ways of computing the same.

    python benchmarks/scoring.py

Takes a real 720x480x49 clip where $VIVID_BENCH_REAL_CLIPS or ../shared/data holds one, else makes one up. The reference
is the source moved by one pixel, so that its flow costs as much as the source's. All in one run, on one machine:
1. metrics without weights beside a straightforward NumPy pass of the same formulas;
2. metrics with networks (random weights, speed only) beside a per-frame loop written as evaluation scripts are, and all
   metrics but the flow's of a run of several such clips, end to end from files, beside the bare networks on tensors
   already in memory;
3. scoring again from the cache beside scoring.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import plain_networks
import torch
from plain_numpy import Figures, numpy_figures
from rich.console import Console
from rich.table import Table

from vivid_bench.files import sha256_path
from vivid_bench.flow import worker_count
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import find_method
from vivid_bench.metrics import METRICS, load_metric
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.scoring import ScoringJob, score_jobs
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import FileRef, Frames, Mask, Sample
from vivid_bench.video import read_video, write_lossless, write_preview
from vivid_bench.weights import VARIABLE

FRAMES, HEIGHT, WIDTH = 49, 480, 720
CLIPS, ROUNDS = 4, 3
PROMPT = "a small red boat on a lake at dawn, seen from the shore"
FLOW = ("background_warp_error", "edit_warp_error")
Result = TypeVar("Result")
Times = tuple[float, float]


def main() -> None:
    """Time everything and print it as tables."""
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = real_clip() or synthetic_clip(folder)
        (source, mask, edited), decode = timed(lambda: decode_clip(clip))
        reference = np.roll(source, 1, axis=2)
        arrays = source, mask, reference, edited
        device = "cuda" if torch.cuda.is_available() else "cpu"
        console.print(f"{clip.name}: {'x'.join(map(str, source.shape[2:0:-1]))}, {len(source)} frames; {device}")
        console.print(without_weights(arrays, decode, console))
        plain_networks.write_weights(folder / "weights")
        os.environ[VARIABLE] = str(folder / "weights")
        loaded, job = written_run(arrays, folder, device)
        console.print(with_networks(arrays, loaded, job, device))
        console.print(from_cache(loaded, job, folder / "cache", device))


Arrays = tuple[Frames, Mask, Frames, Frames]


def without_weights(arrays: Arrays, decode: Times, console: Console) -> Table:
    """Time our pass and NumPy's over the metrics without weights."""
    names = [name for name in METRICS if not name.startswith("removal")]
    theirs, numpy_pass = timed(lambda: numpy_figures(*arrays))
    ours, scoring = timed(lambda: our_figures(arrays, names))
    name = max(ours, key=lambda name: abs(ours[name] - theirs[name]) / abs(theirs[name]))
    difference = abs(ours[name] - theirs[name]) / abs(theirs[name])
    console.print(f"largest relative difference between NumPy's figures and ours: {difference:.1e} ({name})")
    rows = {
        "decode source, mask and edit": decode,
        "NumPy pass of the same formulas": numpy_pass,
        f"scoring, {len(names)} metrics, {worker_count()} threads": scoring,
    }
    ratios = [(d + s) / (d + n) for d, s, n in zip(decode, scoring, numpy_pass, strict=True)]
    return table("metrics without weights", rows, "(decode + scoring) / (decode + NumPy); at most 1.5", ratios)


def with_networks(arrays: Arrays, loaded: LoadedSplit, job: ScoringJob, device: str) -> Table:
    """Time our network metrics, a per-frame loop's, the bare networks, and everything from files."""
    source, mask, reference, edited = arrays
    names = [*plain_networks.METRICS, *(name for name in METRICS if name not in FLOW)]
    bare = plain_networks.BareNetworks(mask, reference, edited, PROMPT, device)
    our_figures((source[:2], mask[:2], reference[:2], edited[:2]), plain_networks.METRICS, device)  # warm
    _, ours = timed(lambda: our_figures(arrays, plain_networks.METRICS, device))
    _, loop = timed(lambda: plain_networks.per_frame_loop(*arrays, PROMPT, device))
    rounds = []
    for _ in range(ROUNDS):  # a machine's speed drifts by several per cent within minutes
        _, networks = timed(lambda: [bare.run() for _ in loaded.split.samples])
        job.record = job.record.model_copy(update={"metrics": {}})  # so that nothing is known from the last round
        _, whole = timed(lambda: score_jobs([job], with_metrics(loaded, names), lambda _: None, device))
        rounds.append((networks, whole))
    networks, whole = sorted(rounds, key=lambda pair: pair[0][0] / pair[1][0])[ROUNDS // 2]
    _, flow = timed(lambda: our_figures(arrays, FLOW))
    rows = {
        "per-frame loop, network metrics": loop,
        f"scoring, the same {len(plain_networks.METRICS)} metrics": ours,
        f"bare networks on tensors in memory, {CLIPS} clips": networks,
        f"{CLIPS} clips from files, {len(names)} metrics": whole,
        "optical flow's two metrics": flow,
    }
    made = table(
        "networks", rows, "per-frame loop / scoring; at least 2", [b / a for a, b in zip(ours, loop, strict=True)]
    )
    return add_ratio(
        made,
        f"bare networks / clips from files, median of {ROUNDS} rounds; at least 0.85",
        [n / w for n, w in zip(networks, whole, strict=True)],
    )


def written_run(arrays: Arrays, folder: Path, device: str) -> tuple[LoadedSplit, ScoringJob]:
    """Write a run of CLIPS such clips: samples in H.264 as data sets have them, edits lossless as runs keep them."""
    source, mask, reference, edited = arrays
    shown = np.repeat(mask[..., None], 3, axis=-1).astype(np.uint8) * 255
    for number in range(CLIPS):
        clip = folder / "data" / f"clip-{number}"
        for name, frames in (("source", source), ("reference", reference), ("mask", shown)):
            write_preview(clip / f"{name}.mp4", frames, 24)
        (clip / "caption.txt").write_text(PROMPT)
    (loaded,) = load_splits("folder", ("add",), folder / "data")
    copy = find_method("copy-source")
    run, record = new_run(folder / "runs", copy, loaded, "none", 0, device)
    record = generate(run, record, copy, loaded, lambda _: None)
    for edit in run.edits().values():
        assert edit.video is not None
        path = run.path / edit.video.path
        write_lossless(path, edited, 24.0)
        video = edit.video.model_copy(update={"sha256": sha256_path(path)})
        run.add_edit(edit.model_copy(update={"video": video}))
    run.finish_edits(record.samples)
    return loaded, ScoringJob(run, record, run.path)


def with_metrics(loaded: LoadedSplit, names: Sequence[str]) -> LoadedSplit:
    return replace(loaded, split=loaded.split.model_copy(update={"metrics": tuple(names)}))


def from_cache(loaded: LoadedSplit, job: ScoringJob, cache: Path, device: str) -> Table:
    """Time the scoring of a run, and the same again from the cache."""
    names = (*METRICS, *plain_networks.METRICS)

    def score() -> None:
        score_jobs([job], with_metrics(loaded, names), lambda _: None, device, cache)

    _, first = timed(score)
    _, again = timed(score)
    rows = {f"scoring, {len(names)} metrics, {CLIPS} clips": first, "the same again, from the cache": again}
    return table(
        "cache", rows, "scoring / from the cache; at least 50", [a / b for a, b in zip(first, again, strict=True)]
    )


def table(title: str, rows: dict[str, Times], ratio: str, ratios: Sequence[float]) -> Table:
    made = Table(title=title, title_justify="left")
    for heading in ("step", "wall s", "CPU s"):
        made.add_column(heading, justify="left" if heading == "step" else "right")
    for step, times in rows.items():
        made.add_row(step, *(f"{seconds:.2f}" for seconds in times))
    return add_ratio(made, ratio, ratios)


def add_ratio(made: Table, name: str, ratios: Sequence[float]) -> Table:
    made.add_row(name, *(f"{ratio:.2f}" for ratio in ratios))
    return made


def timed(function: Callable[[], Result]) -> tuple[Result, tuple[float, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, (time.perf_counter() - wall, time.process_time() - cpu)


def real_clip() -> Path | None:
    root = Path(os.environ.get("VIVID_BENCH_REAL_CLIPS", "../shared/data"))
    clips = sorted(path.parent for path in root.glob("**/edited.mp4"))
    return clips[0] if clips else None


def synthetic_clip(folder: Path) -> Path:
    """Write a textured ground that moves 3 px a frame under a still mask, and a noisy copy as its edit."""
    rng = np.random.default_rng(0)
    ground = cv2.resize(rng.integers(0, 256, (90, 180, 3), dtype=np.uint8), (WIDTH * 2, HEIGHT), interpolation=2)
    source = np.stack([ground[:, 3 * t : 3 * t + WIDTH] for t in range(FRAMES)])
    noise = rng.integers(-8, 9, source.shape, dtype=np.int16)
    edited = np.clip(source + noise, 0, 255).astype(np.uint8)
    mask = np.zeros_like(source)
    mask[:, 160:320, 240:440] = 255
    clip = folder / "synthetic"
    clip.mkdir()
    for name, frames in (("source", source), ("edited", edited), ("mask", mask)):
        write_preview(clip / f"{name}.mp4", frames, 24)
    return clip


def decode_clip(clip: Path) -> tuple[Frames, Mask, Frames]:
    mask = read_video(clip / "mask.mp4", grey=True).frames >= 128
    return read_video(clip / "source.mp4").frames, mask, read_video(clip / "edited.mp4").frames


def our_figures(arrays: Arrays, names: Sequence[str], device: str = "cpu") -> Figures:
    source, mask, reference, edited = arrays
    file = FileRef(path="clip.mp4", sha256="0" * 64)
    sample = Sample(
        id="clip",
        task="delete" if "edit_warp_error" in names else "add",
        source=file,
        mask=file,
        reference=file,
        prompt=PROMPT,
        frames=source.shape[0],
        height=source.shape[1],
        width=source.shape[2],
        fps=24,
        hole="visible",
        source_video="clip",
    )
    clip = EditClip(SampleClip(sample, source, mask, reference, device), edited)
    return {name: value for name in names if (value := load_metric(name)(clip).value) is not None}


if __name__ == "__main__":
    main()
