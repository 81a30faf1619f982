"""`vivid-bench edit`: from the command's options to an edit, a preview and a record.

What needs the model is imported when all input has been checked: a mistake is answered at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import vivid_bench
from vivid_bench.box_tracking import parse_box, track_to_file
from vivid_bench.datasets.samples import INVERTED_SHARE
from vivid_bench.errors import InputError, VividBenchError
from vivid_bench.files import write_text
from vivid_bench.images import read_image, write_image
from vivid_bench.mask_input import Survey, survey
from vivid_bench.types import Composite
from vivid_bench.video import check_shape
from vivid_bench.vivid.edit_record import (
    EditRecord,
    InputRecord,
    KeyframeRecord,
    NamedFile,
    SettingsRecord,
    VideoCost,
)

if TYPE_CHECKING:
    from vivid_bench.run import Reporter
    from vivid_bench.vivid.editor import Editor
    from vivid_bench.vivid.measure import Spent

Frame = NDArray[np.uint8]  # (H, W, 3) RGB


@dataclass(frozen=True)
class EditCommand:
    """The command's options.

    Attributes:
        mask, box: one of the two; the box as x,y,w,h.
        keyframe: the frame to edit first, with the image mode.
        only_keyframe: whether to stop after it.
        given: images of edited frames by index.
        out: `.mkv` or `.mp4`; with `only_keyframe` `.png`.
        steps, guidance_scale: None = the checkpoint's own.
    """

    video: Path
    mask: Path | None
    box: str | None
    prompt: str
    keyframe: int | None
    only_keyframe: bool
    given: dict[int, Path]
    out: Path
    checkpoint: str
    steps: int | None
    guidance_scale: float | None
    seed: int
    composite: Composite
    device: str

    @property
    def preview(self) -> Path:
        """The preview's name; an image where only a frame is edited."""
        return self._beside(".preview.png" if self.only_keyframe else ".preview.mp4")

    @property
    def record(self) -> Path:
        """The record's name."""
        return self._beside(".json")

    @property
    def mask_file(self) -> Path:
        """The mask given, or the file that the tracked box's masks are written to."""
        return self.mask or self._beside(".mask.mkv")

    def run(self, reporter: Reporter) -> EditRecord:
        """Check everything, then edit; writes the edit, its preview and its record.

        Raises:
            VividBenchError: when options do not go together or inputs do not fit, before the model is loaded.
        """
        self._check()
        unseen = self._track(reporter) if self.box else None
        wanted = [*self.given, *([] if self.keyframe is None else [self.keyframe])]
        found = survey(self.video, self.mask_file, wanted)
        if found.mask_share > INVERTED_SHARE:
            reporter.say(f"warning: {found.mask_share:.0%} of the mask is white; white means edit: is it inverted?")
        images = self._read_images(found)

        from vivid_bench.vivid.editor import Editor
        from vivid_bench.vivid.loading import load_pipeline

        editor = Editor(load_pipeline(self.checkpoint, self.device), self.steps, self.guidance_scale)
        keyframes = [KeyframeRecord(index=i, image=NamedFile.of(self.given[i])) for i in images]
        if self.keyframe is not None:
            images[self.keyframe], made = self._edit_keyframe(editor, *found.picked[self.keyframe])
            keyframes.append(KeyframeRecord(index=self.keyframe, seconds=made.seconds, flops=made.flops))
        cost = None if self.only_keyframe else self._edit_video(editor, images, found.frames, reporter)
        record = EditRecord(
            vivid_bench=vivid_bench.__version__,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            input=self._input_record(found, unseen),
            settings=self._settings_record(editor),
            keyframes=tuple(keyframes),
            video_cost=cost,
            out=NamedFile.of(self.out),
            lossless=self.out.suffix.lower() != ".mp4",
            preview=str(self.preview),
        )
        write_text(self.record, record.model_dump_json(indent=2) + "\n")
        return record

    def _beside(self, suffix: str) -> Path:
        return self.out.with_name(self.out.stem + suffix)

    def _check(self) -> None:
        if (self.mask is None) == (self.box is None):
            raise VividBenchError("say where to edit: --mask FILE, or --box x,y,w,h, not both")
        if self.only_keyframe and (self.keyframe is None or self.given):
            raise VividBenchError("--only-keyframe goes with --keyframe I, and without --keyframe-image")
        if self.keyframe in self.given:
            raise VividBenchError(f"frame {self.keyframe} has both --keyframe and --keyframe-image: drop one of them")
        suffixes = (".png",) if self.only_keyframe else (".mkv", ".mp4")
        if self.out.suffix.lower() not in suffixes:
            found = self.out.suffix or "no suffix"
            raise InputError(self.out, expected=f"--out in {' or '.join(suffixes)}", found=found, fix="rename it")
        inputs = {p.resolve() for p in (self.video, self.mask, *self.given.values()) if p}
        for path in (self.out, self.preview, self.record, *([] if self.mask else [self.mask_file])):
            if not inputs.isdisjoint((path.resolve(), *path.resolve().parents)):
                raise InputError(path, expected="a new file", found="one among the inputs", fix="choose another --out")
            if path.is_dir():
                raise InputError(path, expected="a new file", found="a folder of that name", fix="choose another --out")

    def _track(self, reporter: Reporter) -> tuple[int, ...]:
        """Write the masks of the tracked box; returns the frames in which it could not be followed."""
        assert self.box is not None
        report = track_to_file(self.video, parse_box(self.box), self.mask_file)
        reporter.say(f"tracked box: {self.mask_file} (pass it with --mask to use it again)")
        if report.unseen:
            reporter.say(
                f"warning: the box could not be followed in {len(report.unseen)} frames, the first {report.unseen[0]}, "
                "and stands still there: look at the preview"
            )
        if report.empty:
            reporter.say(f"warning: the box lies outside of {report.empty} frames, where nothing is edited")
        return report.unseen

    def _read_images(self, found: Survey) -> dict[int, Frame]:
        for index, (_, mask) in found.picked.items():
            if not mask.any():
                raise VividBenchError(f"keyframe {index}: its mask is empty, nothing is edited there; choose another")
        images = {index: read_image(path) for index, path in self.given.items()}
        for index, image in images.items():
            check_shape(self.given[index], (1, *image.shape), (1, found.height, found.width), "the video")
        return images

    def _edit_keyframe(self, editor: Editor, frame: Frame, mask: NDArray[np.bool_]) -> tuple[Frame, Spent]:
        from vivid_bench.vivid.edit_file import edit_keyframe, side_by_side

        image, spent = edit_keyframe(editor, (frame, mask), self.prompt, self.seed, self.composite)
        if self.only_keyframe:
            write_image(self.out, image)
            write_image(self.preview, side_by_side(frame, mask, image))
        return image, spent

    def _edit_video(self, editor: Editor, keyframes: dict[int, Frame], frames: int, reporter: Reporter) -> VideoCost:
        from vivid_bench.vivid.edit_file import EditJob, count_clips, edit_file

        job = EditJob(
            video=self.video,
            mask=self.mask_file,
            prompt=self.prompt,
            seed=self.seed,
            composite=self.composite,
            keyframes=keyframes,
            out=self.out,
            preview=self.preview,
        )
        clips = count_clips(frames, editor.pipeline.config.window_frames)
        with reporter.stage(f"edit {frames} frames", clips) as progress:
            spent = edit_file(editor, job, progress)
        return VideoCost(clips=clips, seconds=spent.seconds, flops=spent.flops)

    def _input_record(self, found: Survey, unseen: tuple[int, ...] | None) -> InputRecord:
        return InputRecord(
            video=NamedFile.of(self.video),
            mask=NamedFile.of(self.mask_file),
            box=self.box,
            unseen_frames=unseen,
            frames=found.frames,
            height=found.height,
            width=found.width,
            fps=found.fps,
        )

    def _settings_record(self, editor: Editor) -> SettingsRecord:
        from vivid_bench.vivid.measure import weights_sha256

        own = editor.pipeline.config
        return SettingsRecord(
            prompt=self.prompt,
            seed=self.seed,
            steps=own.default_steps if self.steps is None else self.steps,
            guidance_scale=own.default_guidance_scale if self.guidance_scale is None else self.guidance_scale,
            composite=self.composite,
            checkpoint=self.checkpoint,
            weights_sha256=weights_sha256(editor.pipeline),
            device=self.device,
        )
