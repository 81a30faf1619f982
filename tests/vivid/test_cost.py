from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from vivid_bench.errors import UnknownNameError
from vivid_bench.vivid.cost import edit_cost, pipeline_edit_cost, session_cost
from vivid_bench.vivid.pipeline import VividPipeline

PETA = 1e15


def test_a_video_edit_is_what_the_project_page_prints() -> None:
    cost = edit_cost()
    assert cost.encode / PETA == pytest.approx(0.149, abs=5e-4)
    assert cost.decode / PETA == pytest.approx(0.315, abs=5e-4)
    assert cost.denoise / PETA == pytest.approx(50 * 0.3322, abs=5e-3)
    assert cost.total / PETA == pytest.approx(17.07, abs=5e-3)
    assert cost.total / PETA == pytest.approx(17.1, abs=0.1)


def test_steps_and_guidance_multiply_the_denoising_alone() -> None:
    one, guided = edit_cost(frames=1, steps=1), edit_cost(frames=1, steps=3, evaluations_per_step=2)
    assert guided.denoise == 6 * one.denoise
    assert (guided.encode, guided.decode) == (one.encode, one.decode)


def test_a_linear_layer_by_hand() -> None:
    # The denoising of one latent frame is at least its linear layers: 2 flops a weight and token. A block holds
    # 4 w^2 (attention) and 8 w^2 (feed-forward) weights, w = 48 x 64, and sees 1,350 patches and 226 caption tokens.
    width, tokens = 48 * 64, 30 * 45 + 226
    linear = 42 * 2 * 12 * width**2 * tokens
    denoise = edit_cost(frames=1, steps=1).denoise
    assert linear < denoise < 1.15 * linear


def test_sessions() -> None:
    video, keyframe = edit_cost().total, edit_cost(frames=1).total
    session = session_cost(3)
    assert (session.naive, session.kive) == (3 * video, 3 * keyframe + video)
    assert session_cost(1).naive < session_cost(1).kive
    assert session_cost(2).naive / PETA == pytest.approx(34.2, abs=0.1)


def test_the_2b_configuration_costs_less() -> None:
    small, large = edit_cost(frames=1, model="cogvideox-2b"), edit_cost(frames=1)
    assert small.denoise < large.denoise
    assert (small.encode, small.decode) == (large.encode, large.decode)


def test_sizes_are_padded_as_the_pipeline_pads() -> None:
    assert edit_cost(frames=2, height=60, width=75, steps=1) == edit_cost(frames=9, height=64, width=80, steps=1)


def test_blocks_are_counted_one_by_one(full: VividPipeline) -> None:
    # What two small models tell of a third is what counting the third itself tells.
    cost = pipeline_edit_cost(full, frames=9, height=32, width=48, steps=3, evaluations_per_step=2)
    transformer = full.transformer.to("meta")
    rotary = torch.empty(3 * 2 * 3, 16, device="meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        transformer(
            torch.empty(1, 3, 12, 4, 6),
            torch.empty(1, 226, 32),
            torch.empty(1),
            image_rotary_emb=(rotary, rotary) if transformer.config.use_rotary_positional_embeddings else None,
        )
    assert cost.denoise == 6 * counter.get_total_flops()


def test_a_minis_codec_costs_nothing(tiny: VividPipeline) -> None:
    cost = pipeline_edit_cost(tiny, frames=17, height=24, width=32, steps=4)
    assert (cost.encode, cost.decode) == (0, 0)
    assert cost.denoise > 0


def test_unusable_counts_raise() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        edit_cost(frames=0)
    with pytest.raises(ValueError, match="at least one round"):
        session_cost(0)
    with pytest.raises(UnknownNameError, match="cogvideox-5b"):
        edit_cost(model="cogvideox-7b")
