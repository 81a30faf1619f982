"""The table `kive-cost`: what keyframe-guided interactive editing (KIVE) saves over editing the whole video anew."""

from __future__ import annotations

from vivid_bench.tables.blocks import EMPTY, Block, Figure, PaperTable, as_printed
from vivid_bench.tables.published import KiveCost, Published
from vivid_bench.vivid.cost import edit_cost, session_cost

PETA = 1e15
PUBLISHED_ROUNDS = 2
TWO_ROUNDS_ONLY = "sessions were published for two rounds only"


def kive_cost(published: Published, rounds: int = PUBLISHED_ROUNDS) -> PaperTable:
    """Count a session in which the user is content after `rounds` edits, and set it beside the published figures.

    A naive session edits the whole video in every round. A KIVE session edits one keyframe in every round and then
    propagates it with one edit of the video, as `KeyframeSession` does.

    Raises:
        ValueError: when `rounds` is below 1.
    """
    session = session_cost(rounds)
    printed = published.kive_cost_pflops
    naive, kive = _published_session(printed, rounds)
    times = f"{rounds} round{'s' if rounds > 1 else ''}"
    counted = (
        ("video edit", edit_cost().total / PETA, printed.video_edit),
        ("keyframe edit", edit_cost(frames=1).total / PETA, printed.keyframe_edit),
        (f"naive session, {times}", session.naive / PETA, naive),
        (f"KIVE session, {times}", session.kive / PETA, kive),
    )
    notes = [
        "measured: counted with torch's FlopCounterMode on meta tensors for the 5B configuration at 49x480x720, "
        "50 steps, one evaluation a step; a keyframe edit is the same for one frame, one latent frame",
        "naive: one video edit a round; KIVE: one keyframe edit a round, then one video edit",
        f"published: by {printed.source}; why its keyframe edit costs more than one latent frame is not known",
    ]
    if naive is None:
        notes.append(f"{EMPTY}: {TWO_ROUNDS_ONLY}")
    block = Block(
        "PFLOPs of an edit and of a session",
        ("", "measured", "published"),
        tuple((name, f"{measured:.2f}", as_printed(value)) for name, measured, value in counted),
    )
    figures = tuple(_figure(name, measured, value, printed.source) for name, measured, value in counted)
    return PaperTable("kive-cost", "Cost of keyframe-guided editing", (block,), figures, tuple(notes))


def _published_session(printed: KiveCost, rounds: int) -> tuple[float | None, float | None]:
    if rounds != PUBLISHED_ROUNDS:
        return None, None
    return printed.naive_two_rounds, printed.kive_two_rounds


def _figure(name: str, measured: float, published: float | None, source: str) -> Figure:
    figure: Figure = {"name": name, "measured_pflops": measured, "published_pflops": published}
    return figure | ({"published_by": source} if published is not None else {"published_missing": TWO_ROUNDS_ONLY})
