"""The stages' parts that settings choose: with models, or without weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.types import Captioner, MotionEstimator, Propagator, Selector
from vivid_bench.errors import VividBenchError

if TYPE_CHECKING:
    from vivid_bench.build.models.chat import ChatModel


@dataclass(frozen=True)
class Parts:
    """Makes each part when it is first needed; models are loaded then.

    Raises:
        InputError: weights that are not on this machine or cannot be used.
    """

    settings: BuildSettings

    @cached_property
    def selector(self) -> Selector:
        """What finds entities in a keyframe."""
        if self.settings.selector == "motion":
            from vivid_bench.build.motion_entities import MotionSelector

            return MotionSelector()
        from vivid_bench.build.models.chat import ChatTagger
        from vivid_bench.build.models.detection import GroundedSelector

        models, tags = self.settings.models, self.settings.tags
        return GroundedSelector(
            models.detector, models.segmenter, tags or ChatTagger(self._chat_model), self.settings.device
        )

    @cached_property
    def propagator(self) -> Propagator:
        """What follows masks through a clip."""
        if self.settings.propagator == "flow":
            from vivid_bench.build.flow_tracking import FlowPropagator

            return FlowPropagator()
        from vivid_bench.build.models.sam2_tracking import Sam2Propagator

        return Sam2Propagator(self.settings.models.tracker, self.settings.device)

    @cached_property
    def captioner(self) -> Captioner | None:
        """What describes entities; None where the user's text does."""
        if self.settings.captioner == "text":
            return None
        from vivid_bench.build.models.captioning import ChatCaptioner

        return ChatCaptioner(self._chat_model)

    @cached_property
    def motion(self) -> MotionEstimator:
        """What tells how the background moves."""
        if self.settings.motion == "dis":
            from vivid_bench.flow import clip_flow

            return clip_flow
        from vivid_bench.build.models.raft import RaftMotion

        assert self.settings.models.raft is not None
        return RaftMotion(self.settings.models.raft, self.settings.device)

    @cached_property
    def _chat_model(self) -> ChatModel:
        from vivid_bench.build.models.chat import ChatModel

        return ChatModel(self.settings.models.captioner, self.settings.device)

    @cached_property
    def weights(self) -> dict[str, str]:
        """Stage -> which weights it works with, in words that differ whenever those do; nothing is loaded for it.

        Stages without weights are not in it.
        """
        settings, models = self.settings, self.settings.models
        names = {
            "entities": [models.detector, models.segmenter] if settings.selector == "grounding-dino" else [],
            "tracks": [models.tracker] if settings.propagator == "sam2" else [],
            "captions": [models.captioner] if settings.captioner == "vlm" else [],
            "motion": [str(models.raft)] if settings.motion == "raft" else [],
        }
        if names["entities"] and not settings.tags:
            names["entities"].append(models.captioner)
        if not any(names.values()):
            return {}
        from vivid_bench.build.models.loading import weights_file, weights_of

        if names["motion"] and models.raft:
            weights_file(models.raft)  # a name that is no file's would be taken for a model's folder
        return {stage: ", ".join(weights_of(name).described for name in used) for stage, used in names.items() if used}


def check_settings(settings: BuildSettings) -> None:
    """Raise `VividBenchError` for settings that do not go together."""
    if settings.selector == "grounding-dino" and not settings.tags and settings.captioner == "text":
        raise VividBenchError(
            "--entities grounding-dino needs to know what to look for: --tags person,dog, or --captions vlm, whose "
            "model then names what it sees"
        )
    if settings.selector == "motion" and settings.tags:
        raise VividBenchError("--tags go with --entities grounding-dino")
    if settings.motion == "raft" and settings.models.raft is None:
        raise VividBenchError("--motion raft needs --raft FILE, torchvision's RAFT weights")
    if settings.captioner == "text" and settings.detail != "medium":
        raise VividBenchError("--detail goes with --captions vlm: your text is one caption for all three")
    goes_with = {
        "detector": ("--entities grounding-dino", settings.selector == "grounding-dino"),
        "segmenter": ("--entities grounding-dino", settings.selector == "grounding-dino"),
        "tracker": ("--propagation sam2", settings.propagator == "sam2"),
        "captioner": ("--captions vlm", settings.captioner == "vlm"),
        "raft": ("--motion raft", settings.motion == "raft"),
    }
    for name in sorted(settings.models.model_fields_set):
        option, is_used = goes_with[name]
        if not is_used:
            raise VividBenchError(f"--{name} goes with {option}")
