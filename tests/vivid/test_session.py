from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vivid_bench.errors import InputError
from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.build import ModelConfig, build_pipeline
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.session import KeyframeSession
from vivid_bench.vivid.session_file import Acceptance


@pytest.fixture
def session(tiny: VividPipeline, clip: tuple[Frames, Mask]) -> KeyframeSession:
    return KeyframeSession(tiny, *clip, steps=1)


def test_a_keyframe_is_the_image_modes_edit(session: KeyframeSession, tiny: VividPipeline) -> None:
    first = session.edit_keyframe(4, "a red circle", seed=1)
    again = session.edit_keyframe(4, "a red circle", seed=1)
    other = session.edit_keyframe(4, "a red circle", seed=2)
    alone = Editor(tiny, 1).edit(session.video[4:5], session.mask[4:5], "a red circle", seed=1)[0]
    assert np.array_equal(first.image, alone)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)
    assert [(e.index, e.prompt, e.seed) for e in session.history] == [(4, "a red circle", s) for s in (1, 1, 2)]


def test_accepted_keyframes_are_propagated(session: KeyframeSession, tiny: VividPipeline) -> None:
    session.edit_keyframe(0, "a red circle")
    session.edit_keyframe(6, "a red circle", seed=1)
    session.edit_keyframe(6, "a blue square", seed=2)
    session.accept(0)
    session.accept()
    assert {index: edit.seed for index, edit in session.accepted.items()} == {0: 0, 6: 2}
    keyframes = {0: session.history[0].image, 6: session.history[2].image}
    expected = Editor(tiny, 1).edit(session.video, session.mask, "a red circle", keyframes=keyframes, seed=5)
    made = session.propagate("a red circle", seed=5)
    assert np.array_equal(made, expected)
    assert np.array_equal(made[6], session.history[2].image)


def test_of_one_frame_the_last_accepted_edit_counts(session: KeyframeSession) -> None:
    session.edit_keyframe(3, "a red circle", seed=1)
    session.edit_keyframe(3, "a red circle", seed=2)
    session.accept(1)
    session.accept(0)
    assert session.accepted[3].seed == 1


def test_undo_takes_back_one_step(session: KeyframeSession) -> None:
    session.edit_keyframe(3, "a red circle", seed=1)
    session.accept()
    session.edit_keyframe(3, "a red circle", seed=2)
    session.accept()
    assert session.undo() == Acceptance(1)
    assert session.accepted[3].seed == 1
    session.undo()
    assert [edit.seed for edit in session.history] == [1]
    session.undo()
    assert session.accepted == {}
    session.undo()
    assert session.history == ()
    with pytest.raises(ValueError, match="nothing has been done"):
        session.undo()
    assert session.tally().rounds == 2


def test_costs_are_counted(session: KeyframeSession, tiny: VividPipeline) -> None:
    for seed in range(3):
        session.edit_keyframe(4, "a red circle", seed)
    assert session.tally().naive is None
    session.undo()
    session.accept()
    session.propagate("a red circle")
    tally = session.tally()
    one = session.history[0].flops
    assert tally.rounds == 3
    assert tally.keyframes.flops == 3 * one
    assert tally.total.flops == 3 * one + tally.propagations.flops
    assert tally.total.seconds == pytest.approx(sum(call.seconds for call in session.calls))
    assert tally.naive is not None
    assert tally.naive.flops == 3 * tally.propagations.flops
    # An edit of nine frames makes three latent frames where an image makes one.
    assert 2 * one < tally.propagations.flops < 9 * one


def test_counted_flops_are_those_of_the_matrix_products() -> None:
    from vivid_bench.vivid.measure import Spent, measure

    spent = Spent()
    for _ in range(2):
        with measure(spent):
            torch.ones(3, 4) @ torch.ones(4, 5)
    assert spent.flops == 2 * (2 * 3 * 4 * 5)


@pytest.mark.parametrize("index", [-1, 9])
def test_an_index_outside_the_video_is_named(session: KeyframeSession, index: int) -> None:
    with pytest.raises(ValueError, match=f"keyframe {index}: expected an index from 0 to 8"):
        session.edit_keyframe(index, "a red circle")


def test_what_cannot_be_done_is_said(session: KeyframeSession, tiny: VividPipeline, clip: tuple[Frames, Mask]) -> None:
    session.mask[2] = False
    with pytest.raises(ValueError, match="its mask is empty"):
        session.edit_keyframe(2, "a red circle")
    with pytest.raises(ValueError, match="no keyframe is accepted"):
        session.propagate("a red circle")
    with pytest.raises(ValueError, match="expected one of the history's 0 edits"):
        session.accept()
    with pytest.raises(ValueError, match=r"mask: expected \(9, 24, 32\) bool"):
        KeyframeSession(tiny, clip[0], clip[1][:8])
    with pytest.raises(ValueError, match=r"video: expected \(T, H, W, 3\) uint8"):
        KeyframeSession(tiny, clip[0].astype(np.float32), clip[1])


@pytest.fixture
def saved(session: KeyframeSession, tmp_path: Path) -> Path:
    session.edit_keyframe(0, "a red circle", seed=1)
    session.accept()
    session.edit_keyframe(6, "une étoile – ?", seed=2)
    session.propagate("a red circle")
    session.save(tmp_path / "session")
    return tmp_path / "session"


def test_a_loaded_session_goes_on_exactly(session: KeyframeSession, saved: Path, tiny: VividPipeline) -> None:
    loaded = KeyframeSession.load(saved, tiny)
    assert np.array_equal(loaded.video, session.video)
    assert np.array_equal(loaded.mask, session.mask)
    assert (loaded.steps, loaded.guidance_scale) == (1, tiny.config.default_guidance_scale)
    assert loaded.tally() == session.tally()
    assert [(e.index, e.prompt, e.seed) for e in loaded.history] == [(0, "a red circle", 1), (6, "une étoile – ?", 2)]
    for one in (session, loaded):
        one.accept()
        one.undo()
        one.accept()
        one.edit_keyframe(3, "a blue square", seed=7)
    assert np.array_equal(loaded.history[2].image, session.history[2].image)
    assert sorted(loaded.accepted) == [0, 6]
    assert np.array_equal(loaded.propagate("a red circle", 3), session.propagate("a red circle", 3))


def test_a_session_can_be_saved_again(session: KeyframeSession, saved: Path, tiny: VividPipeline) -> None:
    session.edit_keyframe(1, "a red circle")
    session.save(saved)
    assert len(KeyframeSession.load(saved, tiny).history) == 3


def test_another_videos_session_is_not_written_over(session: KeyframeSession, saved: Path, tiny: VividPipeline) -> None:
    other = KeyframeSession(tiny, 255 - session.video, session.mask, steps=1)
    with pytest.raises(InputError, match="expected this session, saved before, found one with another video or mask"):
        other.save(saved)
    assert len(KeyframeSession.load(saved, tiny).history) == 2


def test_a_killed_save_leaves_the_session_before_it(
    session: KeyframeSession, saved: Path, tiny: VividPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.undo()
    session.edit_keyframe(6, "a red circle", seed=3)  # takes the place of the edit that was undone

    def killed(path: Path, text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vivid_bench.vivid.session_file.write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        session.save(saved)
    assert [edit.seed for edit in KeyframeSession.load(saved, tiny).history] == [1, 2]


def test_a_folder_of_something_else_is_not_touched(session: KeyframeSession, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new folder or a saved session"):
        session.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(InputError, match="expected a new folder or a saved session"):
        session.save(tmp_path / "notes.txt")


def change_prompt(folder: Path) -> None:
    stored = json.loads((folder / "session.json").read_text())
    stored["steps_taken"][0]["prompt"] = "another"
    (folder / "session.json").write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda f: next(f.glob("edit-000-frame-00000-*.png")).write_bytes(b"x"),
            "png: expected the file as it was saved",
        ),
        (lambda f: (f / "mask.mkv").write_bytes((f / "video.mkv").read_bytes()), "mask.mkv: expected the file as it"),
        (lambda f: (f / "video.mkv").unlink(), "video.mkv: expected a file of the saved session, found nothing"),
        (lambda f: (f / "session.json").unlink(), r"expected a saved session \(session.json\), found none"),
        (lambda f: (f / "session.json").write_text("{"), "session.json: expected JSON"),
        (lambda f: (f / "session.json").write_text("[]"), "session.json: expected a saved session, found other JSON"),
        (change_prompt, "session.json: expected the file as it was saved, found a changed one"),
    ],
)
def test_a_changed_folder_is_refused(
    saved: Path, tiny: VividPipeline, damage: Callable[[Path], object], words: str
) -> None:
    damage(saved)
    with pytest.raises(InputError, match=words):
        KeyframeSession.load(saved, tiny)


def test_a_file_outside_the_folder_is_refused(saved: Path, tiny: VividPipeline) -> None:
    from vivid_bench.files import canonical_json, sha256_text

    stored = json.loads((saved / "session.json").read_text())
    del stored["sha256"]
    stored["video"]["name"] = "../video.mkv"
    stored["sha256"] = sha256_text(canonical_json(stored))
    (saved / "session.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match="expected a session of this version, found 1 entries that are not"):
        KeyframeSession.load(saved, tiny)


def test_other_weights_are_refused(saved: Path, tiny_model: ModelConfig) -> None:
    other = build_pipeline(tiny_model, ["a red circle", "a blue square"], seed=2)
    with pytest.raises(InputError, match="expected the weights it was made with"):
        KeyframeSession.load(saved, other)
