"""Stands in for inference_propainter.py of sczhou/ProPainter at e870e79321c31b733e2031af5aa2fb1fe3ac7eec: its argument
parser, inputs, outputs, dilation and compositing; no network."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import scipy.ndimage
from behaviour import fill, write_mp4

parser = argparse.ArgumentParser()
parser.add_argument("-i", "--video", type=str, default="inputs/object_removal/bmx-trees")
parser.add_argument("-m", "--mask", type=str, default="inputs/object_removal/bmx-trees_mask")
parser.add_argument("-o", "--output", type=str, default="results")
parser.add_argument("--resize_ratio", type=float, default=1.0)
parser.add_argument("--height", type=int, default=-1)
parser.add_argument("--width", type=int, default=-1)
parser.add_argument("--mask_dilation", type=int, default=4)
parser.add_argument("--ref_stride", type=int, default=10)
parser.add_argument("--neighbor_length", type=int, default=10)
parser.add_argument("--subvideo_length", type=int, default=80)
parser.add_argument("--raft_iter", type=int, default=20)
parser.add_argument("--mode", default="video_inpainting", choices=["video_inpainting", "video_outpainting"])
parser.add_argument("--scale_h", type=float, default=1.0)
parser.add_argument("--scale_w", type=float, default=1.2)
parser.add_argument("--save_fps", type=int, default=24)
parser.add_argument("--save_frames", action="store_true")
parser.add_argument("--fp16", action="store_true")
arguments = parser.parse_args()

for name in ("raft-things.pth", "recurrent_flow_completion.pth", "ProPainter.pth"):
    if not Path("weights", name).exists():
        raise SystemExit(f"{name} would be downloaded")

source = Path(arguments.video)
frames = np.stack([cv2.imread(str(p))[..., ::-1] for p in sorted(source.iterdir())])
masks = np.stack([cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in sorted(Path(arguments.mask).iterdir())])
if len(masks) != len(frames):
    raise SystemExit("as many masks as frames")
if frames.shape[1] % 8 or frames.shape[2] % 8 or min(frames.shape[1:3]) < 128:
    raise SystemExit(f"would be resized, or too small for RAFT: {frames.shape}")
grown = np.stack([scipy.ndimage.binary_dilation(m, iterations=arguments.mask_dilation) for m in masks])
edited = fill(frames, grown)
root = Path(arguments.output) / source.name
root.mkdir(parents=True, exist_ok=True)
if arguments.save_frames:
    (root / "frames").mkdir()
    for index, frame in enumerate(edited):
        cv2.imwrite(str(root / "frames" / f"{index:04d}.png"), frame[..., ::-1])
write_mp4(str(root / "masked_in.mp4"), list(frames), arguments.save_fps)
write_mp4(str(root / "inpaint_out.mp4"), list(edited), arguments.save_fps)
