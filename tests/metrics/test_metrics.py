"""Every registered metric: loadable, documented, consistent with what it returns."""

from __future__ import annotations

import subprocess
import sys

import pytest
from metric_clips import box_mask, edit_clip, noisy, textured

from vivid_bench.errors import UnknownNameError
from vivid_bench.metrics import METRICS, load_metric, metric_info
from vivid_bench.types import TASKS


def test_names() -> None:
    measures = ("psnr", "mse", "ssim", "l1")
    expected = [f"{region}_{measure}" for region in ("background", "edit", "boundary") for measure in measures]
    assert list(METRICS) == [*expected, "background_warp_error", "edit_warp_error"]


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "edit_psnr"'):
        load_metric("edit_psrn")


@pytest.mark.parametrize("name", METRICS)
def test_info_describes_the_metric(name: str) -> None:
    info = metric_info(name)
    assert info.name == name
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
        "import sys\nfrom vivid_bench.metrics import METRICS, metric_info\n"
        "infos = [metric_info(name) for name in METRICS]\nassert len(infos) == 14\n"
        "assert not {'torch', 'torchmetrics', 'scipy', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
