"""Packing: what goes in, what is left out, and what cannot be packed."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from submitted import N_SAMPLES, Bench, Quiet

from vivid_bench.edits import read_all_edits
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.run import RunOptions, Submission, run_methods
from vivid_bench.submission.pack import Packed, pack
from vivid_bench.submission.runs import Suites
from vivid_bench.suites import load_splits
from vivid_bench.video import read_video, write_preview


def pack_again(bench: Bench, out: Path, card: Path | None = None, **options: object) -> Packed:
    return pack([bench.runs], card or bench.method / "method.toml", out, Suites(str(bench.suite)), **options)  # type: ignore[arg-type]


def card_with(bench: Bench, folder: Path, old: str, new: str) -> Path:
    path = folder / "method.toml"
    text = (bench.method / "method.toml").read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_members(bench: Bench) -> None:
    with zipfile.ZipFile(bench.archive) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
    (run,) = bench.runs.glob("*/*/*/*")
    home = f"records/{run.relative_to(bench.runs).as_posix()}"
    edits = [f"{home}/edits/clip-{i:02d}.mkv" for i in range(N_SAMPLES)]
    records = [f"{home}/{name}" for name in ("edits.jsonl", "run.json", "scores.jsonl")]
    assert sorted(names) == sorted(["manifest.json", "method.toml", *edits, *records])
    assert [entry["path"] for entry in manifest["files"]] == sorted(set(names) - {"manifest.json"})
    (protocol,) = manifest["protocols"]
    record = json.loads((run / "run.json").read_text())
    assert {key: record[key] for key in protocol} == protocol


def test_equal_runs_make_equal_archives(bench: Bench, tmp_path: Path) -> None:
    pack_again(bench, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bench.archive.read_bytes()


def test_other_and_partial_runs_are_left_out(bench: Bench, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(bench.runs, runs)
    (run,) = runs.glob("*/*/*/*")
    shutil.copytree(run, partial := run.with_name("0" * 12))
    record = json.loads((partial / "run.json").read_text())
    for key in ("samples", "source_videos"):
        record[key] = record[key][:3]
    (partial / "run.json").write_text(json.dumps(record))
    shutil.copytree(run, other := run.parent.with_name("other") / run.name)
    record = json.loads((other / "run.json").read_text())
    record["method"]["name"] = "other"
    (other / "run.json").write_text(json.dumps(record))
    packed = pack([runs], bench.method / "method.toml", tmp_path / "a.zip", Suites(str(bench.suite)))
    assert packed.left_out == [f"{partial}: 3 of 12 samples", "1 runs of other methods, controls among them"]
    assert (tmp_path / "a.zip").read_bytes() == bench.archive.read_bytes()


def test_another_version_is_left_out_and_so_nothing_is_there(bench: Bench, tmp_path: Path) -> None:
    card = card_with(bench, tmp_path, 'version = "1"', 'version = "2"')
    with pytest.raises(InputReportError, match=r"of version 1 or parameters that method\.toml does not name"):
        pack_again(bench, tmp_path / "a.zip", card)
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "Apache-2.0"', "", "licence: Field required"),
        ("[submission]", "[parameters2]", "submission: Field required"),
        ('hardware = "1 CPU core"', "", "submission.hardware: Field required"),
        ("seconds_per_clip = 0.03", "seconds_per_clip = 0", "submission.seconds_per_clip: Input should be greater"),
        ('kind = "method"', 'kind = "control"', 'kind is "control", which ships'),
        ('authors = ["The vivid-bench authors"]', "authors = []", "submission.authors: Tuple should have at least 1"),
    ],
)
def test_method_file_that_says_too_little(bench: Bench, tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match="the method's card with a table") as caught:
        pack_again(bench, tmp_path / "a.zip", card_with(bench, tmp_path, old, new))
    assert said in str(caught.value)


def test_edit_that_changed_after_it_was_recorded(bench: Bench, tmp_path: Path) -> None:
    shutil.copytree(bench.runs, tmp_path / "runs")
    (video,) = (tmp_path / "runs").glob("*/*/*/*/edits/clip-00.mkv")
    content = bytearray(video.read_bytes())
    content[-1000] ^= 1
    video.write_bytes(content)
    with pytest.raises(InputReportError, match=r"clip-00\.mkv: expected sha256 .* \(edits\.jsonl\), found another"):
        pack([tmp_path / "runs"], bench.method / "method.toml", tmp_path / "a.zip", Suites(str(bench.suite)))
    assert not (tmp_path / "a.zip").exists()


def test_recipe_in_place_of_edits(bench: Bench, tmp_path: Path) -> None:
    packed = pack_again(bench, tmp_path / "recipe.zip", recipe=True)
    assert packed.n_files == 5  # method.toml, manifest.json, three of the run
    report = bench.check(tmp_path / "recipe.zip")
    assert (report.problems, report.badge, report.checked) == ([], "self-reported", {})
    adapter = f"{bench.method / 'method.py'}:BlurFill"
    assert bench.check(tmp_path / "recipe.zip", every=False, rerun=adapter).badge == "re-run"
    with zipfile.ZipFile(tmp_path / "recipe.zip") as archive:
        (recipe,) = json.loads(archive.read("manifest.json"))["recipes"]
    assert recipe["command"] == (
        "vivid-bench run --method method.py:BlurFill --suite tiny --task delete --seed 0 --composite none"
    )
    assert recipe["parameters"] == {"sigma": 6.0}
    assert len(recipe["code_sha256"]) == 64


def test_recipe_that_nobody_can_follow(bench: Bench, tmp_path: Path) -> None:
    card = card_with(bench, tmp_path, 'code = "https://example.org/blur-fill"', "")
    with pytest.raises(InputError, match=r"expected code in \[submission\]"):
        pack_again(bench, tmp_path / "a.zip", card, recipe=True)


@pytest.fixture
def finished(bench: Bench, tmp_path: Path) -> tuple[Path, Path, Path]:
    """The method's edits as finished lossy videos: their folder, the runs, and a card."""
    videos, runs = tmp_path / "videos", tmp_path / "finished"
    for path in bench.runs.glob("*/*/*/*/edits/*.mkv"):
        video = read_video(path)
        write_preview(videos / f"{path.stem}.mp4", video.frames, video.fps)
    splits = load_splits(str(bench.suite), ("delete",))
    submission = Submission("blur-fill", videos, read_all_edits(videos, splits).clips)
    run_methods([], splits, RunOptions(runs), Quiet(), submission=submission)
    card = card_with(bench, tmp_path, 'kind = "method"', 'kind = "submission"')
    return videos, runs, card


def test_finished_videos(bench: Bench, tmp_path: Path, finished: tuple[Path, Path, Path]) -> None:
    videos, runs, card = finished
    packed = pack([runs], card, tmp_path / "a.zip", Suites(str(bench.suite)), edits=videos)
    assert packed.lossy == {"h264 yuv420p"}
    report = bench.check(tmp_path / "a.zip")
    assert (report.problems, report.badge) == ([], "re-scored")
    assert any("edits that are not lossless: h264 yuv420p" in warning for warning in report.warnings)


def test_finished_videos_need_their_folder(bench: Bench, tmp_path: Path, finished: tuple[Path, Path, Path]) -> None:
    _, runs, card = finished
    suites = Suites(str(bench.suite))
    with pytest.raises(Exception, match="say where they lie with --edits DIR"):
        pack([runs], card, tmp_path / "a.zip", suites)
    with pytest.raises(InputError, match="expected runs of an adapter, found finished videos"):
        pack([runs], card, tmp_path / "a.zip", suites, recipe=True)
