from __future__ import annotations

import pytest

from vivid_bench.vivid.cost import edit_cost, session_cost

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


@pytest.mark.parametrize(("frames", "height", "width"), [(48, 480, 720), (49, 481, 720), (49, 480, 725)])
def test_sizes_that_do_not_fit(frames: int, height: int, width: int) -> None:
    with pytest.raises(ValueError, match="expected 4k\\+1 frames and sides that are multiples of 16"):
        edit_cost(frames, height, width)
    with pytest.raises(ValueError, match="at least one round"):
        session_cost(0)
