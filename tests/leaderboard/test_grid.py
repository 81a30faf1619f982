from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vivid_bench.errors import RecordError
from vivid_bench.leaderboard.grid import ScoreGrid, mean_of_seeds, read_grid, summarise_grids
from vivid_bench.types import Summary

Line = dict[str, object]


def line(sample: str, metric: str, value: float | None, status: str = "ok", **more: object) -> Line:
    return {"sample_id": sample, "metric": metric, "value": value, "status": status, **more}


GOOD = [
    line("a", "m", 1.5, per_frame=[1.0, None, 2]),
    line("a", "n", 100, "exact", details={"share": 0.5}),
    line("b", "m", None, "failed", reason="it broke"),
    line("b", "n", None, "not_applicable", reason="no reference"),
]


def write(path: Path, lines: list[Line]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


def test_scores_become_arrays_in_the_order_of_samples_and_metrics(tmp_path: Path) -> None:
    grid = read_grid(write(tmp_path / "scores.jsonl", GOOD[::-1]), ("a", "b"), ("m", "n"))
    assert grid.metrics == ("m", "n")
    np.testing.assert_array_equal(grid.values, [[1.5, 100.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(grid.is_expected, [[True, True], [True, False]])
    np.testing.assert_array_equal(grid.is_exact, [[False, True], [False, False]])


@pytest.mark.parametrize(
    ("number", "bad", "words"),
    [
        (0, line("a", "m", None), ":1: no Score.* needs a finite value"),
        (0, line("a", "m", float("nan")), ":1: no Score"),
        (1, line("a", "n", 1e999), ":2: no Score"),
        (2, line("b", "m", None, "failed"), ":3: no Score.* needs a reason"),
        (2, line("b", "m", None, "failed", reason=""), ":3: no Score.* needs a reason"),
        (2, line("b", "m", 0.0, "failed", reason="it broke"), ":3: no Score.* no value"),
        (0, line("a", "m", 1.0, "fine"), ":1: no Score"),
        (0, line("a", "m", 1.0, weight=3), ":1: no Score.*weight"),
        (0, {"sample_id": "a", "value": 1.0, "status": "ok"}, ":1: no Score.*metric"),
        (0, line("c", "m", 1.0), ":1: sample c is not in run.json"),
        (0, line("a", "o", 1.0), ":1: metric o is not in run.json"),
        (1, line("a", "m", 2.0), ":2: a second m of a"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, number: int, bad: Line, words: str) -> None:
    lines = [*GOOD]
    lines[number] = bad
    with pytest.raises(RecordError, match=f"(?s)scores.jsonl{words}"):
        read_grid(write(tmp_path / "scores.jsonl", lines), ("a", "b"), ("m", "n"))


@pytest.mark.parametrize("content", ["{", "[1]\n", "\n", '{"sample_id": "a"', '"a"\n'])
def test_what_is_no_json_of_a_score_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "scores.jsonl").write_text(content)
    with pytest.raises(RecordError, match=r"scores\.jsonl:1: no Score"):
        read_grid(tmp_path / "scores.jsonl", ("a",), ("m",))


def test_missing_lines_are_counted(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"scores\.jsonl: 1 scores are missing, e\.g\. n of b"):
        read_grid(write(tmp_path / "scores.jsonl", GOOD[:3]), ("a", "b"), ("m", "n"))
    with pytest.raises(RecordError, match=r"scores\.jsonl:1: no Score"):
        read_grid(write(tmp_path / "scores.jsonl", []), ("a", "b"), ("m", "n"))


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    good = write(tmp_path / "scores.jsonl", GOOD)
    good.write_bytes(good.read_bytes().replace(b"it broke", b"it \xff\xfe"))
    with pytest.raises(RecordError, match=r"scores\.jsonl: .*utf-8"):
        read_grid(good, ("a", "b"), ("m", "n"))


def test_a_text_where_a_number_must_be_is_refused(tmp_path: Path) -> None:
    lines = [line("a", "m", 1.0) | {"value": "1.5"}]
    with pytest.raises(RecordError, match=r"scores\.jsonl"):
        read_grid(write(tmp_path / "scores.jsonl", lines), ("a",), ("m",))


def grid(*columns: list[float | None], exact: tuple[int, int] | None = None) -> ScoreGrid:
    values = np.array(columns, np.float64).T
    is_exact = np.zeros(values.shape, bool)
    if exact:
        is_exact[exact] = True
    return ScoreGrid(tuple("mn"[: len(columns)]), values, np.ones(values.shape, bool), is_exact)


def test_summaries_by_hand() -> None:
    found = grid([1.0, 2.0, None], [100.0, 0.0, 5.0], exact=(0, 1)).summaries(("v", "v", "w"))
    assert found == {
        "m": Summary(mean=(1.0 + 2.0) / 2, n_scored=2, n_expected=3),
        "n": Summary(mean=(100.0 + 0.0 + 5.0) / 3, n_scored=3, n_expected=3, n_exact=1),
    }, "no interval over two videos"


def test_an_interval_does_not_depend_on_what_stands_beside_it() -> None:
    rng = np.random.default_rng(0)
    names = [f"v{i}" for i in range(12)]
    gap = grid([None, None, *rng.normal(0, 1, 10)])
    whole = grid(list(rng.normal(0, 1, 12)))
    alone, together = gap.summaries(names)["m"], summarise_grids([whole, gap], names)[1]["m"]
    assert alone.ci_low is not None
    assert together.ci_low is not None
    assert alone.ci_low == pytest.approx(together.ci_low, rel=1e-9)


def test_seeds_are_averaged_by_clip_and_a_gap_stays_a_gap() -> None:
    mean = mean_of_seeds([grid([1.0, 2.0, None], exact=(1, 0)), grid([3.0, 4.0, 5.0])])
    np.testing.assert_array_equal(mean.values[:, 0], [2.0, 3.0, np.nan])
    assert mean.is_expected.all()
    assert not mean.is_exact.any()
