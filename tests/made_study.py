"""Studies for tests: keys made of types alone, finished runs with edits on disk, and whole study folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
from clips import DataFolder
from made_runs import write_run

from vivid_bench.files import sha256_path
from vivid_bench.records import RunFolder
from vivid_bench.study.build import StudyOptions, build_study
from vivid_bench.study.design import Group, make_design
from vivid_bench.study.selection import select
from vivid_bench.study.types import Design, Question, RaterPlan, StudyKey, StudyRun, StudySample
from vivid_bench.suites import load_splits
from vivid_bench.types import EditedClip, FileRef, Task
from vivid_bench.video import write_lossless

METHODS = ("secret-ant", "secret-bee", "secret-cat")
CAPTION = "</script><b>مرحبا</b> a red “ball” & more"


class Silent:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        yield self.said.append


def made_key(
    design: Design = "pairwise",
    methods: Sequence[str] = METHODS,
    samples: int = 8,
    raters: int = 4,
    per_rater: int = 6,
    questions: tuple[Question, ...] = ("overall",),
    *,
    tasks: Sequence[Task] = ("delete",),
    ties: bool = False,
    deadline: str | None = None,
    seed: int = 0,
) -> StudyKey:
    """The key of a study without any files: every method on so many samples of each task."""
    groups = [
        Group(
            tuple(range(index * samples, (index + 1) * samples)),
            tuple(range(index * len(methods), (index + 1) * len(methods))),
        )
        for index in range(len(tasks))
    ]
    plans = make_design(design, groups, raters, per_rater, Random(seed))
    return StudyKey(
        study=f"{seed:016x}",
        design=design,
        ties=ties,
        questions=questions,
        seed=seed,
        deadline=deadline,
        samples=tuple(
            StudySample(id=f"{task}-{i}", suite="made", task=task, prompt="p", source_video=f"{task}-video-{i}")
            for task in tasks
            for i in range(samples)
        ),
        clip_seconds=(2.0,) * samples * len(tasks),
        runs=tuple(
            StudyRun(suite="made", task=task, method=method, version="1", run_key=f"{task}-{method}", composite="none")
            for task in tasks
            for method in methods
        ),
        raters=tuple(
            RaterPlan(rater=f"r{number:03}", packet=f"{number:064x}", items=items)
            for number, items in enumerate(plans, 1)
        ),
    )


def write_runs(
    folder: Path, methods: Sequence[str] = METHODS, samples: int = 4, task: Task = "modify", kind: str = "method"
) -> list[RunFolder]:
    """Finished runs of these methods below `folder/records`, on clips of suite `folder` in `folder/data`."""
    data = DataFolder(folder / "data")
    if not data.path.is_dir():
        data.path.mkdir(parents=True)
        for index in range(samples):
            data.add(f"hidden-name-{index}", seed=index, task=task, caption=CAPTION)
    (loaded,) = load_splits("folder", (task,), data.path)
    ids = [sample.id for sample in loaded.split.samples]
    runs = []
    for number, name in enumerate(methods, 1):
        scores = {"edit_psnr": [20.0 + number] * len(ids)}
        run = write_run(folder / "records", loaded.split, name, scores, kind=kind)
        for sample in loaded.split.samples:
            path = run.edits_dir / f"{sample.id}.mkv"
            write_lossless(path, loaded.read(sample).source ^ np.uint8(number * 16), sample.fps)
            video = FileRef(path=f"edits/{path.name}", sha256=sha256_path(path))
            run.add_edit(
                EditedClip(
                    sample_id=sample.id, status="ok", video=video, codec="ffv1", frames=sample.frames,
                    height=sample.height, width=sample.width, fps=sample.fps, seconds=0.5,
                )
            )  # fmt: skip
        run.finish_edits(ids)
        runs.append(run)
    return runs


def made_study(folder: Path, design: Design = "pairwise", raters: int = 2, per_rater: int = 4) -> Path:
    """A whole study of `write_runs` on disk; returns its folder."""
    write_runs(folder)
    options = StudyOptions(design, ("overall", "visual-quality"), raters, per_rater, seed=1)
    build_study(select([folder / "records"], folder / "data"), options, folder / "study", Silent())
    return folder / "study"
