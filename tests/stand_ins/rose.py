"""Stands in for inference.py of Kunbyte-AI/ROSE at 6be41c5420bf331c6d491277d5a6feaf9b3a779a: its argument parser,
inputs, fixed size of 720x480 and outputs; no network."""

import argparse
from pathlib import Path

from behaviour import fill, read_mp4, write_mp4

parser = argparse.ArgumentParser(description="Run video inpainting pipeline")
parser.add_argument("--validation_videos", type=str, nargs="+", default=["data/eval/example1/video.mp4"])
parser.add_argument("--validation_masks", type=str, nargs="+", default=["data/eval/example1/mask.mp4"])
parser.add_argument("--validation_prompts", type=str, nargs="+", default=[""])
parser.add_argument("--output_dir", type=str, default="results/")
parser.add_argument("--video_length", type=int, default=49)
parser.add_argument("--sample_size", type=int, nargs=2, default=[480, 720])
arguments = parser.parse_args()

for path in ("models/Wan2.1-Fun-1.3B-InP", "weights/transformer", "configs/wan2.1/wan_civitai.yaml"):
    if not Path(path).exists():
        raise SystemExit(f"{path} is not there")
if arguments.video_length % 16 != 1:
    raise SystemExit(f"The length of videos needs to be 16n+1, not {arguments.video_length}")
clips = zip(arguments.validation_prompts, arguments.validation_videos, arguments.validation_masks, strict=False)
for number, (_, video, mask) in enumerate(clips, start=1):
    frames, _ = read_mp4(video)
    masks, _ = read_mp4(mask)
    if len(frames) < arguments.video_length or frames.shape[1:3] != (480, 720):
        raise SystemExit(f"would be resized, or too short: {frames.shape}")
    edited = fill(frames, masks.mean(axis=-1) >= 240)
    Path(arguments.output_dir).mkdir(parents=True, exist_ok=True)
    write_mp4(str(Path(arguments.output_dir) / f"example-{number}.mp4"), list(edited), 12)
