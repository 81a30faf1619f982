"""The data card of a built suite: what is in it, what fell out and why, from what and with which settings.

`card/card.json` holds the figures, `card/README.md` says them in words, pictures lie beside them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vivid_bench.build.card_pictures import draw_contact_sheet, draw_distributions
from vivid_bench.build.filters import LIMITS
from vivid_bench.build.quality import CLIP_LIMITS
from vivid_bench.build.results import BuiltSample, ClipResult, Reject
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.work import CARD
from vivid_bench.escaping import markdown
from vivid_bench.files import write_text
from vivid_bench.types import TASKS

FOLDER = "card"


def write_card(
    out: Path,
    settings: BuildSettings,
    results: Sequence[ClipResult],
    rejects: Sequence[Reject],
    hashes: Mapping[str, str],
    weights: Mapping[str, str],
) -> None:
    """Write a suite's data card.

    Args:
        out: the suite's folder, whose clips are drawn.
        rejects: of inputs that gave no clip; those of clips are in `results`.
        hashes: the user's files -> sha256.
        weights: stage -> the weights that it worked with.
    """
    samples = [built for result in results for built in result.samples]
    clips = {result.clip: result for result in results}
    facts = {
        "settings": settings.model_dump(mode="json", exclude={"device", "models"}),
        "limits": {"clips": asdict(CLIP_LIMITS), "masks": asdict(LIMITS)},
        "counts": _counts(samples, clips),
        "rejects": _counted([*rejects, *(reject for result in results for reject in result.rejects)]),
        "conversions": dict(sorted(Counter(note for clip in clips.values() for note in clip.notes).items())),
        "licences": dict(sorted(Counter(b.sample.licence or "not stated" for b in samples).items())),
        "inputs": dict(sorted(hashes.items())),
        "models": dict(sorted(weights.items())),
        "samples": [_sample_facts(built) for built in samples],
    }
    folder = out / FOLDER
    write_text(out / CARD, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    tasks = [task for task in TASKS if any(built.sample.task == task for built in samples)]
    for picture in folder.glob("*.png"):  # an earlier build's may be of other tasks
        picture.unlink()
    if samples:
        draw_distributions(folder / "distributions.png", samples)
    for task in tasks:
        chosen = [built.sample for built in samples if built.sample.task == task]
        draw_contact_sheet(folder / f"{task}.png", out, chosen)
    write_text(folder / "README.md", _readme(settings, facts, tasks))


def _counts(samples: Sequence[BuiltSample], clips: Mapping[str, ClipResult]) -> dict[str, Any]:
    return {
        "clips": len(clips),
        "videos": len({clip.video for clip in clips.values()}),
        "samples": dict(sorted(Counter(built.sample.task for built in samples).items())),
        "mask kinds": dict(sorted(Counter(built.sample.mask_kind or "" for built in samples).items())),
    }


def _counted(rejects: Sequence[Reject]) -> list[dict[str, Any]]:
    counts = Counter((reject.stage, reject.reason) for reject in rejects)
    rows = []
    for (stage, reason), count in sorted(counts.items()):
        ours = [r for r in rejects if (r.stage, r.reason) == (stage, reason)]
        examples = [f"{r.name}: {r.detail}" if r.detail else r.name for r in ours[:3]]
        rows.append({"stage": stage, "reason": reason, "count": count, "examples": examples})
    return rows


def _sample_facts(built: BuiltSample) -> dict[str, Any]:
    sample = built.sample
    return {
        "id": sample.id, "task": sample.task, "video": sample.source_video, "prompt": sample.prompt,
        "captions": built.captions, "label": built.label, "mask_kind": sample.mask_kind,
        **dict(sorted(built.measures.items())),
    }  # fmt: skip


def _readme(settings: BuildSettings, facts: Mapping[str, Any], tasks: Sequence[str]) -> str:
    counts = facts["counts"]
    lines = [
        f"# {settings.name}: data card",
        "",
        f"Built by `vivid-bench data build` with seed {settings.seed} from {len(facts['inputs'])} files: "
        f"{counts['clips']} clips of {settings.frames} frames from {counts['videos']} videos.",
        "In every sample the source is its own exact reference; the hole is hidden from methods.",
        "",
        "| task | samples |",
        "|---|---|",
        *(f"| {task} | {count} |" for task, count in counts["samples"].items()),
        "",
        f"Entities: {settings.selector}; propagation: {settings.propagator}; captions: {settings.captioner}; "
        f"background motion: {settings.motion}.",
        *_table("What fell out", ("stage", "reason", "count", "for example"), [
            (r["stage"], r["reason"], str(r["count"]), "; ".join(r["examples"])) for r in facts["rejects"]
        ]),
        *_table("Limits", ("of", "limit", "value"), [
            (of, name, f"{value:g}") for of, limits in facts["limits"].items() for name, value in limits.items()
        ]),
        *_table("What was done to videos", ("conversion", "clips"), _pairs(facts["conversions"])),
        *_table("Licences, as the builder stated them", ("licence", "samples"), _pairs(facts["licences"])),
        *_table("Models", ("stage", "weights"), _pairs(facts["models"])),
        "",
    ]  # fmt: skip
    if facts["samples"]:
        lines += ["![distributions](distributions.png)", ""]
    for task in tasks:
        lines += [f"## {task}", "", f"![{task}]({task}.png)", ""]
    lines += ["The files that it was built from, with their sha256, and every sample's figures are in `card.json`.", ""]
    return "\n".join(lines)


def _pairs(mapping: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in mapping.items()]


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    written = [f"| {' | '.join(markdown(cell) for cell in row)} |" for row in rows]
    return ["", f"## {title}", "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *written]
