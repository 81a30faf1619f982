"""What the harness adds to a method's own time: one that sleeps and one that works, through the whole of generate.

    .venv/bin/python benchmarks/harness.py [--seconds 10] [--clips 8] [--method NAME]

The first is a program of docs/methods/contract.md; its own time is from a clip's line to its `done`: it sleeps and
writes its edit. Handing clips over, waiting for them and taking edits back counts as added. The second runs in this
process; its own time is that inside `edit`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from vivid_bench.compositing import hide_hole
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import KnownMethod, find_method
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import RunRecord
from vivid_bench.video import write_lossless

FRAMES, HEIGHT, WIDTH = 49, 480, 720
LIMIT = 3.0  # per cent

PROGRAM = """
import json, sys, time
from pathlib import Path
requests, edits, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
print("vivid-bench: ready", flush=True)
start, own = time.time(), 0.0
for request in map(json.loads, (requests / "requests.jsonl").open()):
    begun = time.time()
    time.sleep(seconds)
    (edits / (request["name"] + ".mkv")).write_bytes(Path(request["source"]).read_bytes())
    own += time.time() - begun
    print("vivid-bench: done", request["id"], flush=True)
Path(sys.argv[4]).write_text(json.dumps([start, own]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="that the sleeping program takes a clip")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--method", default="flow-propagation", help="a real one, beside it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        loaded = make_clips(root / "clips", asked.clips)
        own, whole = sleeping(root, loaded, asked.seconds)
        print_ratio(f"a program that sleeps {asked.seconds:g} s a clip", own, whole)
        own, whole = real(root, loaded, asked.method)
        print_ratio(asked.method, own, whole)


def print_ratio(name: str, own: float, whole: float) -> None:
    added = 100 * (whole - own) / own
    verdict = "within" if added <= LIMIT else "above"
    print(f"{name}: {own:.1f} s of its own, {whole:.1f} s in all: {added:+.1f} %, {verdict} {LIMIT:g} %")


def make_clips(folder: Path, count: int) -> LoadedSplit:
    """Write moving clips of smooth shapes under a camera's noise, and load them as a suite."""
    random = np.random.default_rng(0)
    coarse = random.integers(40, 216, ((HEIGHT + FRAMES) // 32 + 2, (WIDTH + FRAMES) // 32 + 2, 3), dtype=np.uint8)
    canvas = cv2.resize(coarse, (WIDTH + FRAMES, HEIGHT + FRAMES), interpolation=cv2.INTER_CUBIC)
    moving = np.stack([canvas[t : t + HEIGHT, t : t + WIDTH] for t in range(FRAMES)])
    frames = np.clip(moving + random.normal(0, 3, moving.shape), 0, 255).astype(np.uint8)
    mask = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    mask[:, 120:360, 180:540] = True
    source = hide_hole(frames, mask)
    for index in range(count):
        clip = folder / f"clip-{index}"
        clip.mkdir(parents=True)
        write_lossless(clip / "source.mkv", source, 24.0)
        write_lossless(clip / "mask.mkv", mask.astype(np.uint8) * np.uint8(255), 24.0)
    return load_splits("folder", ("delete",), folder)[0]


def sleeping(root: Path, loaded: LoadedSplit, seconds: float) -> tuple[float, float]:
    """Return the seconds of its own, and those from its `ready` until everything is stored."""
    times = root / "times.json"
    (root / "program.py").write_text(PROGRAM)
    words = json.dumps([sys.executable, "{here}/program.py", "{requests}", "{edits}", str(seconds), str(times)])
    (root / "method.toml").write_text(
        'name = "sleeper"\nversion = "1"\nkind = "method"\ntasks = ["delete"]\n'
        f'[command]\nrun = {words}\nper = "batch"\n'
    )
    generated(root / "runs", find_method(str(root / "method.toml")), loaded)
    end = time.time()
    start, own = json.loads(times.read_text())
    return own, end - start


def real(root: Path, loaded: LoadedSplit, name: str) -> tuple[float, float]:
    """Return the seconds inside a method that runs in this process, and those of all of generate."""
    start = time.perf_counter()
    folder, _ = generated(root / "runs", find_method(name), loaded)
    whole = time.perf_counter() - start
    return sum(clip.seconds or 0 for clip in folder.edits().values()), whole


def generated(out: Path, known: KnownMethod, loaded: LoadedSplit):  # type: ignore[no-untyped-def]
    folder, record = new_run(out, known, loaded, "none", 0, "cpu")
    with folder.lock():
        record: RunRecord = generate(folder, record, known, loaded, lambda _: None)
    assert record.n_failed == 0, [clip.error for clip in folder.edits().values()]
    return folder, record


if __name__ == "__main__":
    main()
