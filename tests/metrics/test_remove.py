"""ReMOVE: parity with its own code, hand-worked crops and values, masks that leave nothing to compare."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_clips import box_mask, edit_clip, textured
from removal_cases import CLIPS, fill, save_sam

from vivid_bench.errors import InputError, MissingWeightsError
from vivid_bench.metrics import remove
from vivid_bench.metrics.patch_features import load_network
from vivid_bench.metrics.remove import Remove, cosine_of_means, crop_box, embed_images, filled_patches

# Made with chandrasekaraditya/ReMOVE at b2974265: `get_score` (main.py) with `--crop` on each frame, saved as PNG, and
# segment_anything's own ImageEncoderViT of that repository, given the weights that `save_sam` writes under its names of
# them (layers: blocks, layer_norm: norm, patch_embed.projection: patch_embed.proj, neck.conv1 to layer_norm2: neck.0 to
# 3); then the mean over the frames that gave a number (it raises without a mask, and gives NaN without both kinds).
FROM_ITS_CODE = {
    "parts": 0.9776248733202616,
    "small": 0.813539187113444,
    "corner": 0.9525233507156372,
    "ellipse": 0.9975522756577,
    "box": 0.8531214197476705,
    "wide": 0.9808765053749084,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sam(tmp_path_factory.mktemp("weights") / "tiny-sam").parent


@pytest.fixture(autouse=True)
def _folder(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVID_BENCH_WEIGHTS", str(weights))


@pytest.mark.parametrize("name", FROM_ITS_CODE)
def test_parity_with_removes_own_code(name: str) -> None:
    mask, edited = CLIPS[name]
    score = Remove("tiny-sam")(edit_clip(edited, mask, None, edited))
    assert score.value == pytest.approx(FROM_ITS_CODE[name], rel=1e-5)


def test_examples_in_docstrings() -> None:
    results = doctest.testmod(remove)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((40, 30, 60, 50), (24, 14, 76, 66)),
        ((40, 30, 60, 80), (24, 14, 106, 96)),  # from the corner on, not centred: 50 + 2 x 16 px each way
        ((40, 5, 60, 25), (35, 0, 65, 30)),  # 5 px of room above
        ((100, 30, 155, 50), (94, 24, 160, 91)),  # 6 px of room on the right; 67 px wide, cut at 160
        ((0, 30, 20, 60), (0, 30, 30, 60)),  # none on the left
    ],
)
def test_crops_by_hand(box: tuple[int, int, int, int], expected: tuple[int, int, int, int]) -> None:
    assert crop_box(box_mask(1, 100, 160, box)[0]) == expected


def test_no_crop_without_a_mask() -> None:
    assert crop_box(np.zeros((10, 10), bool)) is None


def test_only_patches_wholly_inside_are_filled() -> None:
    mask = np.zeros((128, 128), bool)
    mask[:, :65] = True  # 32 patches of 2 px and half of one
    filled = filled_patches(mask, (0, 0, 128, 128))
    assert filled.shape == (64, 64)
    columns = filled.all(axis=0)
    # Bicubic weights reach two patches to each side and overshoot: past the edge nothing is white.
    assert columns[:30].all()
    assert not filled[:, 32:].any()


def test_cosine_by_hand() -> None:
    filled = np.array([[True, True, False]])
    features = torch.tensor([[[4.0, 2.0, 1.0]], [[0.0, 6.0, 0.0]]])
    # Mean inside (3, 3), outside (1, 0): 3 / sqrt(18).
    assert cosine_of_means(features, filled) == pytest.approx(1 / np.sqrt(2), rel=1e-12)
    assert cosine_of_means(torch.ones(2, 1, 3), filled) == pytest.approx(1, rel=1e-12)
    assert cosine_of_means(torch.tensor([[[1.0, 1.0, -1.0]]]), filled) == pytest.approx(-1, rel=1e-12)
    assert np.isnan(cosine_of_means(torch.full((2, 1, 3), float("nan")), filled))


def test_an_image_that_is_no_square_is_padded(weights: Path) -> None:
    image = textured(1, 40, 80)[0]
    features = embed_images([image, image[:, :40]], "tiny-sam", "cpu")
    assert features.shape == (2, 256, 64, 64)
    network = load_network("SamVisionModel", weights / "tiny-sam", "cpu")
    padded = torch.zeros(1, 3, 256, 256)
    padded[:, :, :128] = remove.pixel_values(remove._scaled(image, 256)[None], "cpu")
    with torch.inference_mode():
        expected = network(padded).last_hidden_state
    assert torch.allclose(features[:1], expected, atol=1e-5)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Stand in for the network; holds the shapes of the images it was given."""
    shapes: list[tuple[int, ...]] = []

    def embed(images: list[np.ndarray], weights: str, device: str) -> torch.Tensor:
        shapes.extend(image.shape for image in images)
        return torch.ones(len(images), 2, 64, 64)

    monkeypatch.setattr(remove, "embed_images", embed)
    return shapes


def test_frames_that_have_a_value(counted: list[tuple[int, ...]]) -> None:
    mask, edited = CLIPS["parts"]
    clip = edit_clip(edited, mask, None, edited)
    clip.sample.scored[0] = False
    score = Remove("any")(clip)
    assert score.per_frame == (None, 1.0, None, 1.0)
    assert score.details == {"frames": 2}
    assert len(counted) == 2


@pytest.mark.parametrize("task", ["add", "modify"])
def test_for_delete_only_even_without_weights(task: str) -> None:
    mask, edited = CLIPS["box"]
    score = Remove("absent")(edit_clip(edited, mask, None, edited, task=task))
    assert (score.status, score.reason) == ("not_applicable", f"defined for delete only, the task is {task}")


def test_reasons_why_there_is_no_score(counted: list[tuple[int, ...]]) -> None:
    frame = textured(1, 64, 64)
    empty = Remove("any")(edit_clip(frame, np.zeros((1, 64, 64), bool), None, frame))
    assert (empty.status, empty.reason) == ("not_applicable", "the mask is empty in all scored frames")
    nothing_to_compare = "no scored frame has a patch that lies wholly inside the mask and one that does not"
    thin = np.zeros((1, 200, 200), bool)
    thin[:, 20:180, 100] = True  # 1 px of a patch of 3
    frame = textured(1, 200, 200)
    assert Remove("any")(edit_clip(frame, thin, None, frame)).reason == nothing_to_compare
    mask, edited = CLIPS["full"]
    assert Remove("any")(edit_clip(edited, mask, None, edited)).reason == nothing_to_compare
    assert not counted


def test_missing_weights_say_so() -> None:
    mask, edited = CLIPS["box"]
    with pytest.raises(MissingWeightsError, match="sam-vit-huge"):
        Remove("sam-vit-huge")(edit_clip(edited, mask, None, edited))
    assert Remove("sam-vit-huge").info.name == "remove@sam-vit-huge"


def test_another_grid_is_refused(weights: Path) -> None:
    save_sam(weights / "grid-32", image_size=128)
    mask, edited = CLIPS["box"]
    with pytest.raises(InputError, match="expected 64 x 64 patches, found 32 x 32"):
        Remove("grid-32")(edit_clip(edited, mask, None, edited))


def test_a_whole_sam_gives_its_image_encoder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers import SamConfig, SamModel

    vision = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "mlp_dim": 8, "image_size": 32}
    whole = SamModel(SamConfig(vision_config=vision))
    fill(whole)
    whole.save_pretrained(tmp_path)
    capfd.readouterr()
    encoder = load_network("SamVisionModel", tmp_path, "cpu").vision_encoder.state_dict()
    assert all(torch.equal(tensor, encoder[name]) for name, tensor in whole.vision_encoder.state_dict().items())
    assert capfd.readouterr() == ("", "")
