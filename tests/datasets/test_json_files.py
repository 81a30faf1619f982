from __future__ import annotations

import pytest

from vivid_bench.datasets.json_files import parse_json


def test_a_byte_order_mark_is_no_part_of_the_value() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": "\xc3\xa9 \\ud83d\\ude00"}') == {"a": "é 😀"}


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"1" * 5000, b'"\\ud800"', b'"\xff"', b"{}{}"],
    ids=["empty", "deep", "long number", "half a pair", "not UTF-8", "two values"],
)  # fmt: skip
def test_whatever_is_wrong_is_one_kind_of_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(content)
