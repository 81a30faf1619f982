"""A rater's page: one HTML file that holds its styles, scripts, words and items, and takes its videos from `media/`."""

from __future__ import annotations

import base64
import hashlib
from datetime import date
from importlib.resources import files as package_files

from jinja2 import Environment, PackageLoader, StrictUndefined

from vivid_bench.study.texts import (
    CONSENT_BOX,
    PRACTICE_RIGHT,
    PRACTICE_WRONG,
    QUESTION_TITLES,
    QUESTION_WORDS,
    RATING_WORDS,
    TASK_WORDS,
)
from vivid_bench.study.types import Packet

_STYLES = ("study.css",)
_SCRIPTS = ("player.js", "answers.js", "clips.js", "questions.js", "study.js")


def render_packet(packet: Packet) -> str:
    """Return the `index.html` of a packet.

    It asks for nothing but `media/<file>`, and for `state`, `answers` and `finish` beside it where it is served, so it
    works from a folder on disk. A Content-Security-Policy allows its own scripts by their hashes and nothing else; its
    `file:` is for Firefox, where `'self'` matches nothing in a page that is opened from disk.
    """
    templates = Environment(
        loader=PackageLoader("vivid_bench.study"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    styles = [_static(name) for name in _STYLES]
    scripts = [_static(name) for name in _SCRIPTS]
    return templates.get_template("packet.html").render(
        packet=packet,
        # `tojson` writes <, >, & and all beyond ASCII as escapes, so no caption can end the script that holds it.
        data={"packet": packet.model_dump(mode="json"), "words": _words(packet)},
        deadline=f"{date.fromisoformat(packet.deadline):%d %B %Y}".lstrip("0") if packet.deadline else None,
        consent_box=CONSENT_BOX,
        styles=styles,
        scripts=scripts,
        style_hashes=[_csp_hash(text) for text in styles],
        script_hashes=[_csp_hash(text) for text in scripts],
    )


def _words(packet: Packet) -> dict[str, object]:
    return {
        "tasks": TASK_WORDS,
        "titles": {question: QUESTION_TITLES[question] for question in packet.questions},
        "questions": {question: QUESTION_WORDS[packet.design][question] for question in packet.questions},
        "ratings": RATING_WORDS,
        "wrong": PRACTICE_WRONG[packet.design],
        "right": PRACTICE_RIGHT,
    }


def _static(name: str) -> str:
    return package_files("vivid_bench.study").joinpath("static", name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    """Return the source expression that allows one inline element, of exactly its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
