from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from programs import card, inverted, request, write_card

from vivid_bench.command import batch
from vivid_bench.errors import InputError, MethodError
from vivid_bench.methods import find_method
from vivid_bench.types import Edited, EditRequest

Made = list[Edited | MethodError]


def run(path: Path, requests: list[EditRequest], run_folder: Path) -> Made:
    method = find_method(str(path)).load("cpu", run_folder)
    return list(method.edit_many(requests))  # type: ignore[attr-defined]


def ids(made: Made) -> str:
    return "".join("." if isinstance(edited, Edited) else "x" for edited in made)


def starts(run_folder: Path) -> int:
    return sum(line.startswith("$ ") for line in (run_folder / "method.log").read_text().splitlines())


THREE = [request(name, seed=i) for i, name in enumerate("abc")]


def test_one_process_edits_every_sample_exactly(tmp_path: Path) -> None:
    made = run(card(tmp_path), THREE, tmp_path / "run")
    for asked, edited in zip(THREE, made, strict=True):
        assert isinstance(edited, Edited)
        assert np.array_equal(edited.frames, inverted(asked))
        assert edited.notes == ()
        assert edited.seconds is not None
        assert edited.peak_memory_bytes is None or edited.peak_memory_bytes > 2**20
    assert starts(tmp_path / "run") == 1
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["method.log"]


@pytest.mark.parametrize(
    ("at_b", "reason"),
    [
        ("sys.exit(3)", "the program ended with exit code 3; its log ends: "),
        ("os.abort()", "the program ended with signal SIGABRT"),
        ("raise ValueError('out of luck')", "ValueError: out of luck"),
        ("print('vivid-bench: failed', r['id'], 'no faces in it'); continue", "the program says: no faces in it"),
        ("write(edits / r['name'], invert(r)[1:]); done(r); continue", "found uint8 of (4, 24, 32, 3)"),
        ("write(edits / r['name'], invert(r)[:, 1:]); done(r); continue", "found uint8 of (5, 23, 32, 3)"),
        ("done(r); continue", "expected its edit at 00001-b.mkv, .mp4 or frames in 00001-b/, found nothing"),
        ("(edits / r['name']).mkdir(); done(r); continue", "expected PNG or JPEG frames, found 0 frames"),
        ("(edits / (r['name'] + '.mp4')).write_text('no'); done(r); continue", "its edit 00001-b.mp4 cannot be used"),
    ],
)  # fmt: skip
def test_what_fails_costs_its_own_clip(tmp_path: Path, at_b: str, reason: str) -> None:
    body = f"\n    if name == 'b':\n        {at_b}\n    write(edits / r['name'], invert(r))\n    done(r)\n"
    made = run(card(tmp_path, body), THREE, tmp_path / "run")
    assert ids(made) == ".x."
    assert reason in str(made[1])
    ended = "exit" in at_b or "abort" in at_b or "raise" in at_b
    assert starts(tmp_path / "run") == (2 if ended else 1)


def test_what_the_program_says_last_is_in_the_reason(tmp_path: Path) -> None:
    body = "\n    print('loading'); print('CUDA out of memory', file=sys.stderr); sys.exit(1)\n"
    (edited,) = run(card(tmp_path, body), THREE[:1], tmp_path / "run")
    assert "CUDA out of memory" in str(edited)


def test_what_a_killed_run_left_is_removed_and_not_used_again(tmp_path: Path) -> None:
    left = tmp_path / "run" / "work-left" / "edits"
    left.mkdir(parents=True)
    (left / "00000-a.mkv").write_text("half of it")
    assert ids(run(card(tmp_path), THREE, tmp_path / "run")) == "..."
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["method.log"]


def test_a_program_that_breaks_twice_in_a_row_is_given_up(tmp_path: Path) -> None:
    made = run(card(tmp_path, "\n    sys.exit(5)\n"), [*THREE, *THREE], tmp_path / "run")
    assert ids(made) == "xxxxxx"
    assert starts(tmp_path / "run") == 2
    assert "given up, as the program broke twice in a row: the program ended with exit code 5" in str(made[5])


def test_a_finished_clip_between_crashes_keeps_it_going(tmp_path: Path) -> None:
    body = "\n    if name in 'bd': sys.exit(1)\n    write(edits / r['name'], invert(r))\n    done(r)\n"
    made = run(card(tmp_path, body), [request(name) for name in "abcde"], tmp_path / "run")
    assert ids(made) == ".x.x."
    assert starts(tmp_path / "run") == 3


def test_a_hang_is_ended_with_its_children(tmp_path: Path) -> None:
    hang = "import subprocess; child = subprocess.Popen(['sleep', '600']); Path(sys.argv[0] + '.pid').write_text"
    body = f"\n    if name == 'b':\n        {hang}(str(child.pid)); time.sleep(600)\n"
    path = card(tmp_path, f"{body}    write(edits / r['name'], invert(r))\n    done(r)\n", clip_minutes=0.1)
    made = run(path, THREE, tmp_path / "run")
    assert ids(made) == ".x."
    assert "no clip finished within 0.1 minutes, so it was stopped" in str(made[1])
    child = Path(f"/proc/{(tmp_path / 'program.py.pid').read_text()}/stat")
    deadline = time.monotonic() + 10
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_clips_that_it_leaves_unsaid_are_skipped(tmp_path: Path) -> None:
    body = "\n    if name == 'b': continue\n    write(edits / r['name'], invert(r))\n    done(r)\n"
    made = run(card(tmp_path, body), THREE, tmp_path / "run")
    assert ids(made) == ".x."
    assert "skipped: the program never said `vivid-bench: done 00001-b`; ended with exit code 0" in str(made[1])
    assert starts(tmp_path / "run") == 1


def test_a_program_that_reads_nothing(tmp_path: Path) -> None:
    made = run(write_card(tmp_path, {"run": ["true", "{requests}{edits}"], "per": "batch"}), THREE, tmp_path / "run")
    assert ids(made) == "xxx"
    assert "it printed nothing" in str(made[0])


def test_answers_out_of_order_and_all_requests_read_first(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("")
    path = card(tmp_path, "\n    pass\n")
    program = (tmp_path / "program.py").read_text().replace("map(json.loads,", "reversed([json.loads(x) for x in")
    program = program.replace('.open()):\n    name = r["sample"]\n', '.open()]):\n    name = r["sample"]\n', 1)
    (tmp_path / "program.py").write_text(f"{program}    write(edits / r['name'], invert(r))\n    done(r)\n")
    made = run(path, THREE, tmp_path / "run")
    for asked, edited in zip(THREE, made, strict=True):
        assert isinstance(edited, Edited)
        assert np.array_equal(edited.frames, inverted(asked))


def test_one_process_takes_all_samples_and_few_lie_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "AHEAD", 2)
    # Every folder of a sample is there or gone; the one at work and those that wait are all that may be there.
    count = "n = len([p for p in requests.iterdir() if p.is_dir()])"
    body = f"\n    {count}\n    assert n <= 4, n\n    write(edits / r['name'], invert(r))\n    done(r)\n"
    made = run(card(tmp_path, body), [request(name) for name in "abcdefghij"], tmp_path / "run")
    assert ids(made) == ".........."
    assert starts(tmp_path / "run") == 1


def test_a_crash_leaves_the_same_clips_to_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "AHEAD", 2)
    body = "\n    if name in 'be': sys.exit(1)\n    write(edits / r['name'], invert(r))\n    done(r)\n"
    made = run(card(tmp_path, body), [request(name) for name in "abcdefg"], tmp_path / "run")
    assert ids(made) == ".x..x.."
    assert starts(tmp_path / "run") == 3


def test_a_skipped_clip_does_not_hold_the_others_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "AHEAD", 3)
    body = "\n    if name in 'bc': continue\n    write(edits / r['name'], invert(r))\n    done(r)\n"
    made = run(card(tmp_path, body), [request(name) for name in "abcdefghij"], tmp_path / "run")
    assert ids(made) == ".xx......."
    assert starts(tmp_path / "run") == 1
    assert "skipped: the program said nothing of it and answered 3 later ones" in str(made[1])


def test_clips_are_brought_to_what_the_program_takes_and_back(tmp_path: Path) -> None:
    facts = {"size_multiple": 16, "frame_step": 4, "frame_offset": 1, "max_frames": 9, "mask_growth": "4 px"}
    see = "assert (r['frames'], r['height'], r['width']) == (9, 32, 48), r"
    body = f"\n    {see}\n    assert frames(r['source']).shape == (9, 32, 48, 3)\n"
    path = card(tmp_path, body + "    write(edits / r['name'], invert(r))\n    done(r)\n", composites=True, **facts)
    asked = request("a", frames=7, height=25, width=33)
    edited, too_long = run(path, [asked, request("b", frames=10)], tmp_path / "run")
    assert isinstance(edited, Edited)
    assert np.array_equal(edited.frames, inverted(asked))
    assert edited.notes == (
        "33x25 -> 48x32 by repeating the edge, cut back", "7 -> 9 frames by repeating the last, cut back",
        "the program grows the mask: 4 px", "the program pastes the source back outside its mask",
    )  # fmt: skip
    assert "10 frames and the method takes at most 9" in str(too_long)


def test_a_program_that_cannot_be_started_ends_the_run(tmp_path: Path) -> None:
    path = write_card(tmp_path, {"run": ["/no/such/program", "{requests}", "{edits}"], "per": "batch"})
    with pytest.raises(MethodError, match="cannot start /no/such/program"):
        run(path, THREE, tmp_path / "run")


def test_a_sample_that_cannot_be_read_ends_the_run(tmp_path: Path) -> None:
    def requests() -> Iterator[EditRequest]:
        yield THREE[0]
        raise InputError("b", expected="a clip", found="none", fix="add it")

    method = find_method(str(card(tmp_path))).load("cpu", tmp_path / "run")
    stream = method.edit_many(requests())  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="expected a clip"):
        list(stream)


def test_leaving_early_ends_the_program_and_removes_its_files(tmp_path: Path) -> None:
    body = "\n    write(edits / r['name'], invert(r))\n    done(r)\n    time.sleep(600 if name == 'b' else 0)\n"
    method = find_method(str(card(tmp_path, body))).load("cpu", tmp_path / "run")
    stream = method.edit_many(THREE)  # type: ignore[attr-defined]
    next(stream)
    stream.close()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["method.log"]


def test_one_edit_alone(tmp_path: Path) -> None:
    method = find_method(str(card(tmp_path))).load("cpu")
    edited = method.edit(THREE[0])
    assert isinstance(edited, Edited)
    assert np.array_equal(edited.frames, inverted(THREE[0]))
    (tmp_path / "program.py").write_text("raise SystemExit(4)")
    with pytest.raises(MethodError, match="exit code 4"):
        method.edit(THREE[0])
