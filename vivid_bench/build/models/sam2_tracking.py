"""Mask propagation by SAM 2, through transformers.

SAM 2: Ravi et al., "SAM 2: Segment Anything in Images and Videos", arXiv 2408.00714.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.models import loading
from vivid_bench.build.types import FrameMask, Track
from vivid_bench.types import Frames, Mask

LEAST_CONFIDENCE = 0.5
"""SAM 2's own rule: an object is there where its score's logit is above 0 (transformers, `modeling_sam2_video.py`)."""


class Sam2Propagator:
    """A `Propagator` that runs SAM 2: one session a clip holds all its masks, so a frame is encoded once a direction.

    Confidence is SAM 2's probability that the object can be seen; tracks of several objects may overlap.

    Args:
        weights: a folder in transformers' format or a cached name on the hub, e.g. `facebook/sam2.1-hiera-large`.
        device: `cpu` or `cuda`; bfloat16 on a GPU.
        least_confidence: a track ends at the first frame, going outwards, with less, or with an empty mask.

    Raises:
        InputError: as `loading.load` does.
    """

    def __init__(self, weights: str, device: str, *, least_confidence: float = LEAST_CONFIDENCE) -> None:
        self._dtype = loading.half_on_gpu(device)
        loaded = loading.load(weights, "Sam2VideoModel", device, dtype=self._dtype, model_types=("sam2_video",))
        self._model, self._processor = loaded.model, loaded.processor
        self._device = device
        self._least_confidence = least_confidence

    def __call__(self, frames: Frames, keyframe: int, masks: Sequence[FrameMask]) -> list[Track]:
        """Follow masks from the keyframe to both ends of a clip.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            keyframe: index of the frame that the masks are of.
            masks: (H, W) bool each.

        Returns:
            A track for each mask, in their order; of an empty mask, one of the keyframe alone. The mask of the keyframe
            is returned as given.
        """
        full = self._full_tracks(frames, keyframe, [mask for mask in masks if mask.any()])
        return [next(full) if mask.any() else _keyframe_alone(len(frames), keyframe, mask) for mask in masks]

    def _full_tracks(self, frames: Frames, keyframe: int, masks: Sequence[FrameMask]) -> Iterator[Track]:
        if not masks:
            return
        followed: Mask = np.zeros((len(masks), *frames.shape[:3]), bool)
        confidence = np.zeros(followed.shape[:2], np.float32)
        followed[:, keyframe], confidence[:, keyframe] = np.stack(masks), 1
        session = self._session(frames, keyframe, masks)
        for reverse in (False, True):
            alive = np.ones(len(masks), bool)
            for t, found, score in self._outwards(session, keyframe, reverse):
                alive &= (score >= self._least_confidence) & found.any(axis=(1, 2))
                if not alive.any():
                    break
                followed[alive, t], confidence[alive, t] = found[alive], score[alive]
        yield from map(_track, followed, confidence)

    def _session(self, frames: Frames, keyframe: int, masks: Sequence[FrameMask]) -> Any:
        # Frames are resized to 1024x1024 in float32, 12 MB each: they wait on the CPU.
        session = self._processor.init_video_session(
            video=frames, inference_device=self._device, processing_device="cpu", video_storage_device="cpu",
            dtype=self._dtype,
        )  # fmt: skip
        self._processor.add_inputs_to_inference_session(
            session, frame_idx=keyframe, obj_ids=list(range(len(masks))), input_masks=list(masks)
        )
        return session

    def _outwards(self, session: Any, keyframe: int, reverse: bool) -> Iterator[tuple[int, Mask, NDArray[np.float32]]]:
        """Yield a frame's index, the objects' masks (N, H, W) and their scores (N,), from the keyframe to one end."""
        size = [[session.video_height, session.video_width]]
        for output in self._model.propagate_in_video_iterator(session, start_frame_idx=keyframe, reverse=reverse):
            if output.frame_idx == keyframe:
                continue
            found = self._processor.post_process_masks([output.pred_masks.float()], original_sizes=size)[0][:, 0]
            score = output.object_score_logits.float().sigmoid().flatten()
            yield output.frame_idx, found.cpu().numpy(), score.cpu().numpy()


def _keyframe_alone(length: int, keyframe: int, mask: FrameMask) -> Track:
    confidence = np.zeros(length, np.float32)
    confidence[keyframe] = 1
    masks = np.zeros((length, *mask.shape), bool)
    return Track(masks, keyframe, keyframe, confidence, np.zeros(length, np.float32))


def _track(masks: Mask, confidence: NDArray[np.float32]) -> Track:
    kept = np.flatnonzero(masks.any(axis=(1, 2)))
    return Track(masks, int(kept[0]), int(kept[-1]), confidence, np.zeros(len(masks), np.float32))
