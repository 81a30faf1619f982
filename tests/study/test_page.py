"""The page as text: complete in itself, escaped, and with a policy that fits it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_packet import HOSTILE_PROMPT, made_packet

from vivid_bench.study.page import render_packet
from vivid_bench.study.texts import INSTRUCTIONS, PRACTICE_WRONG, QUESTION_TITLES, QUESTION_WORDS, TASK_WORDS
from vivid_bench.study.types import DESIGNS, QUESTIONS, Design, Packet
from vivid_bench.types import TASKS


def held(html: str) -> Packet:
    """The packet that a page holds, as its script reads it."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    return Packet.model_validate_json(json.dumps(json.loads(data)["packet"]))


@pytest.mark.parametrize("design", DESIGNS)
def test_the_page_holds_the_whole_packet(design: Design) -> None:
    packet = made_packet(4, design)
    html = render_packet(packet)
    assert html.startswith("<!doctype html>")
    assert held(html) == packet
    for paragraph in packet.instructions.split("\n\n"):
        assert f"<p>{paragraph}</p>" in html


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    html = render_packet(made_packet(4))
    assert not re.search(r"https?://", html)
    assert re.findall(r'(?:src|href|action)="([^"]*)"', html) == ["data:,"]
    assert "@import" not in html
    assert "url(" not in html


def test_the_policy_allows_the_pages_own_scripts_and_styles_alone() -> None:
    html = render_packet(made_packet(4))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    # In Firefox 'self' matches nothing in a page that is opened from disk.
    assert rules["media-src"] == "'self' file:"
    for tag in ("script", "style"):
        hashes = [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        ]
        assert hashes
        assert rules[f"{tag}-src"].split() == hashes
    assert "style=" not in html
    assert not re.search(r"\son[a-z]+=", html.split("<body>")[1].split('<script type="application/json"')[0])


@given(st.text(), st.text())
def test_no_text_of_a_packet_becomes_markup(prompt: str, consent: str) -> None:
    packet = made_packet(2)
    items = tuple(item.model_copy(update={"prompt": prompt}) for item in packet.items)
    changed = packet.model_copy(update={"items": items, "consent": consent})
    html = render_packet(changed)
    assert held(html) == changed
    assert html.count("<script") == render_packet(packet).count("<script")


def test_a_hostile_caption_is_escaped() -> None:
    packet = made_packet(4)
    html = render_packet(packet)
    assert packet.items[2].prompt == HOSTILE_PROMPT
    assert "<img" not in html
    consent = packet.model_copy(update={"consent": "<b>bold</b> & more"})
    assert "<p>&lt;b&gt;bold&lt;/b&gt; &amp; more</p>" in render_packet(consent)


def test_ties_are_offered_where_they_are_allowed() -> None:
    assert "call it a tie" in render_packet(made_packet(2, ties=True))
    assert "tie</dd>" not in render_packet(made_packet(2))


def test_the_deadline_is_told() -> None:
    assert "until the end of <strong>3 May 2027</strong>" in render_packet(made_packet(2, deadline="2027-05-03"))
    assert "until the end of" not in render_packet(made_packet(2))


def test_there_are_words_for_everything() -> None:
    assert set(INSTRUCTIONS) == set(QUESTION_WORDS) == set(PRACTICE_WRONG) == set(get_args(Design))
    assert all(set(words) == set(QUESTIONS) for words in [QUESTION_TITLES, *QUESTION_WORDS.values()])
    assert set(TASK_WORDS) == set(TASKS)
    assert all("{answer}" in words for words in PRACTICE_WRONG.values())
