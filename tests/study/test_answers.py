"""Answers files and the server's store: what is used, and what is said about the rest."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served_study import STUDY, answer, answers_of, made_key, payload

from vivid_bench.errors import InputError
from vivid_bench.study.answer_checks import check_answer
from vivid_bench.study.answers import Collected, answers_text, check_value, read_answers, write_answers
from vivid_bench.study.store import Store
from vivid_bench.study.types import Answer, AnswersPayload, Design, Value

KEY = made_key()

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: AnswersPayload | str | bytes, name: str = "answers.json") -> Path:
        path = tmp_path / name
        if isinstance(content, AnswersPayload):
            write_answers(path, content)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def read(*files: Path, store: Path | None = None) -> Collected:
    return read_answers(KEY, Path("key.json"), files, store)


def with_checksum(raw: str) -> str:
    """An answers file around any payload, whose checksum holds."""
    checksum = f"crc32:{zlib.crc32(raw.encode()):08x}"
    return json.dumps({"format": "vivid-bench-answers", "version": 1, "checksum": checksum, "payload": raw})


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    """One rater's answers with something changed, and the checksum computed anew, as a forger would."""
    rater = answers_of().model_dump(mode="json")
    change(rater)
    return with_checksum(json.dumps({"study": STUDY, "raters": [rater]}))


def test_what_is_written_reads_back(write: Write) -> None:
    given_answers = payload(answers_of("r001"), answers_of("r002", value=2))
    found = read(write(given_answers))
    assert found == Collected(given_answers.raters, ())


def test_the_checksum_is_of_the_payloads_bytes() -> None:
    # zlib.crc32(b"123456789") is CRC-32's check value in every table: cbf43926.
    assert json.loads(with_checksum("123456789"))["checksum"] == "crc32:cbf43926"
    file = json.loads(answers_text(payload(answers_of())))
    assert file["checksum"] == f"crc32:{zlib.crc32(file['payload'].encode()):08x}"


def test_a_file_with_a_byte_changed_is_left_out_and_the_others_are_used(write: Write) -> None:
    good = write(payload(answers_of("r002")), "good.json")
    damaged = answers_text(payload(answers_of("r001"))).replace("4.5", "9.5", 1)
    found = read(write(damaged), good)
    assert [rater.rater for rater in found.raters] == ["r002"]
    (problem,) = found.problems
    assert "answers.json: changed or damaged" in problem


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "[]", "not JSON", b"\xff\xfe\x00", "null", "[" * 100_000, with_checksum("[]"), with_checksum("{"),
        with_checksum('{"study": 1, "raters": []}'), with_checksum('{"study": "x", "raters": {}}'),
        with_checksum('{"study": "' + STUDY + '", "raters": [], "raters": []}'), with_checksum("[" * 100_000),
        answers_text(payload(answers_of())).replace("vivid-bench-answers", "other"),
        answers_text(payload(answers_of()))[:-40],
    ],
)  # fmt: skip
def test_what_is_no_answers_file_is_said_and_left_out(write: Write, content: str | bytes) -> None:
    found = read(write(content))
    assert found.raters == ()
    (problem,) = found.problems
    assert "answers.json" in problem
    assert "left out" in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(rater="r009"), "r009: no rater of this study"),
        (lambda r: r.update(rater=["r001"]), "rater"),
        (lambda r: r.update(packet="0" * 64), "another packet"),
        (lambda r: r.update(extra=1), "extra"),
        (lambda r: r["answers"].append(r["answers"][0]), "i002 is answered twice"),
        (lambda r: r["answers"][0].update(item="i099"), "i099 is no item"),
        (lambda r: r["answers"][0]["values"].pop("overall"), "i002: expected answers to visual-quality, overall"),
        (lambda r: r["answers"][0]["values"].update({"text-alignment": 1}), "i002: expected answers to"),
        (lambda r: r["answers"][0]["values"].update(overall=3), "i002, overall: expected 1 or 2, found 3"),
        (lambda r: r["answers"][0]["values"].update(overall="tie"), "overall: expected 1 or 2, found tie"),
        (lambda r: r["answers"][0]["values"].update(overall=[1, 2]), "expected 1 or 2, found [1, 2]"),
        (lambda r: r["answers"][0]["values"].update(overall=True), "overall"),
        (lambda r: r["answers"][0]["values"].update(overall="1"), "overall"),
        (lambda r: r["answers"][0]["values"].update(overall=1.5), "overall"),
        (lambda r: r["answers"][0].update(seconds=-1), "seconds"),
        (lambda r: r["answers"][0].update(seconds=float("inf")), "seconds"),
        (lambda r: r["answers"][0].update(at="yesterday"), "i002: no time in UTC: yesterday"),
        (lambda r: r["answers"][0].update(at="2026-06-01T10:00:00"), "no time in UTC"),
        (lambda r: r["answers"][0].update(at="0001-01-01T00:00:00+14:00"), "no time in UTC"),
    ],
)  # fmt: skip
def test_one_forged_answer_leaves_out_its_rater_alone(
    write: Write, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    forged = write(changed(change), "forged.json")
    found = read(forged, write(payload(answers_of("r002"))))
    assert [rater.rater for rater in found.raters] == ["r002"]
    (problem,) = found.problems
    assert said in problem
    assert "forged.json" in problem


def test_a_key_given_twice_is_no_answer(write: Write) -> None:
    raw = payload(answers_of()).model_dump_json().replace('"overall":1', '"overall":2,"overall":1', 1)
    assert read(write(with_checksum(raw))).raters == ()


def test_the_same_answers_twice_count_once(write: Write) -> None:
    path = write(payload(answers_of()))
    found = read(path, path)
    assert found.raters == (answers_of(),)
    (problem,) = found.problems
    assert "are the same; used once" in problem


@pytest.mark.parametrize("longer_first", [True, False])
def test_of_two_that_agree_the_longer_is_used(write: Write, longer_first: bool) -> None:
    short = write(payload(answers_of(items="i002 i003", finished=False)), "short.json")
    long = write(payload(answers_of()), "long.json")
    found = read(*((long, short) if longer_first else (short, long)))
    assert found.raters == (answers_of(),)
    (problem,) = found.problems
    assert "one holds 1 more; the longer is used" in problem


def test_two_that_agree_on_what_both_have_are_used_together(write: Write) -> None:
    first = write(payload(answers_of(items="i002 i003", finished=False)), "first.json")
    second = write(payload(answers_of(items="i003 i004")), "second.json")
    found = read(first, second)
    assert found.raters == (answers_of(),)
    assert "used together" in found.problems[0]


def test_contradicting_answers_leave_the_rater_out_whatever_comes_after(write: Write) -> None:
    first = write(payload(answers_of(value=1), answers_of("r002")), "first.json")
    second = write(payload(answers_of(items="i002 i003", value=2, finished=False)), "second.json")
    found = read(first, second, first)
    assert [rater.rater for rater in found.raters] == ["r002"]
    assert "contradict each other (at 2 of the items, first i002); the rater is left out" in found.problems[0]


def test_simulated_and_real_answers_of_one_rater_contradict(write: Write) -> None:
    real, simulated = answers_of(), answers_of().model_copy(update={"simulated": True})
    found = read(write(payload(real), "real.json"), write(payload(simulated), "simulated.json"))
    assert found.raters == ()
    assert "one is simulated" in found.problems[0]


def test_answers_after_the_last_day_are_left_out(write: Write) -> None:
    # The last day counts to its end, in UTC: 01:30 in a zone two hours ahead is 23:30 of the day before.
    times = ("2026-06-30T23:59:59Z", "2026-07-01T01:30:00+02:00", "2026-07-01T00:00:00Z")
    items = tuple(answer(item, at=at) for item, at in zip(("i002", "i003", "i004"), times, strict=True))
    late = answers_of().model_copy(update={"answers": items})
    (rater,) = read(write(payload(late))).raters
    assert [kept.item for kept in rater.answers] == ["i002", "i003"]
    assert read(write(payload(late))).problems == (
        "r001: 1 of 3 answers came after the deadline, 2026-06-30; left out",
        "r001: 2 of 3 items answered; used as far as they go",
    )


def test_all_late_leaves_nothing(write: Write) -> None:
    late = answers_of().model_copy(update={"answers": (answer("i002", at="2026-07-02T00:00:00Z"),)})
    found = read(write(payload(late)))
    assert found.raters == ()
    assert found.problems[-1] == "r001: no answers; left out"


def test_a_rater_who_stopped_early_is_used_and_said(write: Write) -> None:
    # The training item is not one of the three.
    found = read(write(payload(answers_of(items="i001 i002", finished=False))))
    assert [rater.rater for rater in found.raters] == ["r001"]
    assert found.problems == ("r001: 1 of 3 items answered; used as far as they go",)


def test_answers_to_another_study_are_left_out(write: Write) -> None:
    found = read(write(payload(answers_of(), study="f" * 16)))
    assert found.raters == ()
    assert f"answers to study {'f' * 16}, not to {STUDY}" in found.problems[0]


def test_a_file_of_nobody_is_said(write: Write) -> None:
    path = write(payload())
    assert read(path) == Collected((), (f"{path}: no answers in it",))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected an answers file, found no file"):
        read(tmp_path / "none.json")


def test_a_hostile_name_moves_no_cursor(write: Write) -> None:
    found = read(write(changed(lambda r: r.update(rater="\x1b[2J\n<b>"))))
    (problem,) = found.problems
    assert "\x1b" not in problem
    assert "\n" not in problem


@pytest.mark.parametrize("place", ["study", "rater", "item"])
def test_what_is_said_can_be_printed(write: Write, place: str) -> None:
    # JSON may spell half a character, which no encoding can write.
    names = {"study": STUDY, "rater": "r001", "item": "i002"} | {place: "\\ud800"}
    raw = answers_text(payload(answers_of(items="i002")))
    raw = json.loads(raw)["payload"]
    for name, old in (("study", STUDY), ("rater", "r001"), ("item", "i002")):
        raw = raw.replace(f'"{old}"', f'"{names[name]}"')
    found = read(write(with_checksum(raw)))
    assert found.raters == ()
    assert found.problems[0].encode()


def test_a_hostile_file_fills_no_report(write: Write) -> None:
    crowd = with_checksum(json.dumps({"study": STUDY, "raters": [0] * 1000}))
    assert read(write(crowd)).problems == (
        f"{write(crowd)}: 1,000 raters, more than the 2 of the study; the file is left out",
    )
    for change in (
        lambda rater: rater["answers"][0]["values"].update(overall=[*range(1, 9999)]),
        lambda rater: rater["answers"][0].update(at="x" * 9999),
    ):
        (problem,) = read(write(changed(change))).problems
        assert len(problem) < 400


def test_a_store_is_read_like_a_file(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "answers.sqlite"
    store = Store(path, STUDY)
    for item in ("i002", "i003", "i004"):
        store.add("r001", answer(item))
    store.add("r009", answer("i002"))
    store.finish("r001")
    # The server is still at work.
    found = read(write(payload(answers_of())), store=path)
    assert found.raters == (answers_of(),)
    assert [problem.split(": ", 1)[1] for problem in found.problems] == [
        "no rater of this study; this rater's answers in it are left out",
        f"answers in {path} and in {tmp_path / 'answers.json'} are the same; used once",
    ]
    store.close()


@pytest.mark.parametrize(
    ("design", "ties", "n_places", "right", "wrong"),
    [
        ("pairwise", False, 2, [1, 2], ["tie", 3, 5, (1, 2)]),
        ("pairwise", True, 2, [1, 2, "tie"], [3, (2, 1)]),
        ("rating", False, 1, [1, 2, 3, 4, 5], ["tie", (1,)]),
        ("ranking", False, 3, [(1, 2, 3), (3, 1, 2)], [1, "tie", (1, 2), (1, 1, 2), (1, 2, 4), (1, 2, 3, 3), ()]),
    ],
)  # fmt: skip
def test_values(design: Design, ties: bool, n_places: int, right: list[Value], wrong: list[Value]) -> None:
    assert [check_value(design, ties, n_places, value) for value in right] == [None] * len(right)
    assert all(check_value(design, ties, n_places, value) for value in wrong)


def test_a_training_item_may_be_answered() -> None:
    assert check_answer(KEY, KEY.raters[0], answer("i001")) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(["rater", "packet", "finished", "simulated", "answers"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=places, value=json_values)
def test_any_json_in_any_place_is_read_or_refused(write: Write, place: str, value: object) -> None:
    found = read(write(changed(lambda r: r.update({place: value}))))
    assert found.problems or found.raters[0].answers == answers_of().answers


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(max_size=200))
def test_any_bytes_are_refused(write: Write, text: bytes) -> None:
    found = read(write(text))
    assert (found.raters, len(found.problems)) == ((), 1)


def test_an_answer_keeps_its_order() -> None:
    ranked = Answer.model_validate_json(
        '{"item": "i001", "values": {"overall": [2, 1, 3]}, "seconds": 1, "at": "2026-06-01T00:00:00Z"}', strict=True
    )
    assert ranked.values["overall"] == (2, 1, 3)
