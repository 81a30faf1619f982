"""Methods that run as programs of their own, against stand-ins with the real ones' command lines and signatures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clips import Command, Frames, box_mask, moving_clip
from stand_ins.checkouts import make_checkout

from vivid_bench import method_settings
from vivid_bench.command.adapter import CommandMethod
from vivid_bench.errors import MethodError
from vivid_bench.methods import find_method, known_methods
from vivid_bench.types import Edited, EditRequest, Task

BY_COMMAND = {name: known.card for name, known in known_methods().items() if known.card.command}
BOX = (24, 16, 72, 64)

Make = Callable[..., CommandMethod]


@pytest.fixture
def method(tmp_path: Path) -> Make:
    """Set a method up with a stand-in's checkout, on a CPU, which for the tests is enough."""

    def make(name: str, **facts: object) -> CommandMethod:
        known = find_method(name)
        repo = make_checkout(known.card, tmp_path / "checkout")
        method_settings.save(name, {"repo": str(repo), "python": sys.executable})
        assert known.card.command is not None
        command = known.card.command.model_copy(update=facts)
        return CommandMethod(known.card.model_copy(update={"command": command}), known.folder, "cpu", tmp_path / "run")

    return make


def clip(frames: int = 5, task: Task = "delete", seed: int = 7, *, magenta: bool = False) -> EditRequest:
    source = moving_clip(frames, 96, 120) // 2
    if magenta:
        source[:] = (255, 0, 255)
    mask = box_mask(frames, 96, 120, BOX)
    return EditRequest(f"clip {frames}", task, source, mask, "Remove it.", 24.0, seed)


def difference(edited: Frames, expected: Frames, where: np.ndarray) -> float:
    return float(np.abs(edited.astype(int) - expected)[where].mean())


def inner(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask's box, smaller (or larger, below 0) by some pixels a side."""
    x0, y0, x1, y1 = BOX
    return box_mask(*mask.shape, (x0 + by, y0 + by, x1 - by, y1 - by))


NOTES = {
    "propainter": "120x96 -> 128x128 by repeating the edge, cut back",
    "diffueraser": "5 -> 22 frames by repeating the last, cut back",
    "rose": "5 -> 17 frames by repeating the last, cut back",
    "minimax-remover": "2 -> 5 frames by repeating the last, cut back",
    "cococo": "120x96 -> 640x360 (cubic) and back",
    "videopainter": "120x96 -> 720x480 (cubic) and back",
    "cogvideox-fun-inp": "120x96 -> 168x96 (cubic) and back",
}
# Less than the cards ask for, for speed.
FACTS: dict[str, dict[str, int]] = {
    "minimax-remover": {"height": 96, "width": 160},
    "videopainter": {"min_frames": 1},
    "cogvideox-fun-inp": {"height": 96, "width": 168},
}


def test_every_program_has_a_stand_in() -> None:
    assert set(NOTES) == set(BY_COMMAND)


@pytest.mark.parametrize("name", [name for name in NOTES if name != "cococo"])
def test_the_hole_is_edited_and_nothing_else(name: str, method: Make) -> None:
    requests = [clip(5), clip(2)]
    edits = list(method(name, **FACTS.get(name, {})).edit_many(requests))
    assert len(edits) == 2
    for request, edited in zip(requests, edits, strict=True):
        assert isinstance(edited, Edited), edited
        assert edited.frames.shape == request.frames.shape
        # The stand-ins invert what they take for the hole.
        assert difference(edited.frames, 255 - request.frames, inner(request.mask, 4)) < 16
        assert difference(edited.frames, request.frames, ~inner(request.mask, -12)) < 8
    notes = [note for edited in edits if isinstance(edited, Edited) for note in edited.notes]
    assert any(note.startswith(NOTES[name]) for note in notes), notes


def test_propainter_loses_nothing_on_the_way(method: Make) -> None:
    request = clip()
    edited = method("propainter").edit(request)
    # A diamond of 4 px, then nothing: PNG goes in and out, and the padding is cut back.
    np.testing.assert_array_equal(edited.frames[~inner(request.mask, -4)], request.frames[~inner(request.mask, -4)])
    np.testing.assert_array_equal(edited.frames[request.mask], 255 - request.frames[request.mask])
    assert edited.notes == (
        NOTES["propainter"], "the program grows the mask: 4 px, by a diamond",
        "the program pastes the source back outside its mask",
    )  # fmt: skip


def test_cococo_takes_the_sample_that_the_seed_names(method: Make) -> None:
    requests = [clip(seed=seed, task="modify") for seed in (0, 3, 10)]
    first, third, refused = method("cococo").edit_many(requests)
    assert isinstance(first, Edited)
    assert isinstance(third, Edited)
    where = inner(requests[0].mask, 8)
    assert np.median(third.frames[where].astype(int) - first.frames[where]) == 3
    assert difference(first.frames, requests[0].frames, ~inner(requests[0].mask, -12)) < 4
    assert any(note.startswith(NOTES["cococo"]) for note in first.notes)
    assert isinstance(refused, MethodError)
    assert "seed 10: the script draws 10 samples from a seed of its own; use 0 to 9" in str(refused)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("crash", "ended with exit code 1; its log ends: CUDA out of memory"),
        ("killed", "ended with exit code 9"),
        ("hang", "not finished within 0.1 minutes, so it was stopped"),
        ("short", r"expected a uint8 edit of shape \(5, 128, 128, 3\), found uint8 of \(4, 128, 128, 3\)"),
        ("size", r"expected a uint8 edit of shape \(5, 128, 128, 3\), found uint8 of \(5, 120, 128, 3\)"),
        ("nothing", r"expected its edit at \{out\}/\*/frames, found nothing"),
    ],
)
def test_a_fault_on_one_clip_costs_that_clip(
    fault: str, words: str, method: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", fault)
    facts = {"clip_minutes": 0.1} if fault == "hang" else {}
    first, failed, last = method("propainter", **facts).edit_many([clip(), clip(magenta=True), clip()])
    assert isinstance(first, Edited)
    assert isinstance(last, Edited)
    with pytest.raises(MethodError, match=words):
        raise failed  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("raise", "the program says: RuntimeError: CUDA out of memory"),
        ("killed", "the program ended with exit code 9"),
    ],
)
def test_a_fault_in_a_driver_costs_one_clip(
    fault: str, words: str, method: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", fault)
    first, failed, last = method("videopainter", min_frames=1).edit_many([clip(2), clip(2, magenta=True), clip(2)])
    assert isinstance(first, Edited)
    assert isinstance(last, Edited)
    with pytest.raises(MethodError, match=words):
        raise failed  # type: ignore[misc]


@pytest.mark.parametrize("name", BY_COMMAND)
def test_what_is_not_set_up_says_so(name: str) -> None:
    device = "cuda" if BY_COMMAND[name].command.needs_gpu else "cpu"  # type: ignore[union-attr]
    known = find_method(name)
    assert f"vivid-bench methods setup {name} --repo PATH" in (known.why_not_here(device) or "")
    if device == "cuda":
        assert "needs a GPU" in (known.why_not_here("cpu") or "")


def test_propainter_from_a_checkout_to_a_scored_row(vivid_bench: Command, tmp_path: Path) -> None:
    repo = make_checkout(find_method("propainter").card, tmp_path / "ProPainter")
    weights = repo / "weights" / "ProPainter.pth"
    weights.unlink()
    # An environment that can import whatever it is asked for.
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    run = ("run", "--method", "propainter", "--task", "delete", "--limit", "2", "--device", "cpu")
    assert "it is not set up" in vivid_bench(*run, expect=2).stderr
    setup = ("methods", "setup", "propainter", "--repo", repo, "--python", python)
    assert str(weights) in vivid_bench(*setup, expect=1).stdout
    assert f"{weights} is not there" in vivid_bench(*run, expect=2).stderr
    weights.touch()
    vivid_bench(*setup)
    done = vivid_bench(*run)
    assert "propainter" in done.stdout
    assert "2/2" in done.stdout
    assert "propainter" in vivid_bench("leaderboard", "--records", "runs").stdout
