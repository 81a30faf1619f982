import pytest

from vivid_bench.errors import InputError, InputReportError, UnknownNameError, VividBenchError


def test_unknown_name_suggests_the_nearest() -> None:
    error = UnknownNameError("method", "teela", ["telea", "vivid"])
    assert str(error) == 'unknown method "teela": did you mean "telea"? known: telea, vivid'
    assert error.suggestion == "telea"


@pytest.mark.parametrize(("name", "known"), [("zzz", ["telea"]), ("x", [])])
def test_unknown_name_without_a_near_one(name: str, known: list[str]) -> None:
    error = UnknownNameError("task", name, known)
    assert "did you mean" not in str(error)
    assert error.suggestion is None


def test_input_error_names_all_four_parts() -> None:
    error = InputError("a/b.mp4", expected="5 frames", found="4", fix="make it again")
    assert str(error) == "a/b.mp4: expected 5 frames, found 4; make it again"


def test_report_lists_every_error() -> None:
    errors = [InputError(name, expected="x", found="y", fix="z") for name in "ab"]
    report = InputReportError("data", errors)
    assert str(report).splitlines() == [
        "data: 2 problems:",
        "  - a: expected x, found y; z",
        "  - b: expected x, found y; z",
    ]
    assert isinstance(report, VividBenchError)
