"""Whether answers are what a study asked for; the server and the reader of answers files both ask this."""

from __future__ import annotations

from datetime import UTC, date, datetime

from pydantic import ValidationError

from vivid_bench.study.types import Answer, Design, RaterAnswers, RaterPlan, StudyKey, Value


def check_value(design: Design, ties: bool, n_places: int, value: Value) -> str | None:
    """Return what is wrong with an answer to one question, None if nothing is.

    Args:
        design: of the study.
        ties: whether a pair may be called a tie.
        n_places: how many clips were shown.
        value: the answer.
    """
    match design:
        case "pairwise":
            expected = "1, 2 or a tie" if ties else "1 or 2"
            is_right = value in (1, 2) or (ties and value == "tie")
        case "rating":
            expected = "a rating from 1 to 5"
            is_right = isinstance(value, int) and 1 <= value <= 5
        case "ranking":
            expected = f"an order of the places 1 to {n_places}"
            is_right = isinstance(value, tuple) and sorted(value) == list(range(1, n_places + 1))
    # A hostile one may be megabytes long.
    shown = str(list(value[:9]) if isinstance(value, tuple) else value)
    return None if is_right else f"expected {expected}, found {shown:.40}"


def check_answer(key: StudyKey, plan: RaterPlan, answer: Answer) -> str | None:
    """Return what is wrong with the answers to one item, None if nothing is: all questions, each with a right value."""
    item = next((item for item in plan.items if item.id == answer.item), None)
    if item is None:
        return f"{answer.item} is no item of {plan.rater}"
    if answer.values.keys() != set(key.questions):
        found = ", ".join(answer.values) or "none"
        return f"{answer.item}: expected answers to {', '.join(key.questions)}, found {found}"
    for question, value in answer.values.items():
        if wrong := check_value(key.design, key.ties, len(item.shown), value):
            return f"{answer.item}, {question}: {wrong}"
    return None


def check_answers(key: StudyKey, answers: RaterAnswers) -> str | None:
    """Return what is wrong with a rater's answers, the first thing found, None if nothing is."""
    plan = key.plan(answers.rater)
    if plan is None:
        return "no rater of this study"
    if answers.packet != plan.packet:
        return "made with another packet, or a changed one"
    seen = set()
    for answer in answers.answers:
        if answer.item in seen:
            return f"{answer.item} is answered twice in one file"
        seen.add(answer.item)
        if wrong := check_answer(key, plan, answer):
            return wrong
        if day_of(answer) is None:
            return f"{answer.item}: no time in UTC: {answer.at:.40}"
    return None


def day_of(answer: Answer) -> date | None:
    """Return the day in UTC on which an answer was given, None where `at` does not say."""
    try:
        at = datetime.fromisoformat(answer.at)
        return at.astimezone(UTC).date() if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def is_over(key: StudyKey, day: date) -> bool:
    """Whether the study's last day is past."""
    return key.deadline is not None and day > date.fromisoformat(key.deadline)


def needed_items(plan: RaterPlan) -> set[str]:
    """Return the ids of the items that a rater has to answer: all but the training item."""
    return {item.id for item in plan.items if item.kind != "training"}


def first_error(error: ValidationError) -> str:
    """Return the first thing that is wrong with what was read, and where."""
    detail = error.errors()[0]
    place = ".".join(map(str, detail["loc"]))
    return f"{place}: {detail['msg']}" if place else detail["msg"]
