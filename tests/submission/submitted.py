"""A small suite of the tests' own, a method's runs on it, and ways to tamper with the archive made of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from clips import box_mask, mask_video, moving_clip
from numpy.typing import NDArray

from vivid_bench.files import sha256_path
from vivid_bench.submission.check import CheckOptions, CheckReport, check
from vivid_bench.submission.manifest import Manifest
from vivid_bench.submission.runs import Suites
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import FileRef, Sample, Task
from vivid_bench.video import write_lossless

EXAMPLE = Path(__file__).parents[2] / "docs" / "example-method"
METRICS = ("edit_psnr", "background_psnr", "edit_ssim")
N_SAMPLES = 12
FRAMES, HEIGHT, WIDTH = 5, 24, 32


class Quiet:
    """A reporter that says nothing."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        yield lambda _: None


def write_suite(folder: Path) -> Path:
    """Write the suite `tiny`: twelve clips to delete from, with references; returns its folder."""
    samples = []
    for index in range(N_SAMPLES):
        source = moving_clip(FRAMES, HEIGHT, WIDTH, seed=index)
        mask = box_mask(FRAMES, HEIGHT, WIDTH)
        clean = source.copy()
        clean[mask] = 255 - clean[mask]
        refs = {}
        for name, frames in (("source", source), ("mask", mask_video(mask)), ("reference", clean)):
            path = folder / f"{index:02d}" / f"{name}.mkv"
            write_lossless(path, frames, 24.0)
            refs[name] = FileRef(path=path.relative_to(folder).as_posix(), sha256=sha256_path(path))
        samples.append(
            Sample(
                id=f"clip-{index:02d}",
                task="delete",
                prompt="",
                hole="visible",
                source_video=f"scene-{index // 2}",
                frames=FRAMES,
                height=HEIGHT,
                width=WIDTH,
                fps=24.0,
                **refs,
            )
        )
    (folder / "delete.jsonl").write_text("".join(f"{sample.model_dump_json()}\n" for sample in samples))
    (folder / "suite.toml").write_text(
        f'name = "tiny"\nversion = "1"\n[tasks.delete]\nsamples = "delete.jsonl"\nmain_metric = "edit_psnr"\n'
        f'sha256 = "{sha256_path(folder / "delete.jsonl")}"\nmetrics = {json.dumps(METRICS)}\n'
    )
    return folder


@dataclass(frozen=True)
class Bench:
    """Where the suite, the method, its runs and their archive lie."""

    folder: Path

    @property
    def suite(self) -> Path:
        return self.folder / "suite"

    @property
    def method(self) -> Path:
        return self.folder / "mine"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def archive(self) -> Path:
        return self.folder / "blur-fill.zip"

    def split(self, task: Task = "delete") -> LoadedSplit:
        return load_splits(str(self.suite), (task,))[0]

    def check(self, source: Path, **options: object) -> CheckReport:
        """Check a submission on this suite, all clips unless told otherwise."""
        settings = {"suites": Suites(str(self.suite)), "seed": 1, "every": True, **options}
        return check(source, CheckOptions(**settings), Quiet())  # type: ignore[arg-type]

    def unpacked(self, into: Path) -> Path:
        """Unpack the archive into a new folder; returns its run folder."""
        with zipfile.ZipFile(self.archive) as archive:
            archive.extractall(into)
        (run,) = into.glob("records/*/*/*/*")
        return run


def renew_manifest(folder: Path) -> None:
    """Make the manifest agree with whatever the files are now, as one who cheats would."""
    old = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    files = [
        {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": sha256_path(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    ]
    new = Manifest.model_validate({**old.model_dump(), "files": files})
    (folder / "manifest.json").write_bytes(new.to_bytes())


def edit_scores(run: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change each line of scores.jsonl, and make run.json's hash and means agree, as one who cheats would."""
    lines = [json.loads(line) for line in (run / "scores.jsonl").read_text().splitlines()]
    for line in lines:
        change(line)
    (run / "scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    record = json.loads((run / "run.json").read_text())
    record["scores_sha256"] = sha256_path(run / "scores.jsonl")
    for metric, summary in record["summaries"].items():
        values = [line["value"] for line in lines if line["metric"] == metric]
        summary.update(mean=sum(values) / len(values), ci_low=None, ci_high=None)
    (run / "run.json").write_text(json.dumps(record))


def random_clip(frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
