from __future__ import annotations

import math

import pytest

from vivid_bench.compat import PRESETS, load_preset
from vivid_bench.compat.preset import OURS, Measure, PresetMetric, pooled_mean
from vivid_bench.errors import MissingWeightsError, UnknownNameError, VividBenchError
from vivid_bench.metrics import METRICS, WEIGHTED_METRICS
from vivid_bench.metrics.sample_clip import EditClip
from vivid_bench.types import Score
from vivid_bench.weights import catalogue


def score(value: float | None, values: int = 1) -> Score:
    if value is None:
        return Score(sample_id="a", metric="m", status="failed", reason="no weights")
    return Score(sample_id="a", metric="m", value=value, status="ok", details={"values": values})


@pytest.mark.parametrize("name", PRESETS)
def test_every_measure_says_what_it_is(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    assert len({m.name for m in preset.measures}) == len(preset.measures)
    for metric in preset.metrics:
        measure = metric.measure
        assert metric.info.name == f"{name}/{measure.name}"
        assert measure.quantity in OURS
        assert measure.differs
        assert "\n" not in measure.differs
        assert measure.weights is None or measure.weights in catalogue()


def test_every_quantity_is_measured_by_a_metric_of_ours_or_none() -> None:
    assert {ours for ours in OURS.values() if ours} <= {*METRICS, *WEIGHTED_METRICS}


def test_unknown_presets_are_named() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "five"'):
        load_preset("fives")


def test_means_are_over_clips_or_over_all_values() -> None:
    scores = [score(10.0, 1), score(20.0, 3), score(None)]
    assert pooled_mean(scores, "clips") == 15.0
    assert pooled_mean(scores, "frames") == (10 + 3 * 20) / 4
    assert pooled_mean([score(None)], "clips") is None


@pytest.mark.parametrize(
    ("values", "expected"), [([math.inf, 1.0], "infinite.*1 of its 2"), ([math.nan], "undefined.*1 of its 1")]
)
def test_what_is_not_finite_is_no_figure(edit: EditClip, values: list[float], expected: str) -> None:
    metric = PresetMetric("suite", "code", Measure("psnr", "background PSNR", lambda _: values, "all"))
    with pytest.raises(VividBenchError, match=expected):
        metric(edit)


def test_a_measure_without_values_does_not_apply(edit: EditClip) -> None:
    metric = PresetMetric("suite", "code", Measure("psnr", "background PSNR", lambda _: [], "all"))
    assert metric(edit).status == "not_applicable"


def test_missing_weights_are_named(edit: EditClip, monkeypatch: pytest.MonkeyPatch) -> None:
    def locate(name: str) -> None:
        raise MissingWeightsError(name)

    monkeypatch.setattr("vivid_bench.compat.vbench.locate", locate)
    metric = next(m for m in load_preset("vbench").metrics if m.measure.name == "subject_consistency")
    with pytest.raises(MissingWeightsError, match="dino-vitb16"):
        metric(edit)
