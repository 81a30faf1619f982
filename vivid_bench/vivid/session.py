"""Keyframe-guided interactive editing (KIVE): edit one frame until it is right, then propagate it to the video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vivid_bench.errors import InputError
from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.editor import Editor
from vivid_bench.vivid.measure import Spent, measure, weights_sha256
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.session_file import (
    Acceptance,
    Call,
    KeyframeEdit,
    SessionState,
    Step,
    read_session,
    write_session,
)


@dataclass(frozen=True)
class Tally:
    """What a session has cost so far, undone edits included.

    Attributes:
        rounds: keyframe edits, each of which is a round of trying.
        keyframes, propagations, total: seconds and FLOPs spent.
        naive: the same rounds without keyframes, each an edit of the whole video at the last propagation's cost; None
            before the first propagation, for nothing has shown it.
    """

    rounds: int
    keyframes: Spent
    propagations: Spent
    total: Spent
    naive: Spent | None


class KeyframeSession:
    """A user's session with one video.

    Args:
        pipeline: edits frames and propagates.
        video: (T, H, W, 3) uint8 RGB.
        mask: (T, H, W) bool, True = edit.
        steps: denoising steps; None = the pipeline's own default.
        guidance_scale: 1 = without classifier-free guidance; None = the pipeline's own default.

    Raises:
        ValueError: when video and mask do not fit.
    """

    def __init__(
        self,
        pipeline: VividPipeline,
        video: Frames,
        mask: Mask,
        *,
        steps: int | None = None,
        guidance_scale: float | None = None,
    ) -> None:
        if video.dtype != np.uint8 or video.ndim != 4 or video.shape[-1] != 3 or not len(video):
            raise ValueError(f"video: expected (T, H, W, 3) uint8, found {video.shape} {video.dtype}")
        if mask.dtype != np.bool_ or mask.shape != video.shape[:3]:
            raise ValueError(f"mask: expected {video.shape[:3]} bool, found {mask.shape} {mask.dtype}")
        self.pipeline = pipeline
        self.video = video
        self.mask = mask
        # Resolved once, so that a saved session does not depend on another pipeline's defaults.
        self.steps: int = pipeline.config.default_steps if steps is None else steps
        self.guidance_scale: float = (
            pipeline.config.default_guidance_scale if guidance_scale is None else guidance_scale
        )
        self.calls: list[Call] = []
        self._steps_taken: list[Step] = []

    @property
    def history(self) -> tuple[KeyframeEdit, ...]:
        """All keyframe edits that were not undone, oldest first."""
        return tuple(step for step in self._steps_taken if isinstance(step, KeyframeEdit))

    @property
    def accepted(self) -> dict[int, KeyframeEdit]:
        """The accepted edit of each frame that has one; of several of one frame, the last accepted."""
        history = self.history
        positions = [step.position for step in self._steps_taken if isinstance(step, Acceptance)]
        return {history[p].index: history[p] for p in positions}

    def edit_keyframe(self, index: int, prompt: str, seed: int = 0) -> KeyframeEdit:
        """Edit one frame with the image mode, as often as wished; each result joins the history.

        Raises:
            ValueError: for an index outside the video, or a frame whose mask is empty.
        """
        if not 0 <= index < len(self.video):
            raise ValueError(f"keyframe {index}: expected an index from 0 to {len(self.video) - 1}")
        if not self.mask[index].any():
            raise ValueError(f"keyframe {index}: its mask is empty, there is nothing to edit; choose another frame")
        frame = slice(index, index + 1)
        spent = Spent()
        with measure(spent):
            image = self._editor().edit(self.video[frame], self.mask[frame], prompt, seed=seed)[0]
        self.calls.append(Call("keyframe", spent.seconds, spent.flops))
        edit = KeyframeEdit(index, prompt, seed, spent.seconds, spent.flops, image)
        self._steps_taken.append(edit)
        return edit

    def accept(self, position: int | None = None) -> KeyframeEdit:
        """Make an edit a keyframe: the one at `position` of the history, or the last one.

        Raises:
            ValueError: when there is no such edit.
        """
        history = self.history
        position = len(history) - 1 if position is None else position
        if not 0 <= position < len(history):
            raise ValueError(f"accept: expected one of the history's {len(history)} edits, found {position}")
        self._steps_taken.append(Acceptance(position))
        return history[position]

    def undo(self) -> Step:
        """Take back the last edit or acceptance and return it; what it cost stays spent.

        Raises:
            ValueError: when there is nothing to take back.
        """
        if not self._steps_taken:
            raise ValueError("undo: nothing has been done yet")
        return self._steps_taken.pop()

    def propagate(self, prompt: str, seed: int = 0) -> Frames:
        """Edit the whole video with all accepted keyframes; returns (T, H, W, 3) uint8.

        Raises:
            ValueError: when no keyframe was accepted.
        """
        if not self.accepted:
            raise ValueError("propagate: no keyframe is accepted; call edit_keyframe, then accept")
        keyframes = {index: edit.image for index, edit in self.accepted.items()}
        spent = Spent()
        with measure(spent):
            edited = self._editor().edit(self.video, self.mask, prompt, keyframes=keyframes, seed=seed)
        self.calls.append(Call("propagation", spent.seconds, spent.flops))
        return edited

    def tally(self) -> Tally:
        """Return what the session has cost so far, beside what it would have cost without keyframes."""
        keyframes = [Spent(c.seconds, c.flops) for c in self.calls if c.kind == "keyframe"]
        propagations = [Spent(c.seconds, c.flops) for c in self.calls if c.kind == "propagation"]
        for_keyframes, for_propagations = sum(keyframes, Spent()), sum(propagations, Spent())
        naive = propagations[-1].times(len(keyframes)) if propagations else None
        return Tally(len(keyframes), for_keyframes, for_propagations, for_keyframes + for_propagations, naive)

    def save(self, folder: Path) -> None:
        """Write the session to a folder, new or its own, as JSON, lossless video and PNG.

        Raises:
            InputError: when the folder holds anything else.
        """
        state = SessionState(
            weights_sha256(self.pipeline),
            self.steps,
            self.guidance_scale,
            self.video,
            self.mask,
            tuple(self._steps_taken),
            tuple(self.calls),
        )
        write_session(folder, state)

    @classmethod
    def load(cls, folder: Path, pipeline: VividPipeline) -> KeyframeSession:
        """Continue a saved session exactly where it was.

        Raises:
            InputError: when the folder holds no session, was changed, or was made with other weights.
        """
        state = read_session(folder)
        weights = weights_sha256(pipeline)
        if weights != state.weights_sha256:
            raise InputError(
                folder,
                expected=f"the weights it was made with, {state.weights_sha256[:12]}…",
                found=f"{weights[:12]}…",
                fix="load that checkpoint, or start a new session",
            )
        session = cls(pipeline, state.video, state.mask, steps=state.steps, guidance_scale=state.guidance_scale)
        session.calls = list(state.calls)
        session._steps_taken = list(state.steps_taken)
        return session

    def _editor(self) -> Editor:
        return Editor(self.pipeline, self.steps, self.guidance_scale)
