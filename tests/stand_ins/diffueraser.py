"""Stands in for run_diffueraser.py of lixiaowen-xw/DiffuEraser at 8e6f279ac7531e27ad1849c6f8dab5372a8597e7: its
argument parser, inputs, limits and output; no network, no dilation, no blur."""

import argparse
from pathlib import Path

from behaviour import fill, read_mp4, write_mp4

parser = argparse.ArgumentParser()
parser.add_argument("--input_video", type=str, default="examples/example3/video.mp4")
parser.add_argument("--input_mask", type=str, default="examples/example3/mask.mp4")
parser.add_argument("--video_length", type=int, default=10)
parser.add_argument("--mask_dilation_iter", type=int, default=8)
parser.add_argument("--max_img_size", type=int, default=960)
parser.add_argument("--save_path", type=str, default="results")
parser.add_argument("--ref_stride", type=int, default=10)
parser.add_argument("--neighbor_length", type=int, default=10)
parser.add_argument("--subvideo_length", type=int, default=50)
parser.add_argument("--base_model_path", type=str, default="weights/stable-diffusion-v1-5")
parser.add_argument("--vae_path", type=str, default="weights/sd-vae-ft-mse")
parser.add_argument("--diffueraser_path", type=str, default="weights/diffuEraser")
parser.add_argument("--propainter_model_dir", type=str, default="weights/propainter")
arguments = parser.parse_args()

for path in (arguments.base_model_path, arguments.vae_path, arguments.diffueraser_path, arguments.propainter_model_dir):
    if not Path(path).is_dir():
        raise SystemExit(f"{path} is not there")
if not 256 <= arguments.max_img_size <= 1920:
    raise ValueError("The max_img_size must be between 256 and 1920!")
frames, fps = read_mp4(arguments.input_video)
masks, mask_fps = read_mp4(arguments.input_mask)
if mask_fps != fps:
    raise ValueError("The frame rate of all input videos needs to be consistent.")
frames = frames[: int(arguments.video_length * fps)]
longest = max(frames.shape[1:3])
if longest < 256 or longest > 4096:
    raise ValueError("The resolution of the uploaded video must be between 256 and 4096.")
if longest > arguments.max_img_size or frames.shape[1] % 8 or frames.shape[2] % 8:
    raise SystemExit(f"would be resized: {frames.shape}")
if len(frames) < 22:
    raise ValueError("The effective video duration is too short.")
Path(arguments.save_path).mkdir(exist_ok=True)
edited = fill(frames, masks.max(axis=-1) > 0)
write_mp4(str(Path(arguments.save_path) / "diffueraser_result.mp4"), list(edited), fps)
