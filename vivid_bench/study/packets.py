"""A rater's packet: what the page may know of the study, and nothing that tells who made which clip."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from vivid_bench.files import canonical_json, sha256_text, write_text
from vivid_bench.study.media import SAME_TIME, link_all
from vivid_bench.study.page import render_packet
from vivid_bench.study.texts import INSTRUCTIONS
from vivid_bench.study.types import Design, Item, Packet, PacketItem, StudyKey, Value

MEDIA = "media"

Clip = tuple[int, int | Literal["source", "broken"]]
"""A clip of the study: index of its sample, and of its run, or which of the sample's own clips it is."""


def clips_of(item: Item) -> list[Clip]:
    """Return the clips of an item: the source, and what is shown from the left."""
    return [(item.sample, "source"), *((item.sample, "broken" if run is None else run) for run in item.shown)]


def make_packet(
    key: StudyKey, rater: str, items: Sequence[Item], fps: Sequence[float], consent: str, secret: str
) -> Packet:
    """Return what a rater's page may know; every clip has a new name wherever it is shown.

    Args:
        key: of the study; its raters are not looked at.
        rater: whose packet it is.
        items: in the order shown.
        fps: of each sample.
        consent: what the rater agrees to.
        secret: that names are hashed from. Drawn from the generator that made the design, a few hundred of them would
            tell its state, and so the design.
    """
    shown = []
    for item in items:
        source, *names = (
            f"{sha256_text(f'{secret} {rater} {item.id} {place}')[:16]}.mp4" for place in range(len(item.shown) + 1)
        )
        sample = key.samples[item.sample]
        shown.append(
            PacketItem(
                id=item.id, task=sample.task, prompt=sample.prompt, source=source, clips=tuple(names),
                fps=fps[item.sample], correct=_correct(key.design, item) if item.kind == "training" else None,
            )
        )  # fmt: skip
    packet = Packet(
        study=key.study, rater=rater, packet="", design=key.design, ties=key.ties, questions=key.questions,
        instructions=INSTRUCTIONS[key.design], consent=consent, deadline=key.deadline, items=tuple(shown),
    )  # fmt: skip
    content = packet.model_dump(mode="json", exclude={"packet"})
    return packet.model_copy(update={"packet": sha256_text(canonical_json(content))})


def _correct(design: Design, item: Item) -> Value:
    """Return the answer to a training item: the broken clip loses."""
    if design == "rating":
        return 1
    places = [place for place, run in enumerate(item.shown, 1) if run is not None]
    broken = item.shown.index(None) + 1
    return places[0] if design == "pairwise" else (*places, broken)


def write_packet(folder: Path, packet: Packet, items: Sequence[Item], clips: dict[Clip, Path]) -> None:
    """Write a packet's page and media to a new folder; every file has the same date."""
    (folder / MEDIA).mkdir(parents=True)
    for item, shown in zip(items, packet.items, strict=True):
        names = (shown.source, *shown.clips)
        link_all((clips[clip], folder / MEDIA / name) for clip, name in zip(clips_of(item), names, strict=True))
    page = folder / "index.html"
    write_text(page, render_packet(packet))
    os.utime(page, (SAME_TIME, SAME_TIME))
