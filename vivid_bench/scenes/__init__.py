"""Rendered scenes with an exact ground truth for every task: the mini suite's and the trainer's source."""

from vivid_bench.scenes.backgrounds import PHOTOGRAPHS
from vivid_bench.scenes.folds import COLOURS, FOLDS, PATTERNS, SHAPES, SIZES, Entity, combinations
from vivid_bench.scenes.samples import SceneSample, dominant_colour, render_sample

__all__ = [
    "COLOURS",
    "FOLDS",
    "PATTERNS",
    "PHOTOGRAPHS",
    "SHAPES",
    "SIZES",
    "Entity",
    "SceneSample",
    "combinations",
    "dominant_colour",
    "render_sample",
]
