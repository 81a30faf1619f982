"""The words that raters read: instructions, consent, tasks, questions and what the practice item says."""

from __future__ import annotations

from vivid_bench.study.types import Design, Question
from vivid_bench.types import Task

_WHAT_THIS_IS = """\
You will watch short videos that were edited by computer programs, and say how well they were edited. On each screen \
the source video is shown first: the part that was to be edited is outlined. Above it stands what was asked for."""

_HOW_TO_WATCH = """\
The videos of a screen play together, without sound, again and again. Watch them as often as you like, in slow motion \
or frame by frame. Look inside the outline and outside it: the rest of the video should have stayed as it was. Where \
the outline is filled with grey, the programs did not see what was there, and had to make it up."""

_HOW_TO_GO_ON = """\
Answer every question, then go to the next screen. You cannot go back to a screen, so take a moment before you go on. \
You may close the page at any time: it continues at the same place when you open it again in the same browser. The \
first screen is for practice and tells you whether you read the questions as they are meant. A few later ones \
are there to check that answers are given with care. If a screen looks like one that you saw before, answer it \
afresh."""

_WHAT_TO_DO: dict[Design, str] = {
    "pairwise": "Beside the source stand two clips, each edited by a different program. Under each question, choose "
    "the one that does better. The questions are separate: a clip may be better in one way and worse in another.",
    "rating": "Beside the source stands one edited clip. Under each question, rate it from 1 (bad) to 5 (excellent). "
    "The questions are separate: a clip may be good in one way and poor in another.",
    "ranking": "Beside the source stand several clips, each edited by a different program. Under each question, put "
    "them in order: choose the best clip first, then the second best, and so on to the worst. The questions are "
    "separate: a clip may be good in one way and poor in another.",
}

INSTRUCTIONS: dict[Design, str] = {
    design: "\n\n".join((_WHAT_THIS_IS, to_do, _HOW_TO_WATCH, _HOW_TO_GO_ON)) for design, to_do in _WHAT_TO_DO.items()
}
"""What a rater reads first, plain text, a blank line between paragraphs."""

CONSENT = """\
Taking part is voluntary. You may stop at any time, without giving a reason, by closing the page.

What is recorded are your answers, when you gave them and how long you took for each. They are kept under a number, \
without your name, and are used for research on video editing; results may be published.

Some videos flicker or show broken pictures. Please do not take part if flickering pictures can harm you."""

CONSENT_BOX = "I have read this, and I agree to take part."

TASK_WORDS: dict[Task, str] = {
    "add": "Something new was to be added inside the outline.",
    "modify": "What the outline marks was to be changed.",
    "delete": "What the outline marks was to be removed, as if it had never been there.",
}

QUESTION_TITLES: dict[Question, str] = {
    "text-alignment": "What was asked for",
    "visual-quality": "Picture quality",
    "temporal-consistency": "Steadiness",
    "background-preservation": "The rest of the video",
    "overall": "Overall",
}

QUESTION_WORDS: dict[Design, dict[Question, str]] = {
    "pairwise": {
        "text-alignment": "Which clip shows better what was asked for?",
        "visual-quality": "Which clip looks better: sharper, more natural, with fewer visible faults?",
        "temporal-consistency": "Which clip is steadier over time: less flicker, fewer jumps and changing shapes?",
        "background-preservation": "In which clip has everything outside the outline stayed closer to the source?",
        "overall": "Which clip is the better edit, all in all?",
    },
    "rating": {
        "text-alignment": "How well does the clip show what was asked for?",
        "visual-quality": "How good does the clip look: sharp, natural, without visible faults?",
        "temporal-consistency": "How steady is the clip over time: without flicker, jumps and changing shapes?",
        "background-preservation": "How well has everything outside the outline stayed as it is in the source?",
        "overall": "How good is the edit, all in all?",
    },
    "ranking": {
        "text-alignment": "Which clips show best what was asked for?",
        "visual-quality": "Which clips look best: sharp, natural, with the fewest visible faults?",
        "temporal-consistency": "Which clips are steadiest over time: least flicker, fewest jumps and changing shapes?",
        "background-preservation": "In which clips has everything outside the outline stayed closest to the source?",
        "overall": "Which clips are the best edits, all in all?",
    },
}
"""What is asked, for each design and question."""

RATING_WORDS = ("bad", "poor", "fair", "good", "excellent")
"""What the ratings 1 to 5 mean: the five categories of ITU-T Rec. P.910 (absolute category rating)."""

PRACTICE_WRONG: dict[Design, str] = {
    "pairwise": "One clip of this practice screen is broken on purpose. Clip {answer} is the better one under every "
    "question. Wrong answers were cleared: please give them again.",
    "rating": "The clip of this practice screen is broken on purpose, so it rates low under every question: {answer} "
    "is right here. Wrong answers were cleared: please give them again.",
    "ranking": "One clip of this practice screen is broken on purpose: clip {answer} comes last under every question. "
    "Wrong answers were cleared: please give them again.",
}
"""What a wrong answer to the training item is told; `{answer}` is the better clip, the rating, or the worst clip."""

PRACTICE_RIGHT = (
    "That is right: the broken clip loses under every question. From here on there are no hints, and most differences "
    "are smaller. Trust what you see."
)
