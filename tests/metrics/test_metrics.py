"""Every registered metric: loadable, documented, consistent with what it returns."""

from __future__ import annotations

import subprocess
import sys

import pytest
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.errors import UnknownNameError
from vivid_bench.metrics import METRICS, WEIGHTED_METRICS, check_name, load_metric, metric_info
from vivid_bench.types import TASKS


def test_names() -> None:
    measures = ("psnr", "mse", "ssim", "l1")
    expected = [f"{region}_{measure}" for region in ("background", "edit", "boundary") for measure in measures]
    assert list(METRICS) == [*expected, "background_warp_error", "edit_warp_error", "removal_success_histogram"]


def test_a_metric_that_needs_weights_has_their_name_in_its_own() -> None:
    for base in WEIGHTED_METRICS:
        weights = "alex" if "lpips" in base else "some/weights"
        info = metric_info(f"{base}@{weights}")
        assert info.name == f"{base}@{weights}"
        assert info.needs_weights == weights
        assert info.citation
    with pytest.raises(UnknownNameError, match=r'unknown metric "edit_lpips": .*known: edit_lpips@<weights>'):
        load_metric("edit_lpips")
    with pytest.raises(UnknownNameError, match="edit_psnr"):
        load_metric("edit_psnr@alex")


def test_names_are_checked_without_their_weights() -> None:
    check_name("edit_lpips@vgg")
    with pytest.raises(UnknownNameError, match='unknown LPIPS weights "vgh": did you mean "vgg"'):
        check_name("edit_lpips@vgh")


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "edit_psnr"'):
        load_metric("edit_psrn")


@pytest.mark.parametrize("name", METRICS)
def test_info_describes_the_metric(name: str) -> None:
    info = metric_info(name)
    assert info.name == name
    if not name.startswith("removal"):
        assert name.startswith(info.region)
        assert info.needs_reference is (info.region != "background")
    assert info.needs_weights is None
    assert set(info.tasks) <= set(TASKS)
    assert info.citation


@pytest.mark.parametrize("name", METRICS)
def test_score_keeps_to_the_info(name: str) -> None:
    source = textured(3, 40, 48, (1, 0))
    clip = edit_clip(source, box_mask(3, 40, 48, (12, 10, 34, 28)), source, noisy(source, 12))
    info, score = metric_info(name), load_metric(name)(clip)
    low, high = info.range
    assert (score.metric, score.sample_id, score.status) == (name, "clip", "ok")
    assert score.value is not None
    assert low is not None
    assert high is not None
    assert low <= score.value <= high
    if score.per_frame is not None:
        assert len(score.per_frame) == 3


def test_describing_metrics_needs_no_torch() -> None:
    code = (
        "import sys\nfrom vivid_bench.metrics import METRICS, WEIGHTED_METRICS, metric_info\n"
        "names = [*METRICS, *(f'{base}@alex' for base in WEIGHTED_METRICS)]\n"
        "infos = [metric_info(name) for name in names]\nassert len(infos) == 27\n"
        "assert not {'torch', 'torchmetrics', 'scipy', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
