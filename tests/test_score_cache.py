"""The cache of scores: what decides a figure decides the key, and damage is no cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from vivid_bench import score_cache
from vivid_bench.metrics import metric_info
from vivid_bench.score_cache import ScoreCache, default_folder
from vivid_bench.types import EditedClip, FileRef, Sample, Score

PSNR = metric_info("background_psnr")
CLIP = metric_info("clip_temporal_full@mini-clip")
KNOWN = Score(sample_id="one", metric="background_psnr", value=30.0, status="ok", per_frame=(30.0, None))


def ref(digit: str) -> FileRef:
    return FileRef(path=f"{digit}.mkv", sha256=digit * 64)


SAMPLE = Sample(
    id="one", task="delete", source=ref("1"), mask=ref("2"), reference=ref("3"), prompt="a cat", frames=2, height=8,
    width=8, fps=24, hole="visible", source_video="one",
)  # fmt: skip
EDIT = EditedClip(sample_id="one", status="ok", video=ref("4"))


def cache(folder: Path | None, device: str = "cpu", weights: str | None = "a") -> ScoreCache:
    return ScoreCache(folder, device, {"mini-clip": weights})


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    cache(tmp_path).add(SAMPLE, EDIT, [PSNR], [KNOWN])
    return tmp_path


def test_a_known_score_comes_back_under_the_samples_own_id(filled: Path) -> None:
    assert cache(filled).read(SAMPLE, EDIT, [PSNR, CLIP]) == {"background_psnr": KNOWN}
    renamed = SAMPLE.model_copy(update={"id": "other"})
    found = cache(filled).read(renamed, EDIT, [PSNR])["background_psnr"]
    assert found == KNOWN.model_copy(update={"sample_id": "other"})


@pytest.mark.parametrize(
    "change",
    [
        {"source": ref("5")}, {"mask": ref("5")}, {"reference": None}, {"prompt": "a dog"}, {"hole": "hidden"},
        {"task": "add"}, {"keyframes": (0,)},
    ],
)  # fmt: skip
def test_another_sample_is_unknown(filled: Path, change: dict[str, object]) -> None:
    assert cache(filled).read(SAMPLE.model_copy(update=change), EDIT, [PSNR]) == {}


def test_another_edit_version_device_or_package_is_unknown(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache(filled).read(SAMPLE, EDIT.model_copy(update={"video": ref("5")}), [PSNR]) == {}
    assert cache(filled).read(SAMPLE, EDIT, [PSNR.model_copy(update={"version": "next"})]) == {}
    assert cache(filled, "cuda").read(SAMPLE, EDIT, [PSNR]) == {}
    monkeypatch.setattr(score_cache, "package_versions", lambda: {"numpy": "99"})
    assert cache(filled).read(SAMPLE, EDIT, [PSNR]) == {}


def test_weights_decide_their_own_metrics_alone(filled: Path) -> None:
    score = Score(sample_id="one", metric=CLIP.name, value=0.9, status="ok")
    cache(filled).add(SAMPLE, EDIT, [CLIP], [score])
    assert set(cache(filled).read(SAMPLE, EDIT, [PSNR, CLIP])) == {PSNR.name, CLIP.name}
    assert set(cache(filled, weights="b").read(SAMPLE, EDIT, [PSNR, CLIP])) == {PSNR.name}


def test_failures_are_not_kept(tmp_path: Path) -> None:
    failed = Score(sample_id="one", metric="background_psnr", status="failed", reason="no weights")
    cache(tmp_path).add(SAMPLE, EDIT, [PSNR], [failed])
    assert cache(tmp_path).read(SAMPLE, EDIT, [PSNR]) == {}


def test_a_damaged_or_unwritable_cache_is_no_cache(filled: Path, tmp_path: Path) -> None:
    (file,) = filled.rglob("*.json")
    file.write_text(file.read_text()[:-20])
    assert cache(filled).read(SAMPLE, EDIT, [PSNR]) == {}
    file.unlink()
    file.mkdir()
    cache(filled).add(SAMPLE, EDIT, [PSNR], [KNOWN])
    (tmp_path / "file").write_text("")
    cache(tmp_path / "file").add(SAMPLE, EDIT, [PSNR], [KNOWN])
    assert cache(tmp_path / "file").read(SAMPLE, EDIT, [PSNR]) == {}


def test_without_a_folder_nothing_is_kept() -> None:
    cache(None).add(SAMPLE, EDIT, [PSNR], [KNOWN])
    assert cache(None).read(SAMPLE, EDIT, [PSNR]) == {}


def test_the_folder_is_the_users_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVID_BENCH_CACHE", "")
    assert default_folder() is None
    monkeypatch.setenv("VIVID_BENCH_CACHE", "/somewhere")
    assert default_folder() == Path("/somewhere")
    monkeypatch.setenv("VIVID_BENCH_CACHE", "~/scores")
    assert default_folder() == Path.home() / "scores"
    monkeypatch.delenv("VIVID_BENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert default_folder() == Path("/cache/vivid-bench/scores")
    monkeypatch.setenv("XDG_CACHE_HOME", "")  # as good as unset
    assert default_folder() == Path.home() / ".cache" / "vivid-bench" / "scores"
