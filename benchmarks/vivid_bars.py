"""What a small VIVID can do: colours, keyframes, steps, background and images, beside what it has to reach.

    python benchmarks/vivid_bars.py --fold validation     # to choose settings
    python benchmarks/vivid_bars.py --out docs/vivid/bars.json   # the test fold, once

Colours are read off renders of the fold that are in no suite; all else is measured on the fold's mini suite, in the
edit region against the reference, as a mean of dB over clips.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.progress import track

from vivid_bench.build.mini import SAMPLES_PER_TASK, render_mini_sample
from vivid_bench.compositing import composite
from vivid_bench.metrics.psnr import psnr, region_mse
from vivid_bench.scenes import COLOURS, SceneSample, dominant_colour, render_sample
from vivid_bench.types import TASKS, Frames, Task
from vivid_bench.vivid.adapter import CHECKPOINT
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.sources import fill_frames

FIRST_HELD_OUT_SEED = 10_000
STEPS = (1, 2, 4, 10)
Figures = dict[str, float]


@dataclass
class Means:
    """Values by name; their means."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Take one value in."""
        self.values.setdefault(name, []).append(value)

    def result(self) -> Figures:
        """Return name -> mean."""
        return {name: round(float(np.mean(values)), 4) for name, values in self.values.items()}


def edit_psnr(edited: Frames, sample: SceneSample, scored: Sequence[int] | slice = slice(None)) -> float:
    """PSNR of the edit region over a clip's scored frames in dB, at most 100."""
    width = edited.shape[2]
    made, truth = edited[scored].reshape(-1, width, 3), sample.reference[scored].reshape(-1, width, 3)
    mse = region_mse(made, truth, sample.mask[scored].reshape(-1, width))
    assert mse is not None
    return psnr(mse)


def colours(editor: Editor, fold: str, count: int) -> Figures:
    """How often the entity has the caption's colour: with its caption, with another colour's name, without a caption.

    Args:
        count: renders of each of add and modify.
    """
    means = Means()
    for task, seed in track([(t, s) for t in ("add", "modify") for s in range(count)], description="colours"):
        sample = render_sample(task, FIRST_HELD_OUT_SEED + seed, fold=fold)
        assert sample.entity is not None
        assert sample.entity_mask is not None
        own = sample.entity.colour
        other = list(COLOURS)[(list(COLOURS).index(own) + 1 + seed % (len(COLOURS) - 1)) % len(COLOURS)]
        if not sample.entity_mask.any():
            continue
        means.add(f"{task}_reference", float(dominant_colour(sample.reference, sample.entity_mask) == own))
        for name, caption, wanted in (
            ("caption", sample.prompt, own),
            ("swapped", sample.prompt.replace(own, other), other),
            ("empty", "", own),
        ):
            edited = editor.edit(sample.source, sample.mask, caption)
            means.add(f"{task}_{name}", float(dominant_colour(edited, sample.entity_mask) == wanted))
    return means.result()


def keyframes(editor: Editor, samples: Mapping[Task, Sequence[SceneSample]]) -> Figures:
    """PSNR of the frames after the first, with and without the first frame's reference as a keyframe."""
    means = Means()
    for task, sample in track(_flat(samples), description="keyframes"):
        rest = slice(1, None)
        if not sample.mask[rest].any():
            continue
        without = editor.edit(sample.source, sample.mask, sample.prompt)
        given = editor.edit(sample.source, sample.mask, sample.prompt, keyframes={0: sample.reference[0]})
        means.add(f"{task}_without", edit_psnr(without, sample, rest))
        means.add(f"{task}_with", edit_psnr(given, sample, rest))
    return means.result()


def steps(editor: Editor, samples: Mapping[Task, Sequence[SceneSample]]) -> Figures:
    """PSNR by the number of denoising steps, and of the filled hole that the model starts from."""
    means = Means()
    for task, sample in track(_flat(samples), description="steps"):
        means.add(f"{task}_filled", edit_psnr(fill_frames(sample.source, sample.mask), sample))
        for count in STEPS:
            edited = Editor(editor.pipeline, count).edit(sample.source, sample.mask, sample.prompt)
            means.add(f"{task}_{count}", edit_psnr(edited, sample))
    return means.result()


def background(editor: Editor, samples: Mapping[Task, Sequence[SceneSample]]) -> Figures:
    """Share of clips whose every pixel outside the mask is the source's, raw and after `--composite hard`."""
    means = Means()
    for _, sample in track(_flat(samples)[::6], description="background"):
        edited = editor.edit(sample.source, sample.mask, sample.prompt)
        for name, frames in (("raw", edited), ("hard", composite(sample.source, edited, sample.mask, "hard"))):
            means.add(name, float(np.array_equal(frames[~sample.mask], sample.source[~sample.mask])))
    return means.result()


def images(editor: Editor, samples: Mapping[Task, Sequence[SceneSample]]) -> Figures:
    """PSNR of one frame edited alone, beside the same frame of the edited video."""
    means = Means()
    for task, sample in track(_flat(samples), description="images"):
        middle = [len(sample.mask) // 2]
        if not sample.mask[middle].any():
            continue
        video = editor.edit(sample.source, sample.mask, sample.prompt)
        image = np.empty_like(video)
        image[middle] = editor.edit(sample.source[middle], sample.mask[middle], sample.prompt)
        means.add(f"{task}_video", edit_psnr(video, sample, middle))
        means.add(f"{task}_image", edit_psnr(image, sample, middle))
    return means.result()


def _flat(samples: Mapping[Task, Sequence[SceneSample]]) -> list[tuple[Task, SceneSample]]:
    return [(task, sample) for task, group in samples.items() for sample in group]


def measure(editor: Editor, fold: str, count: int, parts: Iterable[str]) -> Iterator[tuple[str, Figures]]:
    """Yield the parts' names and figures, one after the other."""
    samples: dict[Task, list[SceneSample]] = {
        task: [render_mini_sample(task, number, fold) for number in range(SAMPLES_PER_TASK["short"])] for task in TASKS
    }
    all_parts: dict[str, Callable[[], Figures]] = {
        "colours": lambda: colours(editor, fold, count),
        "keyframes": lambda: keyframes(editor, samples),
        "steps": lambda: steps(editor, samples),
        "background": lambda: background(editor, samples),
        "images": lambda: images(editor, samples),
    }
    for name in parts:
        yield name, all_parts[name]()


def main() -> None:
    """Read the command line, measure and print."""
    names = ("colours", "keyframes", "steps", "background", "images")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--fold", choices=("validation", "test"), default="test")
    parser.add_argument("--renders", type=int, default=100, help="of each of add and modify, for the colours")
    parser.add_argument("--parts", nargs="+", choices=names, default=names)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    editor = Editor(load_pipeline(arguments.checkpoint))
    figures: dict[str, object] = {"fold": arguments.fold, "renders": arguments.renders}
    for name, found in measure(editor, arguments.fold, arguments.renders, arguments.parts):
        figures[name] = found
        # As each part is done: the whole takes half an hour on one core.
        if arguments.out:
            arguments.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
