"""Every command, as a user types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import Command, DataFolder, moving_clip

from vivid_bench.files import sha256_path
from vivid_bench.suites import load_splits
from vivid_bench.video import read_video, write_lossless, write_preview

Adapter = Callable[[str, str], str]
HEAVY = ("torch", "numpy", "cv2", "av", "pydantic", "pandas", "diffusers", "rich.progress")


def test_help_imports_nothing_heavy(vivid_bench: Command) -> None:
    code = f"import sys, vivid_bench.cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    text = vivid_bench("--help").stdout
    for command in ("run", "generate", "score", "list", "check", "doctor", "leaderboard", "train", "init", "edit"):
        assert command in text


def test_version(vivid_bench: Command) -> None:
    assert vivid_bench("--version").stdout.startswith("vivid-bench 0.")


@pytest.mark.parametrize("kind", ["methods", "metrics", "suites", "tasks"])
def test_list(vivid_bench: Command, kind: str) -> None:
    names = [row["name"] for row in json.loads(vivid_bench("list", kind, "--json").stdout)]
    table = vivid_bench("list", kind).stdout
    assert len(names) >= 2
    for name in names:
        assert name in table


def test_doctor(vivid_bench: Command) -> None:
    rows = {row["what"]: row for row in json.loads(vivid_bench("doctor", "--json").stdout)}
    assert {"python", "torch", "device", "decoder", "weights of vivid"} <= set(rows)
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert "weights of vivid" in vivid_bench("doctor").stdout


def test_run_prints_records_and_controls(vivid_bench: Command, tmp_path: Path) -> None:
    arguments = ("run", "--method", "telea", "--task", "delete", "--limit", "2", "--device", "cpu", "--out", "mine")
    (table,) = json.loads(vivid_bench(*arguments, "--json").stdout)
    names = [row["method"] for row in table["rows"]]
    assert names[0] == "telea"
    assert set(names[1:]) == {"copy-source", "grey-fill", "frozen-frame", "codec-roundtrip"}
    telea = table["rows"][0]
    assert telea["composite"] == "none"
    assert telea["summaries"]["edit_psnr"]["n_scored"] == 2
    folder = tmp_path / "work" / "mine" / "mini" / "delete" / "telea" / telea["run_key"]
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "complete"
    assert set(record["summaries"]["edit_psnr"]) >= {"mean", "ci_low", "ci_high", "n_scored", "n_expected"}
    lines = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert all({"sample_id", "metric", "value", "status"} <= set(line) for line in lines)
    assert len(list((folder / "edits").glob("*.mkv"))) == len(list((folder / "previews").glob("*.mp4"))) == 2

    before = (folder / "scores.jsonl").read_bytes()
    again = vivid_bench(*arguments)
    assert "telea, delete: finished before" in again.stderr
    assert "nothing to do" in again.stderr
    for word in ("telea", "controls", "copy-source", "edit psnr ↑", "none", "2/2"):
        assert word in again.stdout
    assert "finished before" not in vivid_bench(*arguments, "--overwrite").stderr
    assert (folder / "scores.jsonl").read_bytes() == before


def test_composite_makes_another_run_with_an_exact_background(vivid_bench: Command, adapter: Adapter) -> None:
    target = adapter("Invert", "return 255 - request.frames")
    arguments = ("run", "--method", target, "--task", "delete", "--limit", "1", "--device", "cpu", "--json")
    rows = {}
    for mode in ("none", "hard", "feather"):
        (table,) = json.loads(vivid_bench(*arguments, "--composite", mode).stdout)
        rows[mode] = next(row for row in table["rows"] if row["method"] == "invert")
    assert len({row["run_key"] for row in rows.values()}) == 3
    psnr = {mode: row["summaries"]["background_psnr"]["mean"] for mode, row in rows.items()}
    assert psnr["none"] < psnr["feather"] < psnr["hard"] == 100.0


def test_generate_then_score_equals_run(vivid_bench: Command, data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    data = ("--suite", "folder", "--data", str(data_folder.path))
    common = ("--method", "temporal-median", "--task", "delete", "--device", "cpu", *data)
    (made,) = json.loads(vivid_bench("generate", *common, "--out", "halves", "--json").stdout)
    assert (made["n_edited"], made["n_failed"]) == (1, 0)
    run = tmp_path / "work" / made["run"]
    assert not (run / "scores.jsonl").exists()
    (table,) = json.loads(vivid_bench("score", made["run"], *data, "--json").stdout)
    assert [row["method"] for row in table["rows"]] == ["temporal-median"]
    vivid_bench("run", *common, "--out", "whole")
    whole = tmp_path / "work" / "whole" / run.relative_to(tmp_path / "work" / "halves")
    assert (whole / "scores.jsonl").read_bytes() == (run / "scores.jsonl").read_bytes()


def test_score_edits(vivid_bench: Command, data_folder: DataFolder, tmp_path: Path) -> None:
    for name in "ab":
        data_folder.add(name)
    data = ("--suite", "folder", "--data", str(data_folder.path), "--task", "delete")
    edits = tmp_path / "edits"
    write_lossless(edits / "a.mkv", read_video(data_folder.path / "a" / "reference.mkv").frames, 24.0)
    write_preview(edits / "b" / "edited.mp4", moving_clip(), 24.0)
    (table,) = json.loads(vivid_bench("score", "--edits", edits, "--name", "theirs", *data, "--json").stdout)
    theirs = next(row for row in table["rows"] if row["method"] == "theirs")
    assert theirs["kind"] == "submission"
    assert theirs["summaries"]["edit_psnr"]["n_exact"] == 1
    assert {"copy-source", "grey-fill"} <= {row["method"] for row in table["rows"]}
    (edits / "a.mkv").rename(edits / "aa.mkv")
    done = vivid_bench("score", "--edits", edits, "--name", "theirs", *data, expect=2)
    assert 'found nothing of that name, but "aa"; add or rename it' in done.stderr
    done = vivid_bench("check", "--edits", edits, "--data", data_folder.path, "--task", "delete", expect=1)
    assert "1 samples fit, 1 problems" in done.stdout


def by_method(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The only table that a command printed as JSON, and its rows by method."""
    (table,) = json.loads(done.stdout)
    return table, {row["method"]: row for row in table["rows"]}


def test_run_with_keyframes(vivid_bench: Command, data_folder: DataFolder, adapter: Adapter, tmp_path: Path) -> None:
    data_folder.add("a")
    data_folder.add("b", seed=1)
    data = ("--suite", "folder", "--data", str(data_folder.path), "--task", "delete")
    paste = "keyframes = True\n\n    def edit(self, request):\n        out = request.frames.copy()"
    paste += "\n        for k, frame in request.keyframes.items():\n            out[k] = frame\n        return out"
    target = adapter("Paste", f"pass\n\n    {paste}")
    arguments = ("run", "--method", f"{target},telea", *data, "--device", "cpu")
    plain, _ = by_method(vivid_bench(*arguments, "--json"))
    table, rows = by_method(vivid_bench(*arguments, "--keyframes", "0,2", "--json"))
    assert (plain["keyframes"], table["keyframes"]) == (None, [0, 2])
    assert plain["split_sha256"] != table["split_sha256"]
    assert "moved-keyframe" not in {row["method"] for row in plain["rows"]}
    given = {name: row["keyframes_given"] for name, row in rows.items() if name in ("paste", "telea", "moved-keyframe")}
    assert given == {"paste": True, "telea": False, "moved-keyframe": True}
    record = json.loads(
        (tmp_path / "work/runs/folder/delete/telea" / rows["telea"]["run_key"] / "run.json").read_text()
    )
    assert (record["keyframes"], record["keyframes_given"]) == ([0, 2], False)
    # What it pasted at keyframes does not count: it is a copy of the source in all else.
    for metric in ("edit_psnr", "edit_mse", "boundary_ssim"):
        assert rows["paste"]["summaries"][metric] == rows["copy-source"]["summaries"][metric]
    shown = vivid_bench(*arguments, "--keyframes", "2, 0").stdout
    assert "composite none, keyframes 0, 2, ranked by" in shown
    assert "keyframe: whether the method was given the reference" in shown
    both = json.loads(vivid_bench("leaderboard", "--records", "runs", "--json").stdout)
    assert [t["keyframes"] for t in both] == [None, [0, 2]]


def test_generate_with_keyframes_then_score(vivid_bench: Command, data_folder: DataFolder) -> None:
    data_folder.add("a")
    data = ("--suite", "folder", "--data", str(data_folder.path))
    common = ("--method", "moved-keyframe", "--task", "delete", "--device", "cpu", *data)
    (made,) = json.loads(vivid_bench("generate", *common, "--keyframes", "0", "--json").stdout)
    assert (made["n_edited"], made["n_failed"]) == (1, 0)
    assert "made with keyframes 0; leave --keyframes out" in vivid_bench(
        "score", made["run"], *data, "--keyframes", "1", expect=2
    ).stderr  # fmt: skip
    table, _ = by_method(vivid_bench("score", made["run"], *data, "--json"))
    assert table["keyframes"] == [0]
    assert by_method(vivid_bench("score", made["run"], *data, "--keyframes", "0", "--json"))[0] == table


def test_scoring_runs_of_a_suite_that_pins_its_keyframes(
    vivid_bench: Command, data_folder: DataFolder, tmp_path: Path
) -> None:
    for name in "ab":
        data_folder.add(name)
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    samples = [s.model_copy(update={"keyframes": (i,)}) for i, s in enumerate(loaded.split.samples)]
    listing = data_folder.path / "delete.jsonl"
    listing.write_text("".join(s.model_dump_json() + "\n" for s in samples))
    (data_folder.path / "suite.toml").write_text(
        'name = "own"\nversion = "1"\n[tasks.delete]\nsamples = "delete.jsonl"\n'
        f'sha256 = "{sha256_path(listing)}"\nmain_metric = "edit_psnr"\n'
    )
    own = ("--suite", str(data_folder.path))
    make = ("generate", "--method", "moved-keyframe", "--task", "delete", *own, "--device", "cpu", "--json")
    for limit, keyframes in ((("--limit", "1"), [0]), ((), "by sample")):
        (made,) = json.loads(vivid_bench(*make, *limit).stdout)
        assert made["n_failed"] == 0
        table, _ = by_method(vivid_bench("score", made["run"], *own, "--json"))
        assert table["keyframes"] == keyframes


def test_score_edits_with_keyframes(vivid_bench: Command, data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    data = ("--suite", "folder", "--data", str(data_folder.path), "--task", "delete")
    frames = read_video(data_folder.path / "a" / "reference.mkv").frames
    frames[1] = 0
    write_lossless(tmp_path / "edits" / "a.mkv", frames, 24.0)
    arguments = ("score", "--edits", tmp_path / "edits", "--name", "theirs", *data)
    _, rows = by_method(vivid_bench(*arguments, "--keyframes", "1", "--json"))
    assert rows["theirs"]["keyframes_given"] is None
    assert rows["theirs"]["summaries"]["edit_psnr"]["n_exact"] == 1
    assert "moved-keyframe" in rows
    assert "?: finished videos, whose makers may have used them" in vivid_bench(*arguments, "--keyframes", "1").stdout
    _, rows = by_method(vivid_bench(*arguments, "--json"))
    assert rows["theirs"]["summaries"]["edit_psnr"]["n_exact"] == 0
    write_lossless(tmp_path / "edits" / "a.mkv", frames[1:], 24.0)
    assert "expected 5 frames" in vivid_bench(*arguments, "--keyframes", "0", expect=2).stderr


def test_check_with_keyframes(vivid_bench: Command, data_folder: DataFolder) -> None:
    data_folder.add("a")
    data_folder.add("b", with_reference=False)
    arguments = ("check", "--data", data_folder.path, "--task", "delete")
    assert "2 samples fit, 0 problems" in vivid_bench(*arguments).stdout
    done = vivid_bench(*arguments, "--keyframes", "0", expect=1)
    assert "1 samples fit, 1 problems" in done.stdout
    assert "expected a reference, whose frames are the keyframes, found none for sample b" in done.stderr
    assert "72 samples fit" in vivid_bench("check", "--suite", "mini", "--keyframes", "0,16").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "method moved-keyframe needs keyframes: pass --keyframes 0, or other frame indices"),
        (("--keyframes", "first"), '--keyframes "first": expected frame indices from 0 up'),
        (("--keyframes", "17"), "expected keyframes below 17, the frames of sample add-000, found 17"),
    ],
)
def test_keyframes_that_cannot_be(vivid_bench: Command, arguments: tuple[str, ...], words: str) -> None:
    done = vivid_bench("run", "--method", "moved-keyframe", "--task", "add", *arguments, expect=2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_long_track_has_an_edit_psnr_for_every_frame(vivid_bench: Command, tmp_path: Path) -> None:
    arguments = ("run", "--method", "telea", "--task", "delete", "--suite", "mini-long", "--limit", "1")
    vivid_bench(*arguments, "--device", "cpu", "--keyframes", "0")
    (path,) = (tmp_path / "work" / "runs" / "mini-long" / "delete" / "telea").glob("*/scores.jsonl")
    scores = [json.loads(line) for line in path.read_text().splitlines()]
    (psnr,) = (score for score in scores if score["metric"] == "edit_psnr")
    assert psnr["per_frame"][0] is None
    assert len(psnr["per_frame"]) == 97
    assert all(value > 0 for value in psnr["per_frame"][1:])


def test_scoring_runs_refuses_what_belongs_to_edits(vivid_bench: Command) -> None:
    done = vivid_bench("score", "runs", "--limit", "1", "--task", "all", "--name", "x", expect=2)
    assert "--name, --task, --limit go with --edits: a run folder knows its own" in done.stderr
    assert "--out goes with --edits" in vivid_bench("score", "runs", "--out", "x", expect=2).stderr


def two_generated_runs(
    vivid_bench: Command, data_folder: DataFolder, tmp_path: Path
) -> tuple[tuple[str, ...], list[Path]]:
    """Generate telea's and navier-stokes' edits of one clip; returns the suite's options and the run folders."""
    data_folder.add("a")
    data = ("--suite", "folder", "--data", str(data_folder.path))
    done = vivid_bench("generate", "--method", "telea,navier-stokes", "--task", "delete", *data, "--json")
    return data, [tmp_path / "work" / run["run"] for run in json.loads(done.stdout)]


def test_an_unreadable_record_does_not_stop_the_others(
    vivid_bench: Command, data_folder: DataFolder, tmp_path: Path
) -> None:
    data, made = two_generated_runs(vivid_bench, data_folder, tmp_path)
    broken, good = made
    (broken / "run.json").write_text("{")
    done = vivid_bench("score", "runs", *data, expect=1)
    assert f"left out: {broken.relative_to(tmp_path / 'work')}/run.json: no record of schema version 1" in done.stderr
    assert json.loads((good / "run.json").read_text())["status"] == "complete"
    assert "navier-stokes" in done.stdout
    assert "no record of schema version 1" in vivid_bench("score", broken, *data, expect=2).stderr


def test_a_run_that_lost_an_edits_line_does_not_stop_the_others(
    vivid_bench: Command, data_folder: DataFolder, tmp_path: Path
) -> None:
    data, made = two_generated_runs(vivid_bench, data_folder, tmp_path)
    (made[0] / "edits.jsonl").write_text("")
    done = vivid_bench("score", "runs", *data, expect=1)
    assert "edits.jsonl: no line for a; start the same run again" in done.stderr
    assert "navier-stokes" in done.stdout


def test_check_reports_everything(vivid_bench: Command, data_folder: DataFolder) -> None:
    data_folder.add("good")
    (data_folder.add("bad") / "mask.mkv").unlink()
    cut = data_folder.add("cut") / "source.mkv"
    cut.write_bytes(cut.read_bytes()[:700])
    done = vivid_bench("check", "--data", data_folder.path, "--task", "delete", expect=1)
    assert "1 samples fit, 2 problems, 0 warnings" in done.stdout
    assert "bad: expected mask.mp4" in done.stderr
    found = json.loads(vivid_bench("check", "--data", data_folder.path, "--task", "delete", "--json", expect=1).stdout)
    assert (found["n_samples"], len(found["problems"])) == (1, 2)
    assert "say what to check" in vivid_bench("check", expect=2).stderr


def test_leaderboard(vivid_bench: Command) -> None:
    vivid_bench("run", "--method", "telea,navier-stokes", "--task", "delete", "--limit", "1", "--device", "cpu")
    (table,) = json.loads(vivid_bench("leaderboard", "--records", "runs", "--json").stdout)
    means = [row["summaries"]["edit_psnr"]["mean"] for row in table["rows"] if row["ranked"]]
    assert means == sorted(means, reverse=True)
    assert len(means) == 2
    assert "expected run records, found none" in vivid_bench("leaderboard", "--records", "no", expect=2).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "tela", "--task", "delete"), 'unknown method "tela": did you mean "telea"?'),
        (("--method", "telea", "--task", "remove"), 'unknown task "remove"'),
        (("--method", "telea", "--task", "delete", "--suite", "minni"), 'unknown suite "minni": did you mean "mini"?'),
        (("--method", "telea", "--task", "add"), "method telea does delete, not add"),
        (("--method", "telea", "--task", "delete", "--device", "tpu"), 'unknown device "tpu"'),
        (("--method", "telea", "--task", "delete", "--composite", "soft"), 'unknown composite "soft"'),
        (("--method", "telea", "--task", "delete", "--suite", "folder"), "suite folder needs --data DIR"),
        (("--method", "no.py:X", "--task", "delete"), "expected an adapter file, found nothing"),
    ],
)
def test_wrong_words_are_one_message(vivid_bench: Command, arguments: tuple[str, ...], words: str) -> None:
    done = vivid_bench("run", *arguments, expect=2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failing_method_shows_in_table_and_exit_code(vivid_bench: Command, adapter: Adapter) -> None:
    body = "if request.sample_id.endswith('1'):\n            raise ValueError('no')\n        return request.frames"
    target = adapter("Flaky", body)
    done = vivid_bench("run", "--method", target, "--task", "delete", "--limit", "2", "--device", "cpu", expect=1)
    assert "1/2" in done.stdout
    assert "1 clips failed; edits.jsonl says why" in done.stderr


def test_a_method_that_cannot_load_leaves_the_others(vivid_bench: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "class Broken:\n    def __init__(self, device):\n        raise OSError('no GPU')\n"
    )
    target = f"telea,{tmp_path / 'broken.py'}:Broken"
    done = vivid_bench("run", "--method", target, "--task", "delete", "--limit", "1", "--device", "cpu", expect=1)
    assert "method broken cannot be loaded" in done.stderr
    assert "OSError: no GPU" in done.stderr
    assert "telea" in done.stdout


def test_what_a_method_prints_stays_out_of_the_json(vivid_bench: Command, adapter: Adapter) -> None:
    target = adapter("Chatty", "print('noise')\n        return request.frames")
    arguments = ("run", "--method", target, "--task", "delete", "--limit", "1", "--device", "cpu", "--json")
    done = vivid_bench(*arguments)
    assert json.loads(done.stdout)[0]["rows"][0]["method"] == "chatty"
    assert "noise" in done.stderr


def test_figures_are_whole_without_a_terminal(vivid_bench: Command) -> None:
    arguments = ("run", "--method", "telea", "--task", "delete", "--limit", "1", "--device", "cpu")
    (table,) = json.loads(vivid_bench(*arguments, "--json").stdout)
    line = next(x for x in vivid_bench(*arguments, columns="80").stdout.splitlines() if "telea" in x)
    assert f"{table['rows'][0]['summaries']['edit_psnr']['mean']:.2f}" in line
    assert "…" not in line


@pytest.mark.parametrize("name", ["../evil", "a/b", "."])
def test_a_name_cannot_leave_the_output_folder(vivid_bench: Command, data_folder: DataFolder, name: str) -> None:
    data_folder.add("a")
    edits = data_folder.path.parent / "edits"
    write_lossless(edits / "a.mkv", moving_clip(), 24.0)
    data = ("--suite", "folder", "--data", data_folder.path, "--task", "delete")
    done = vivid_bench("score", "--edits", edits, "--name", name, *data, expect=2)
    assert "use letters, digits" in done.stderr


def test_check_verifies_a_suite(vivid_bench: Command) -> None:
    assert "72 samples fit, 0 problems" in vivid_bench("check", "--suite", "mini").stdout


def test_leaderboard_leaves_out_what_it_cannot_believe(vivid_bench: Command, tmp_path: Path) -> None:
    vivid_bench("run", "--method", "telea", "--task", "delete", "--limit", "1", "--device", "cpu")
    (scores,) = (tmp_path / "work" / "runs" / "mini" / "delete" / "telea").glob("*/scores.jsonl")
    scores.write_text(scores.read_text().replace("0", "1"))
    done = vivid_bench("leaderboard", "--records", "runs", expect=1)
    assert "left out:" in done.stderr
    assert "copy-source" in done.stdout
    assert "telea" not in done.stdout


SLOW = "import time\n        time.sleep(0.25)\n        return 255 - request.frames"


def test_sigkill_at_any_moment_loses_at_most_two_clips(
    vivid_bench: Command, adapter: Adapter, tmp_path: Path, data_folder: DataFolder
) -> None:
    for index in range(4):
        data_folder.add(f"clip{index}", seed=index)
    log = tmp_path / "log"
    body = f"with open({str(log)!r}, 'a') as log:\n            log.write(request.sample_id + '\\n')\n        {SLOW}"
    arguments = ["run", "--method", adapter("Slow", body), "--task", "delete", "--suite", "folder"]
    arguments += ["--data", str(data_folder.path), "--device", "cpu"]
    vivid_bench(*arguments, "--out", "unbroken")
    log.unlink()
    broken = [sys.executable, "-m", "vivid_bench", *arguments, "--out", "broken"]
    for started in (2, 4):
        process = subprocess.Popen(broken, cwd=tmp_path / "work", stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (log.exists() and len(log.read_text().split()) >= started) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    vivid_bench(*arguments, "--out", "broken")
    made = log.read_text().split()
    assert set(made) == {f"clip{i}" for i in range(4)}
    # Each kill costs at most the clip under way and the one being written.
    assert len(made) <= 4 + 4
    files = sorted((tmp_path / "work" / "unbroken").rglob("scores.jsonl"))
    assert len(files) == 5
    for path in files:
        other = tmp_path / "work" / "broken" / path.relative_to(tmp_path / "work" / "unbroken")
        assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on(adapter: Adapter, tmp_path: Path, stop: signal.Signals) -> None:
    log = tmp_path / "log"
    target = adapter("Slow", f"open({str(log)!r}, 'w').close()\n        {SLOW}")
    arguments = ["run", "--method", target, "--task", "delete", "--device", "cpu"]
    command = [sys.executable, "-m", "vivid_bench", *arguments]
    # Without a terminal, e.g. under nohup, SIGINT may be ignored, which a process inherits.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=heed) as process:
        deadline = time.monotonic() + 60
        while not log.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    last = "stopped; runs, builds and training go on from there when the same command is given again"
    assert errors.splitlines()[-1] == last
    assert "Traceback" not in errors


def test_two_processes_on_one_run(vivid_bench: Command, adapter: Adapter, tmp_path: Path) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go on"
    wait = f"while not os.path.exists({str(go_on)!r}):\n            time.sleep(0.01)"
    lines = ["import os, time", f"open({str(begun)!r}, 'w').close()", wait, "return 255 - request.frames"]
    body = "\n        ".join(lines)
    arguments = ("generate", "--method", adapter("Slow", body), "--task", "delete", "--limit", "2", "--device", "cpu")
    command = [sys.executable, "-m", "vivid_bench", *arguments]
    with subprocess.Popen(
        command, cwd=tmp_path / "work", stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as first:
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            second = vivid_bench(*arguments, expect=2)
        finally:
            go_on.touch()
        assert "another vivid-bench is at work in this run" in second.stderr
    assert first.returncode == 0
    (made,) = json.loads(vivid_bench(*arguments, "--json").stdout)
    assert made["n_edited"] == 2


def test_the_output_of_a_method_is_what_is_scored(vivid_bench: Command, tmp_path: Path, adapter: Adapter) -> None:
    target = adapter("Zero", "return np.zeros_like(request.frames)")
    vivid_bench("generate", "--method", target, "--task", "delete", "--limit", "1", "--device", "cpu")
    (edit,) = (tmp_path / "work" / "runs").rglob("edits/*.mkv")
    assert not np.any(read_video(edit).frames)
