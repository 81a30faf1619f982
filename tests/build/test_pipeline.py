from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from vivid_bench.build import input_stages, pipeline, suite_writer
from vivid_bench.build.pipeline import Built, build_suite
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.work import STAGES
from vivid_bench.errors import InputError, RunLockedError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.masks import dilate
from vivid_bench.scenes import render_sample
from vivid_bench.suites import load_splits
from vivid_bench.types import Mask, Task
from vivid_bench.video import write_lossless

SIZE = {"frames": 9, "height": 96, "width": 128}


class Quiet:
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        yield self.done.append


def settings(*tasks: Task, **options: object) -> BuildSettings:
    values = {"name": "own", "tasks": tasks or ("delete",), "frames": 9, "side": 96, **options}
    return BuildSettings.model_validate(values)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders with given masks and a caption, and one plain video with a caption beside it."""
    folder = tmp_path_factory.mktemp("footage")
    for seed in (1, 2):
        scene = render_sample("add", seed, fold="validation", mask_kind="original", **SIZE)
        place = folder / f"scene {seed}"
        write_lossless(place / "source.mkv", scene.reference, 8.0)
        assert scene.entity_mask is not None
        write_lossless(place / "mask.mkv", scene.entity_mask.astype(np.uint8) * np.uint8(255), 8.0)
        (place / "caption.txt").write_text(scene.prompt)
    plain = render_sample("add", 3, fold="validation", **SIZE)
    write_lossless(folder / "plain.mkv", plain.reference, 8.0)
    (folder / "plain.txt").write_text(plain.prompt)
    return folder


def build(videos: Path, out: Path, asked: BuildSettings | None = None, **options: object) -> Built:
    return build_suite(videos, out, asked or settings(), Quiet(), **options)  # type: ignore[arg-type]


def suite_files(out: Path) -> dict[str, str]:
    """Return the hash of every file but those of the stages."""
    files = (p for p in out.rglob("*") if p.is_file() and "work" not in p.relative_to(out).parts)
    return {p.relative_to(out).as_posix(): sha256_path(p) for p in files}


@pytest.fixture(scope="session")
def all_tasks(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "own"
    build(footage, out, settings("add", "modify", "delete"))
    return out


def test_the_suite_is_one_like_any_other(all_tasks: Path) -> None:
    splits = {loaded.split.task: loaded for loaded in load_splits(str(all_tasks), ("add", "modify", "delete"))}
    assert set(splits) == {"add", "modify", "delete"}
    assert len(splits["delete"].split.samples) >= 2
    for loaded in splits.values():
        for sample in loaded.split.samples:
            arrays = loaded.read(sample)
            assert arrays.reference is arrays.source
            assert sample.hole == "hidden"
            assert arrays.mask.any(axis=(1, 2)).all()
    assert {s.source_video for s in splits["add"].split.samples} >= {"scene 1/source.mkv", "scene 2/source.mkv"}


def test_the_users_masks_and_captions_become_samples(all_tasks: Path) -> None:
    (loaded,) = load_splits(str(all_tasks), ("add",))
    scene = render_sample("add", 1, fold="validation", mask_kind="original", **SIZE)
    (sample,) = [s for s in loaded.split.samples if s.source_video.startswith("scene 1")]
    assert sample.prompt == scene.prompt
    arrays = loaded.read(sample)
    assert np.array_equal(arrays.source, scene.reference)
    assert scene.entity_mask is not None
    assert arrays.mask[scene.entity_mask].all()


def test_no_pasted_mask_touches_an_entity(all_tasks: Path) -> None:
    (loaded,) = load_splits(str(all_tasks), ("delete",))
    checked = 0
    for sample in loaded.split.samples:
        if sample.source_video.startswith("scene"):
            seed = int(sample.source_video.split("/")[0].split()[1])
            entity = render_sample("add", seed, fold="validation", mask_kind="original", **SIZE).entity_mask
            assert entity is not None
            assert not (loaded.read(sample).mask & dilate(entity, 2)).any()  # 8 px at 480 lines
            checked += 1
    assert checked


def test_the_card_says_what_is_in_it(all_tasks: Path) -> None:
    card = json.loads((all_tasks / "card" / "card.json").read_text())
    assert card["counts"]["clips"] == 3
    assert sum(card["counts"]["samples"].values()) == len(card["samples"])
    assert len(card["inputs"]) == 5
    text = (all_tasks / "card" / "README.md").read_text()
    assert "3 clips of 9 frames from 3 videos" in text
    for picture in ("distributions", "add", "modify", "delete"):
        assert f"({picture}.png)" in text
        assert (all_tasks / "card" / f"{picture}.png").is_file()


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(
    footage: Path, tmp_path: Path, all_tasks: Path
) -> None:
    again = tmp_path / "own"
    build(footage, again, settings("add", "modify", "delete"), workers=2)
    assert suite_files(again) == suite_files(all_tasks)


def test_another_seed_gives_other_masks(footage: Path, tmp_path: Path, all_tasks: Path) -> None:
    build(footage, tmp_path / "own", settings("add", "modify", "delete", seed=1))
    assert (tmp_path / "own" / "delete.jsonl").read_text() != (all_tasks / "delete.jsonl").read_text()


def test_what_is_done_is_not_done_again(
    footage: Path, tmp_path: Path, all_tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "own"
    shutil.copytree(all_tasks, out)
    monkeypatch.setattr(input_stages, "cut_clips", None)
    monkeypatch.setattr(input_stages, "entity_samples", lambda *_: iter(()))
    built = build(footage, out, settings("add", "modify", "delete"))
    assert built.timing.seconds == {}
    assert suite_files(out) == suite_files(all_tasks)


@pytest.mark.parametrize("at", ["write_suite", "stage"])
def test_a_stopped_build_goes_on_to_the_same_bytes(
    footage: Path, tmp_path: Path, all_tasks: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    out = tmp_path / "own"
    asked = settings("add", "modify", "delete")
    with monkeypatch.context() as patch:
        if at == "write_suite":
            patch.setattr(suite_writer, "_header", lambda _: 1 / 0)
        else:
            patch.setattr(input_stages, "stamps_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(footage, out, asked)
    assert not (out / "suite.toml").exists()
    build(footage, out, asked)
    assert suite_files(out) == suite_files(all_tasks)


@pytest.mark.parametrize("until", STAGES[:-1])
def test_it_stops_after_the_stage_asked_for(footage: Path, tmp_path: Path, until: str) -> None:
    build(footage, tmp_path / "own", until=until)
    there = {path.name for path in (tmp_path / "own" / "work").iterdir() if path.is_dir()}
    assert there == set(STAGES[: STAGES.index(until) + 1])
    assert not (tmp_path / "own" / "suite.toml").exists()


def test_a_broken_video_costs_only_itself(footage: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    shutil.copytree(footage, videos)
    whole = (videos / "plain.mkv").read_bytes()
    (videos / "cut “off”.mkv").write_bytes(whole[: len(whole) // 2])
    (videos / "empty.mp4").write_bytes(b"")
    built = build(videos, tmp_path / "own")
    assert built.n_samples >= 2
    assert {(r.name.split(",")[0], r.reason) for r in built.rejects} >= {
        ("cut “off”.mkv", "cannot be read"),
        ("empty.mp4", "cannot be read"),
    }
    text = (tmp_path / "own" / "card" / "README.md").read_text()
    assert "cannot be read" in text


def test_what_cannot_even_be_opened_costs_only_itself(footage: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    shutil.copytree(footage, videos)
    (videos / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    built = build(videos, tmp_path / "own")
    assert built.n_samples >= 2
    assert [(r.name, r.reason) for r in built.rejects] == [("gone.mp4", "cannot be read")]
    assert built.rejects[0].detail.startswith("expected a readable file, found No such file")


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    scene = render_sample("add", 5, fold="validation", **SIZE)
    write_lossless(tmp_path / "a.mkv", scene.reference, 8.0)
    videos = tmp_path / "videos"
    videos.mkdir()
    odd = os.fsdecode(b"\xe9t\xe9.mkv")
    (tmp_path / "a.mkv").rename(videos / odd)
    (videos / os.fsdecode(b"\xff.mkv")).write_bytes(b"no video")
    (videos / odd).with_suffix(".txt").write_text("a square")
    build(videos, tmp_path / "own", settings("add", "delete"))
    card = json.loads((tmp_path / "own" / "card" / "card.json").read_text(encoding="utf-8"))
    assert list(card["inputs"]) == [r"\xe9t\xe9.mkv", r"\xff.mkv"]
    assert {sample["video"] for sample in card["samples"]} == {r"\xe9t\xe9.mkv"}


def test_the_folder_of_videos_decides_nothing(footage: Path, tmp_path: Path) -> None:
    for place in ("here", "elsewhere/there"):
        videos = tmp_path / place / "videos"
        shutil.copytree(footage, videos)
        (videos / "broken.mp4").write_bytes(b"no video")
        build(videos, tmp_path / place / "own")
    assert suite_files(tmp_path / "here" / "own") == suite_files(tmp_path / "elsewhere" / "there" / "own")


def test_a_build_among_its_videos_does_not_build_from_itself(footage: Path, tmp_path: Path, all_tasks: Path) -> None:
    videos = tmp_path / "videos"
    shutil.copytree(footage, videos)
    for _ in range(2):
        build(videos, videos / "own", settings("add", "modify", "delete"))
        assert suite_files(videos / "own") == suite_files(all_tasks)


def test_a_removed_work_folder_and_damaged_files_are_made_again(footage: Path, tmp_path: Path, all_tasks: Path) -> None:
    out, asked = tmp_path / "own", settings("add", "modify", "delete")
    shutil.copytree(all_tasks, out)
    shutil.rmtree(out / "work")
    build(footage, out, asked)
    assert suite_files(out) == suite_files(all_tasks)
    for file in sorted((out / "clips").rglob("*.mkv"))[::2]:
        with file.open("r+b") as stream:  # in place: a clip is one file with the one in `work`
            stream.seek(600)
            stream.write(b"damage")
    next((out / "work" / "tracks").rglob("*.mkv")).unlink()
    build(footage, out, asked)
    assert suite_files(out) == suite_files(all_tasks)


@pytest.mark.parametrize("stopped", ["entity_samples", "find_entities"])
def test_a_build_that_was_stopped_in_others_settings_goes_on(
    footage: Path, tmp_path: Path, all_tasks: Path, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    out, asked = tmp_path / "own", settings("add", "modify", "delete")
    shutil.copytree(all_tasks, out)
    make = getattr(input_stages, stopped)

    def stop(*arguments: object) -> object:
        list(made) if isinstance(made := make(*arguments), Iterator) else None
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(input_stages, stopped, stop)
        with pytest.raises(KeyboardInterrupt):
            build(footage, out, settings("add", "modify", "delete", frames=7, seed=9))
    build(footage, out, asked)
    assert suite_files(out) == suite_files(all_tasks)


def test_what_the_videos_no_longer_give_is_gone(footage: Path, tmp_path: Path, all_tasks: Path) -> None:
    videos, out = tmp_path / "videos", tmp_path / "own"
    shutil.copytree(footage, videos)
    shutil.copytree(all_tasks, out)
    shutil.rmtree(videos / "scene 1")
    (videos / "plain.mkv").rename(videos / "renamed.mkv")
    build(videos, out)
    (loaded,) = load_splits(str(out), ("add", "modify", "delete"))
    assert {s.source_video for s in loaded.split.samples} <= {"renamed.mkv", "scene 2/source.mkv"}
    assert {path.name for path in (out / "card").iterdir()} == {
        "README.md", "card.json", "delete.png", "distributions.png"
    }  # fmt: skip
    assert not list((out / "clips").glob("scene-1*"))


def test_a_video_that_takes_anothers_name(footage: Path, tmp_path: Path) -> None:
    videos, out = tmp_path / "videos", tmp_path / "own"
    shutil.copytree(footage / "scene 1", videos / "scene 1")
    build(videos, out, settings("add"))
    (videos / "scene 1").rename(videos / "scene-1")
    build(videos, out, settings("add"))
    (loaded,) = load_splits(str(out), ("add",))
    assert {s.source_video for s in loaded.split.samples} == {"scene-1/source.mkv"}


def test_changed_settings_make_only_what_they_decide(footage: Path, tmp_path: Path, all_tasks: Path) -> None:
    out = tmp_path / "own"
    shutil.copytree(all_tasks, out)
    built = build(footage, out, settings("add", "modify", "delete", seed=5))
    assert set(built.timing.seconds) == {"samples: entities", "samples: delete"}


def test_a_full_disk_is_named(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(input_stages, "write_lossless", full)
    with pytest.raises((InputError, OSError), match=r"disk|space"):
        build(footage, tmp_path / "own")
    assert not (tmp_path / "own" / "suite.toml").exists()


def test_a_folder_of_other_things_is_left_alone(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="expected a new folder, or one of an earlier build"):
        build(footage, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("inside", ["work/raw.mkv", "clips/raw.mkv", "raw.mkv"])
def test_folders_of_the_users_own_are_left_alone(footage: Path, tmp_path: Path, inside: str) -> None:
    """Some people have folders called `work` and `clips`."""
    (tmp_path / "work").mkdir()
    (tmp_path / inside).parent.mkdir(exist_ok=True)
    shutil.copy(footage / "plain.mkv", tmp_path / inside)
    with pytest.raises(InputError, match="expected a new folder, or one of an earlier build"):
        build(footage, tmp_path)
    with pytest.raises(InputError, match="expected a folder without the videos in it"):
        build(tmp_path, tmp_path)
    with pytest.raises(InputError, match="expected a folder without the videos in it"):
        build((tmp_path / inside).parent, tmp_path)
    assert (tmp_path / inside).is_file()


def test_a_folder_that_became_read_only_is_named(
    footage: Path, tmp_path: Path, all_tasks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(pipeline.FileLock, "acquire", refuse)
    with pytest.raises(InputError, match="expected a writable folder, found a read-only file system"):
        build(footage, all_tasks)


def test_two_builds_do_not_share_a_folder(footage: Path, tmp_path: Path) -> None:
    (tmp_path / "own" / "work").mkdir(parents=True)
    with FileLock(tmp_path / "own" / "work" / ".lock"), pytest.raises(RunLockedError, match="another build"):
        build(footage, tmp_path / "own")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"selector": "grounding-dino"}, "needs to know what to look for"),
        ({"tags": ("dog",)}, "--tags go with --entities grounding-dino"),
        ({"motion": "raft"}, "--motion raft needs --raft FILE"),
        ({"detail": "long"}, "--detail goes with --captions vlm"),
        ({"models": {"raft": "none.pth"}}, "--raft goes with --motion raft"),
        ({"models": {"captioner": "a/b"}}, "--captioner goes with --captions vlm"),
    ],
)
def test_settings_that_do_not_go_together(footage: Path, tmp_path: Path, options: dict[str, object], text: str) -> None:
    with pytest.raises(VividBenchError, match=text):
        build(footage, tmp_path / "own", settings(**options))
    assert not (tmp_path / "own").exists()


def test_a_clips_pasted_masks_keep_away_from_each_other(footage: Path, tmp_path: Path) -> None:
    build(footage, tmp_path / "own", settings("delete", masks_per_clip=2))
    (loaded,) = load_splits(str(tmp_path / "own"), ("delete",))
    by_video: dict[str, list[Mask]] = {}
    for sample in loaded.split.samples:
        by_video.setdefault(sample.source_video, []).append(loaded.read(sample).mask)
    pairs = [masks for masks in by_video.values() if len(masks) == 2]
    assert pairs
    for first, second in pairs:
        assert not (dilate(first, 2) & second).any()
