from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from vivid_bench.datasets.json_files import found_wrong, parse_json


def test_a_byte_order_mark_is_no_part_of_the_value() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": "\xc3\xa9 \\ud83d\\ude00"}') == {"a": "é 😀"}


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"1" * 5000, b'"\\ud800"', b'"\xff"', b"{}{}"],
    ids=["empty", "deep", "long number", "half a pair", "not UTF-8", "two values"],
)  # fmt: skip
def test_whatever_is_wrong_is_one_kind_of_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(content)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"bear": {"new": None}}, "bear.new: Input should be a valid string"),
        ([], "Input should be a valid dictionary"),
        (
            {"a": {"new": 1}, "b": {"new": 2}, "c": 3, "d": 4, "e": 5},
            "a.new: Input should be a valid string; b.new: Input should be a valid string; "
            "c: Input should be a valid dictionary; and 2 more",
        ),
    ],
)
def test_values_that_do_not_fit_are_said_in_plain_words(value: object, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(dict[str, dict[str, str]]).validate_python(value)
    assert found_wrong(raised.value) == words


def test_other_errors_say_what_they_say() -> None:
    assert found_wrong(ValueError("no JSON")) == "no JSON"
