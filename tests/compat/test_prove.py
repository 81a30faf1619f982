from __future__ import annotations

import pytest

from vivid_bench.compat.prove import DINOV2, PRESET
from vivid_bench.metrics.prove import RemovalCoherence
from vivid_bench.metrics.sample_clip import EditClip
from vivid_bench.types import Score

# Parity of these metrics with PROVE's own code is tested with them, in tests/metrics/test_prove.py.


def test_figures_are_those_of_our_metrics_with_its_weights(edit: EditClip, monkeypatch: pytest.MonkeyPatch) -> None:
    def figure(self: RemovalCoherence, clip: EditClip) -> Score:
        value = {f"rc_s@{DINOV2}": 0.25, f"rc_t@{DINOV2}": 3.0}[self.info.name]
        return Score(sample_id=clip.sample_id, metric=self.info.name, value=value, status="ok")

    monkeypatch.setattr(RemovalCoherence, "__call__", figure)
    assert [metric(edit).value for metric in PRESET.metrics] == [0.25, 3.0]


def test_it_is_about_deletes() -> None:
    assert {metric.info.tasks for metric in PRESET.metrics} == {("delete",)}
