"""Checkouts of other methods' repositories with a stand-in where the program is, and tiny weights where weights are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from vivid_bench.method_card import MethodCard

HERE = Path(__file__).parent
COGVIDEOX = "models/Diffusion_Transformer/CogVideoX-Fun-V1.1-2b-InP"


def make_checkout(card: MethodCard, repo: Path) -> Path:
    """Write a checkout of a method to a folder, and return the folder."""
    assert card.checkout is not None
    repo.mkdir()
    shutil.copy(HERE / "behaviour.py", repo)
    for name in (*card.checkout.files, *card.checkout.weights):
        path = repo / name
        if path.suffix in (".py", ".pth", ".yaml", ".safetensors"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        else:
            path.mkdir(parents=True, exist_ok=True)
    MAKERS[card.name](repo)
    return repo


def _script(stand_in: str, name: str) -> Callable[[Path], None]:
    def make(repo: Path) -> None:
        shutil.copy(HERE / f"{stand_in}.py", repo / name)

    return make


def _cococo(repo: Path) -> None:
    shutil.copy(HERE / "cococo.py", repo / "valid_code_release.py")
    text = "unet_additional_kwargs:\n  use_motion_module: true\n\nnoise_scheduler_kwargs:\n  clip_sample: false"
    (repo / "configs" / "code_release.yaml").write_text(text)  # as shipped: no output_dir, no last newline


def _minimax(repo: Path) -> None:
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler

    for name in ("pipeline", "transformer"):
        shutil.copy(HERE / f"minimax_{name}.py", repo / f"{name}_minimax_remover.py")
    vae = AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    vae.save_pretrained(repo / "vae")
    UniPCMultistepScheduler().save_pretrained(repo / "scheduler")


def _cogvideox(repo: Path) -> None:
    from diffusers import DDIMScheduler
    from transformers import T5Config, T5EncoderModel

    shutil.copy(HERE / "cogvideox.py", repo / "stand_in.py")
    for path in (repo / "cogvideox").rglob("*.py"):
        path.write_text("from stand_in import *\n")
    for part in ("vae", "transformer"):
        (repo / COGVIDEOX / part).mkdir()
    config = T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, vocab_size=8)
    T5EncoderModel(config).save_pretrained(repo / COGVIDEOX / "text_encoder")
    DDIMScheduler().save_pretrained(repo / COGVIDEOX / "scheduler")


def _videopainter(repo: Path) -> None:
    shutil.copy(HERE / "videopainter_diffusers.py", repo / "diffusers" / "src" / "diffusers" / "__init__.py")


MAKERS: dict[str, Callable[[Path], None]] = {
    "propainter": _script("propainter", "inference_propainter.py"),
    "diffueraser": _script("diffueraser", "run_diffueraser.py"),
    "rose": _script("rose", "inference.py"),
    "cococo": _cococo,
    "minimax-remover": _minimax,
    "cogvideox-fun-inp": _cogvideox,
    "videopainter": _videopainter,
}
