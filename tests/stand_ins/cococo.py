"""Stands in for valid_code_release.py of zibojia/COCOCO at 9ebe984cf1148470ec67b26e2781e05285f1512b: its argument
parser, configuration, inputs and ten samples a clip; no network. The samples' fills differ by their number."""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from behaviour import fill


def main(
    name: str,
    unet_additional_kwargs: dict[str, Any],
    noise_scheduler_kwargs: dict[str, Any],
    output_dir: str,
    global_seed: int = 42,
) -> None:
    for index in range(4):
        if not Path(arguments.model_path, f"model_{index}.pth").exists():
            raise SystemExit(f"model_{index}.pth is not there")
    if not Path(arguments.pretrain_model_path, arguments.sub_folder).is_dir():
        raise SystemExit("no Stable Diffusion")
    images, masks = (np.load(Path(arguments.video_path) / f"{name}.npy") for name in ("images", "masks"))
    assert images.dtype == masks.dtype == np.uint8
    assert masks.shape == (*images.shape[:3], 1)
    assert set(np.unique(masks)) <= {0, 255}
    assert images.shape[1] % 8 == images.shape[2] % 8 == 0
    folder = Path(output_dir) / f"{name}-2024-09-24T00-00-00"
    folder.mkdir(parents=True)
    hole = masks[..., 0] > 0
    for step in range(10):
        edited = np.where(hole[..., None], fill(images, hole) // 16 * 10 + step, images).astype(np.uint8)
        for index, frame in enumerate(edited):
            image = folder / f"test_release_{arguments.guidance_scale}_guidance_scale_{step}_image_{index}.png"
            cv2.imwrite(str(image), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


parser = argparse.ArgumentParser()
parser.add_argument("--config", type=str, required=True)
parser.add_argument("--prompt", type=str, default="")
parser.add_argument("--negative_prompt", type=str, default="")
parser.add_argument("--model_path", type=str, default="../")
parser.add_argument("--pretrain_model_path", type=str, default="../")
parser.add_argument("--sub_folder", type=str, default="unet")
parser.add_argument("--guidance_scale", type=float, default=20)
parser.add_argument("--video_path", type=str, default="")
arguments = parser.parse_args()
main(name=Path(arguments.config).stem, **yaml.safe_load(Path(arguments.config).read_text()))
