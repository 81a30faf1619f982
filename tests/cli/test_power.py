"""`vivid-bench power` and `vivid-bench run --seeds`, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from clips import Command, DataFolder

Adapter = Callable[[str, str], str]

NOISE = "rng = np.random.default_rng([request.seed, *request.sample_id.encode()])\n        "
NOISE += "return np.where(request.mask[..., None], rng.integers(0, 256, request.frames.shape), request.frames)"
NOISE += ".astype(np.uint8)"


@pytest.fixture
def four_clips(data_folder: DataFolder) -> tuple[str, ...]:
    for number, name in enumerate("abcd"):
        data_folder.add(name, seed=number)
    return ("--suite", "folder", "--data", str(data_folder.path), "--task", "delete", "--device", "cpu")


def test_from_a_standard_deviation(vivid_bench: Command) -> None:
    # 2 dB of standard deviation: (1.96 + 0.84)² (2 / 0.3)² = 349, and two more for t.
    made = vivid_bench("power", "--sd", "2", "--difference", "0.3", "--clips", "24")
    assert made.stdout.splitlines() == [
        "351 clips find a difference of 0.3 with a power of 0.8",
        "24 clips find a difference of 1.194 with a power of 0.8",
    ]
    made = vivid_bench("power", "--sd", "2", "--difference", "0.3", "--power", "0.9", "--json")
    answer = json.loads(made.stdout)
    assert answer["clips_needed"] == 469
    assert answer["runs"] is answer["clips"] is answer["detectable_difference"] is None


def test_from_runs(vivid_bench: Command, four_clips: tuple[str, ...], tmp_path: Path) -> None:
    vivid_bench("run", "--method", "telea,navier-stokes", *four_clips)
    names = ("power", "telea", "navier-stokes", "--records", "runs")
    answer = json.loads(vivid_bench(*names, "--difference", "0.5", "--json").stdout)
    runs = answer["runs"]
    assert runs["methods"] == ["telea", "navier-stokes"]
    assert (runs["suite"], runs["task"], runs["metric"], runs["unit"]) == ("folder", "delete", "edit_psnr", "dB")
    assert (runs["clips"], runs["source_videos"], answer["clips"]) == (4, 4, 4)
    assert answer["sd"] == runs["sd"] > 0
    assert answer["clips_needed"] >= 2
    text = vivid_bench(*names).stdout
    assert "telea - navier-stokes, edit_psnr on folder delete: mean " in text
    assert "over 4 clips of 4 source videos" in text
    assert "4 clips find a difference of " in text

    unknown = vivid_bench("power", "tela", "navier-stokes", "--records", "runs", expect=2)
    assert 'did you mean "telea"' in unknown.stderr
    unknown = vivid_bench(*names, "--metric", "edit_pnsr", expect=2)
    assert 'did you mean "edit_psnr"' in unknown.stderr
    # Outside the mask neither changes a pixel.
    same = vivid_bench(*names, "--metric", "background_psnr", expect=2)
    assert "differs by the same on every clip" in same.stderr

    none = vivid_bench(*names, "--keyframes", "0", expect=2)
    assert "have no runs that may be compared" in none.stderr
    vivid_bench("run", "--method", "telea,navier-stokes", "--keyframes", "0", *four_clips)
    assert json.loads(vivid_bench(*names, "--json").stdout)["runs"] == runs
    with_keyframes = json.loads(vivid_bench(*names, "--keyframes", "0", "--json").stdout)
    assert with_keyframes["runs"]["clips"] == 4
    assert with_keyframes["sd"] != answer["sd"]

    vivid_bench("run", "--method", "telea,navier-stokes", "--composite", "hard", *four_clips)
    twice = vivid_bench(*names, expect=2).stderr
    assert "meet 2 times" in twice
    assert "composite hard" in twice
    keys = twice.split("keys: ")[1].split()[:2]
    assert json.loads(vivid_bench("power", *keys, "--records", "runs", "--json").stdout)["sd"] == answer["sd"]

    # A run that cannot be believed is not passed over in silence.
    (scores,) = (tmp_path / "work" / "runs").glob(f"*/*/*/{keys[0]}/scores.jsonl")
    scores.write_text(scores.read_text() + "\n")
    refused = vivid_bench("power", *keys, "--records", "runs", expect=2)
    assert "changed after scoring" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name two methods"),
        (("telea",), "name two methods"),
        (("telea", "vivid", "--sd", "1"), "name two methods"),
        (("--sd", "1"), "give --difference, or --clips"),
        (("--sd", "0", "--difference", "1"), "above 0"),
        (("--sd", "1", "--difference", "0"), "above 0"),
        (("--sd", "inf", "--difference", "1"), "finite"),
        (("--sd", "1", "--difference", "inf"), "1e-6 to 1e6 standard deviations"),
        (("--sd", "1", "--difference", "1e-300"), "1e-6 to 1e6 standard deviations"),
        (("--sd", "1", "--clips", "1" + "0" * 30), "2 to 10^12 clips"),
        (("telea", "vivid", "--records", "nowhere"), "expected run records, found none"),
        (("--sd", "1", "--difference", "1", "--power", "80"), "power"),
    ],
)
def test_what_cannot_be_answered(vivid_bench: Command, arguments: tuple[str, ...], message: str) -> None:
    made = vivid_bench("power", *arguments, expect=2)
    assert message in made.stderr
    assert "Traceback" not in made.stderr


def test_seeds_are_runs_of_their_own(
    vivid_bench: Command, four_clips: tuple[str, ...], adapter: Adapter, tmp_path: Path
) -> None:
    arguments = ("run", "--method", adapter("Noise", NOISE), *four_clips)
    first = vivid_bench(*arguments, "--seed", "4", "--seeds", "2")
    assert "noise seed 4" in first.stderr
    assert "noise seed 5" in first.stderr
    records = {}
    for path in (tmp_path / "work" / "runs" / "folder" / "delete").glob("*/*/run.json"):
        record = json.loads(path.read_text())
        records.setdefault(record["method"]["name"], {})[record["seed"]] = path, record["run_key"]
    assert set(records["noise"]) == {4, 5}
    assert set(records["copy-source"]) == {4}
    (four, key_of_four), (five, key_of_five) = records["noise"][4], records["noise"][5]
    assert key_of_four != key_of_five
    scores = [path.with_name("scores.jsonl").read_bytes() for path in (four, five)]
    assert scores[0] != scores[1]

    # A third seed makes one run more; the two are as they were, and one asked for alone is the same run.
    again = vivid_bench(*arguments, "--seed", "4", "--seeds", "3").stderr
    assert again.count("noise seed 4, delete: finished before") == 1
    assert again.count("noise seed 5, delete: finished before") == 1
    assert "delete: noise seed 6: 4 clips" in again
    assert "finished before" in vivid_bench(*arguments, "--seed", "5").stderr
    assert [path.with_name("scores.jsonl").read_bytes() for path in (four, five)] == scores


def test_generate_takes_seeds_too(vivid_bench: Command, four_clips: tuple[str, ...], adapter: Adapter) -> None:
    made = vivid_bench("generate", "--method", adapter("Noise", NOISE), *four_clips, "--seeds", "2", "--json")
    assert len({run["run"] for run in json.loads(made.stdout)}) == 2


def test_a_method_that_cannot_be_loaded_fails_once(
    vivid_bench: Command, four_clips: tuple[str, ...], adapter: Adapter
) -> None:
    target = adapter("Broken", "return request.frames")
    path = Path(target.rpartition(":")[0])
    path.write_text(path.read_text().replace("        pass\n", "        raise OSError('no such checkpoint')\n"))
    made = vivid_bench("run", "--method", target, *four_clips, "--seeds", "3", expect=1)
    assert made.stderr.count("no such checkpoint") == 1


def test_no_seeds(vivid_bench: Command) -> None:
    vivid_bench("run", "--method", "telea", "--task", "delete", "--seeds", "0", expect=2)
