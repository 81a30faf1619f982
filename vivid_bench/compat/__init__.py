"""Other suites' figures, warts included: what their code prints for the same clips.

A preset's figure explains a published one; it never enters a leaderboard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from vivid_bench.registry import Registry

if TYPE_CHECKING:
    from vivid_bench.compat.preset import Preset

PRESETS = Registry(
    "protocol",
    {
        "videopainter-asis": "vivid_bench.compat.videopainter:PRESET",
        "five": "vivid_bench.compat.five:PRESET",
        "propainter": "vivid_bench.compat.propainter:PRESET",
        "tgve": "vivid_bench.compat.tgve:PRESET",
        "prove": "vivid_bench.compat.prove:PRESET",
        "vbench": "vivid_bench.compat.vbench:PRESET",
    },
)
"""Every preset by name."""


def load_preset(name: str) -> Preset:
    """Return the preset of that name; no weights are read yet. Raises `UnknownNameError`."""
    return cast("Preset", PRESETS.load(name))
