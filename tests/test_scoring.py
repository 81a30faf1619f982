from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import DataFolder

from vivid_bench import scoring
from vivid_bench.errors import InputError
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import find_method
from vivid_bench.metrics import Metric, load_metric, psnr
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.records import RunFolder
from vivid_bench.scoring import ScoringJob, is_complete, metric_versions, score_jobs, summarise
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import Score, Summary
from vivid_bench.video import write_lossless

Adapter = Callable[[str, str], str]


@pytest.fixture
def loaded(data_folder: DataFolder) -> LoadedSplit:
    for index, name in enumerate("abc"):
        data_folder.add(name, seed=index, with_reference=name != "c")
    return load_splits("folder", ("delete",), data_folder.path)[0]


def job(target: str, loaded: LoadedSplit, out: Path) -> ScoringJob:
    known = find_method(target)
    folder, record = new_run(out, known, loaded, "none", 0, "cpu")
    record = generate(folder, record, known, loaded, lambda _: None)
    return ScoringJob(folder, record, folder.path)


def scores_of(scored: ScoringJob, metric: str) -> dict[str, Score]:
    return {s.sample_id: s for s in scored.folder.scores() if s.metric == metric}


def test_a_copy_is_exact_outside_and_wrong_inside(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    copy = job(adapter("Copy", "return request.frames"), loaded, tmp_path)
    score_jobs([copy], loaded, lambda _: None)
    record = copy.record
    assert record.status == "complete"
    assert is_complete(copy.folder, loaded)
    assert record.summaries["background_psnr"] == Summary(mean=100.0, n_scored=3, n_expected=3, n_exact=3)
    assert record.summaries["background_mse"].mean == 0.0
    edit = record.summaries["edit_psnr"]
    assert (edit.n_scored, edit.n_expected, edit.n_exact) == (2, 2, 0)
    missing = scores_of(copy, "edit_psnr")["c"]
    assert (missing.value, missing.status, missing.reason) == (None, "not_applicable", "the sample has no reference")


def test_the_mean_is_over_clips(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    grey = job(adapter("Grey", "return np.full_like(request.frames, 128)"), loaded, tmp_path)
    score_jobs([grey], loaded, lambda _: None)
    by_clip = scores_of(grey, "edit_mse")
    for sample in loaded.split.samples[:2]:
        arrays = loaded.read(sample)
        assert arrays.reference is not None
        expected = (((arrays.reference[arrays.mask].astype(float) - 128) / 255) ** 2).mean()
        assert by_clip[sample.id].value == pytest.approx(expected, rel=1e-12)
    values = [by_clip[i].value for i in "ab"]
    assert grey.record.summaries["edit_mse"].mean == pytest.approx(sum(v for v in values if v) / 2)


def test_a_failed_edit_stays_expected_and_unranked(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    body = "if request.sample_id == 'a':\n            raise ValueError('no')\n        return request.frames"
    flaky = job(adapter("Flaky", body), loaded, tmp_path)
    score_jobs([flaky], loaded, lambda _: None)
    failed = scores_of(flaky, "background_psnr")["a"]
    assert (failed.value, failed.status, failed.reason) == (None, "failed", "edit failed: ValueError: no")
    assert flaky.record.summaries["background_psnr"].n_scored == 2
    assert flaky.record.summaries["background_psnr"].n_expected == 3
    assert flaky.record.summaries["edit_psnr"].n_expected == 2


def test_a_resumed_scoring_gives_the_same_bytes(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    target = adapter("Invert", "return 255 - request.frames")
    whole = job(target, loaded, tmp_path / "whole")
    score_jobs([whole], loaded, lambda _: None)
    cut = job(target, loaded, tmp_path / "cut")

    def stop_after_one(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_jobs([cut], loaded, stop_after_one)
    assert set(cut.folder.partial_scores()) == {"a"}
    seen: list[str] = []
    score_jobs([ScoringJob(cut.folder, cut.record, cut.folder.path)], loaded, seen.append)
    assert (cut.folder.path / "scores.jsonl").read_bytes() == (whole.folder.path / "scores.jsonl").read_bytes()


def test_runs_scored_together_or_alone_get_the_same_bytes(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path
) -> None:
    targets = [adapter("Copy", "return request.frames"), adapter("Invert", "return 255 - request.frames")]
    together = [job(target, loaded, tmp_path / "together") for target in targets]
    score_jobs(together, loaded, lambda _: None)
    for target, other in zip(targets, together, strict=True):
        alone = job(target, loaded, tmp_path / "alone")
        score_jobs([alone], loaded, lambda _: None)
        assert alone.folder.scores_sha256() == other.folder.scores_sha256()
        assert alone.record.summaries == other.record.summaries


def test_other_metric_versions_are_scored_again(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = job(adapter("Copy", "return request.frames"), loaded, tmp_path)
    score_jobs([copy], loaded, lambda _: None)

    def newer(name: str) -> Metric:
        metric = load_metric(name)
        metric.info = metric.info.model_copy(update={"version": "next"})
        return metric

    monkeypatch.setattr(scoring, "load_metric", newer)
    assert not is_complete(copy.folder, loaded)
    score_jobs([copy], loaded, lambda _: None)
    assert copy.record.metrics["edit_psnr"] == "next"


def test_a_metric_that_raises_fails_its_own_cell(
    loaded: LoadedSplit,
    adapter: Adapter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> Score:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(psnr.Psnr, "__call__", broken)
    copy = job(adapter("Copy", "return request.frames"), loaded, tmp_path)
    with caplog.at_level(logging.WARNING):
        score_jobs([copy], loaded, lambda _: None)
    score = scores_of(copy, "edit_psnr")["a"]
    assert (score.status, score.reason) == ("failed", "ZeroDivisionError: nothing to divide by")
    assert copy.record.summaries["edit_psnr"].mean is None
    assert copy.record.summaries["background_mse"].mean == 0.0


def test_an_edit_that_changed_after_it_was_recorded(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    copy = job(adapter("Copy", "return request.frames"), loaded, tmp_path)
    write_lossless(copy.folder.edits_dir / "a.mkv", np.zeros((5, 24, 32, 3), np.uint8), 24.0)
    with pytest.raises(InputError, match="it changed after it was recorded"):
        score_jobs([copy], loaded, lambda _: None)
    (copy.folder.edits_dir / "a.mkv").unlink()
    with pytest.raises(InputError, match="expected the edit, found nothing"):
        score_jobs([copy], loaded, lambda _: None)


def test_metrics_without_a_meaning_for_the_task_are_left_out(data_folder: DataFolder) -> None:
    data_folder.add("a", task="add", caption="x")
    data_folder.add("d", task="delete")
    add, delete = load_splits("folder", ("add", "delete"), data_folder.path)
    assert "edit_warp_error" not in metric_versions(add)
    assert "edit_warp_error" in metric_versions(delete)


def test_a_run_without_a_record_or_with_other_scores_is_not_complete(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path
) -> None:
    assert not is_complete(RunFolder(tmp_path / "none"), loaded)
    copy = job(adapter("Copy", "return request.frames"), loaded, tmp_path)
    score_jobs([copy], loaded, lambda _: None)
    (copy.folder.path / "scores.jsonl").unlink()
    assert not is_complete(copy.folder, loaded)


def test_summaries_by_hand() -> None:
    scores = [
        Score(sample_id="a", metric="m", value=1.0, status="ok"),
        Score(sample_id="b", metric="m", value=100.0, status="exact"),
        Score(sample_id="c", metric="m", status="failed", reason="x"),
        Score(sample_id="d", metric="m", status="not_applicable", reason="y"),
    ]
    assert summarise(scores, ["m", "n"]) == {
        "m": Summary(mean=(1.0 + 100.0) / 2, n_scored=2, n_expected=3, n_exact=1),
        "n": Summary(mean=None, n_scored=0, n_expected=0, n_exact=0),
    }


def with_metrics(loaded: LoadedSplit, *names: str) -> LoadedSplit:
    return replace(loaded, split=loaded.split.model_copy(update={"metrics": names, "main_metric": names[0]}))


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no weights are."""

    monkeypatch.setattr(scoring, "why_missing", lambda name: f"weights {name} are not on this machine")


@pytest.mark.usefixtures("no_weights")
def test_without_weights_a_metric_is_a_null_with_the_reason(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path
) -> None:
    name = "clip_temporal_full@ViT-L-14/openai"
    both = with_metrics(loaded, "background_psnr", name)
    copy = job(adapter("Copy", "return request.frames"), both, tmp_path)
    score_jobs([copy], both, lambda _: None)
    score = scores_of(copy, name)["a"]
    assert (score.value, score.status) == (None, "failed")
    assert score.reason == "weights ViT-L-14/openai are not on this machine"
    assert copy.record.weights == {"ViT-L-14/openai": None}
    assert copy.record.summaries["background_psnr"].n_scored == 3
    assert is_complete(copy.folder, both)


@pytest.mark.usefixtures("no_weights")
def test_weights_are_not_what_a_sample_without_a_reference_lacks(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path
) -> None:
    name = "edit_lpips@alex"
    asked = with_metrics(loaded, "background_psnr", name)
    copy = job(adapter("Copy", "return request.frames"), asked, tmp_path)
    score_jobs([copy], asked, lambda _: None)
    scores = scores_of(copy, name)
    assert {sample: score.status for sample, score in scores.items()} == {
        "a": "failed", "b": "failed", "c": "not_applicable",
    }  # fmt: skip
    assert scores["c"].reason == "the sample has no reference"


def test_other_weights_are_scored_again_and_missing_ones_are_not(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "why_missing", lambda name: None)
    monkeypatch.setattr(scoring, "weights_sha256", lambda name: "e" * 64)
    both = with_metrics(loaded, "background_psnr", "clip_temporal_full@mini-clip")
    copy = job(adapter("Copy", "return request.frames"), both, tmp_path)
    score_jobs([copy], both, lambda _: None)
    assert is_complete(copy.folder, both)

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(scoring, "why_missing", lambda name: "not here")
        assert is_complete(copy.folder, both), "figures made with weights stand"
    monkeypatch.setattr(scoring, "weights_sha256", lambda name: "f" * 64)
    assert not is_complete(copy.folder, both)
    score_jobs([copy], both, lambda _: None)
    assert copy.record.weights == {"mini-clip": "f" * 64}
    assert is_complete(copy.folder, both)


def test_what_the_cache_knows_is_not_computed_again(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = adapter("Invert", "return 255 - request.frames")
    first = job(target, loaded, tmp_path / "first")
    score_jobs([first], loaded, lambda _: None, cache_folder=tmp_path / "cache")

    def never(*_: object) -> None:
        raise AssertionError("decoded or computed")

    again = job(target, loaded, tmp_path / "again")
    monkeypatch.setattr(scoring, "read_video", never)
    monkeypatch.setattr(LoadedSplit, "read", never)
    seen: list[str] = []
    score_jobs([again], loaded, seen.append, cache_folder=tmp_path / "cache")
    assert seen == ["a", "b", "c"]
    assert again.folder.scores_sha256() == first.folder.scores_sha256()


def test_the_cache_does_not_excuse_an_edit_that_changed(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    target = adapter("Invert", "return 255 - request.frames")
    score_jobs([job(target, loaded, tmp_path / "first")], loaded, lambda _: None, cache_folder=tmp_path / "cache")
    again = job(target, loaded, tmp_path / "again")
    write_lossless(again.folder.edits_dir / "a.mkv", np.zeros((5, 24, 32, 3), np.uint8), 24.0)
    with pytest.raises(InputError, match="it changed after it was recorded"):
        score_jobs([again], loaded, lambda _: None, cache_folder=tmp_path / "cache")


def test_only_what_is_new_is_computed(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = adapter("Invert", "return 255 - request.frames")
    few = with_metrics(loaded, "background_psnr")
    score_jobs([job(target, few, tmp_path / "few")], few, lambda _: None, cache_folder=tmp_path / "cache")
    monkeypatch.setattr(psnr.Psnr, "__call__", lambda *_: pytest.fail("computed again"))
    more = with_metrics(loaded, "background_psnr", "background_l1")
    both = job(target, more, tmp_path / "more")
    score_jobs([both], more, lambda _: None, cache_folder=tmp_path / "cache")
    assert both.record.summaries["background_psnr"].n_scored == 3
    assert both.record.summaries["background_l1"].n_scored == 3


def test_features_computed_for_several_clips_together_give_the_same_figures(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = with_metrics(loaded, "background_psnr", "clip_temporal_region@mini-clip", "clip_image_region@mini-clip")
    target = adapter("Invert", "return 255 - request.frames")
    alone, together = job(target, asked, tmp_path / "alone"), job(target, asked, tmp_path / "together")
    score_jobs([alone], asked, lambda _: None)
    monkeypatch.setitem(scoring.CLIPS_AT_ONCE, "cpu", 2)
    score_jobs([together], asked, lambda _: None)
    for name, summary in alone.record.summaries.items():
        assert together.record.summaries[name].mean == pytest.approx(summary.mean, rel=1e-6)
        assert together.record.summaries[name].n_scored == summary.n_scored


def test_beside_a_gpu_the_figures_are_the_same_and_in_order(loaded: LoadedSplit) -> None:
    sample = loaded.split.samples[0]
    arrays = loaded.read(sample)
    metrics = [load_metric(name) for name in ("edit_psnr", "background_ssim", "background_l1")]
    on_cpu, beside = (
        scoring._score_clip(
            metrics,
            EditClip(SampleClip(sample, arrays.source, arrays.mask, arrays.reference, device), 255 - arrays.source),
        )
        for device in ("cpu", "cuda")
    )
    assert on_cpu == beside
    assert [score.metric for score in beside] == ["edit_psnr", "background_ssim", "background_l1"]


def test_what_fails_for_several_clips_fails_in_each_ones_cell(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "clip_temporal_full@mini-clip"
    asked = with_metrics(loaded, "background_psnr", name)
    copy = job(adapter("Copy", "return request.frames"), asked, tmp_path)
    monkeypatch.setitem(scoring.CLIPS_AT_ONCE, "cpu", 3)

    def out_of_memory(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("vivid_bench.metrics.clip_model.ClipModel.image_features", out_of_memory)
    score_jobs([copy], asked, lambda _: None)
    assert {score.reason for score in scores_of(copy, name).values()} == {"RuntimeError: out of memory"}
    assert copy.record.summaries["background_psnr"].n_scored == 3
