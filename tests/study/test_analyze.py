import json

import pytest
from small_study import answers, item, key, run, sample

from vivid_bench.errors import VividBenchError
from vivid_bench.study.analyze import analyse
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.types import RaterAnswers, StudyKey

RATERS = ("r001", "r002", "r003", "r004")
N_SAMPLES = 4


def pairwise(**of_key: object) -> StudyKey:
    """Four raters are shown the same four pairs, method b on the left."""
    items = [item(2 + i, i, 1, 0) for i in range(N_SAMPLES)]
    runs = [
        run("a", edit_psnr=(9.0, 8.0, 7.0, 1.0)),
        run("b", edit_psnr=(1.0, 1.0, 1.0, 5.0)),
    ]
    samples = [sample(i, kind="box" if i < 3 else "blob") for i in range(N_SAMPLES)]
    made = key("pairwise", runs, samples, dict.fromkeys(RATERS, items), ties=True)
    return made.model_copy(update=of_key)


def mostly_a() -> list[RaterAnswers]:
    """All prefer a, but one tie, and one who prefers b on the last sample."""
    given = [answers(rater, {2: 2, 3: 2, 4: 2, 5: 2}) for rater in RATERS[:2]]
    return [*given, answers("r003", {2: 2, 3: 2, 4: "tie", 5: 2}), answers("r004", {2: 2, 3: 2, 4: 2, 5: 1})]


def test_a_pairwise_study():
    found = analyse(pairwise(), mostly_a(), ["one file was empty"], resamples=200)
    assert (found.raters_planned, found.raters_answered, found.raters_used, found.judgements) == (4, 4, 4, 16)
    assert found.problems == ("one file was empty",)
    assert not found.simulated
    assert found.main_question == "overall"
    whole, blob, box = found.results
    assert [table.mask_kind for table in found.results] == [None, "blob", "box"]
    assert (whole.raters, whole.samples, whole.judgements, whole.left_out) == (4, 4, 16, None)
    first, second = whole.methods
    assert (first.method, first.run_key, first.judgements, first.rank) == ("a", "delete-a", 16, 1)
    assert first.win_rate is not None
    assert first.win_rate.value == (14 + 0.5) / 16
    assert second.win_rate is not None
    assert second.win_rate.value == (1 + 0.5) / 16
    assert first.score.value == pytest.approx(-second.score.value)
    (pair,) = whole.pairs
    assert (pair.first, pair.second, pair.judgements, pair.wins, pair.ties) == ("a", "b", 16, 14, 1)
    assert pair.difference.value == pytest.approx(2 * first.score.value)
    assert pair.p == pair.p_corrected
    assert whole.alpha is not None
    # One sample: figures, but no intervals.
    assert (blob.samples, box.samples) == (1, 3)
    assert blob.methods[0].score.low is None
    assert blob.methods[0].score.reason == "fewer than 3 source videos"
    assert blob.pairs[0].p is None
    assert blob.methods[1].tied_with_best
    (metric,) = found.metrics
    assert metric.units == 4
    assert metric.agreement is not None
    # It prefers b on the last sample, where three of four raters prefer a.
    assert metric.agreement.value == 3 / 4


def test_the_higher_score_comes_first_whatever_the_order_of_runs():
    given = [answers(rater, dict.fromkeys(range(2, 6), 1)) for rater in RATERS]
    whole = analyse(pairwise(), given, (), resamples=50).results[0]
    assert [method.method for method in whole.methods] == ["b", "a"]
    assert (whole.pairs[0].first, whole.pairs[0].wins) == ("b", 16)


def test_the_same_input_gives_the_same_file_and_reads_back():
    one, other = (analyse(pairwise(), mostly_a(), (), resamples=50, seed=3) for _ in range(2))
    assert one == other
    assert StudyAnalysis.model_validate_json(one.model_dump_json()) == one
    assert "NaN" not in json.dumps(one.model_dump())
    assert analyse(pairwise(), mostly_a(), (), resamples=50, seed=4).results != one.results


def test_excluded_raters_count_nowhere_but_simulated_ones_still_show():
    fast = answers("r004", dict.fromkeys(range(2, 6), 1), seconds=0.1, simulated=True)
    found = analyse(pairwise(), [*mostly_a()[:3], fast], (), resamples=50)
    assert [out.rater for out in found.excluded] == ["r004"]
    assert (found.raters_answered, found.raters_used, found.judgements) == (4, 3, 12)
    assert found.results[0].judgements == 12
    assert found.simulated


def test_no_answers_leave_tables_without_figures():
    found = analyse(pairwise(), [], (), resamples=50)
    assert (found.raters_answered, found.raters_used, found.judgements) == (0, 0, 0)
    assert all(table.left_out == "no judgements" and not table.methods for table in found.results)
    assert found.results[0].alpha is None
    assert found.results[0].alpha_reason == "nothing was judged by two raters"
    assert found.metrics[0].agreement is None


def test_methods_that_never_meet_are_left_out():
    items = [item(2, 0, 0, 1), item(3, 0, 2, 3)]
    study = key("pairwise", [run(name) for name in "abcd"], [sample(0)], {"r001": items})
    (table,) = analyse(study, [answers("r001", {2: 1, 3: 1})], (), resamples=50).results
    assert table.left_out == "the judgements do not compare a, b, c, d all with each other, not even through others"
    assert table.judgements == 2


def test_tasks_are_not_pooled():
    runs = [run("a"), run("b"), run("a", "add"), run("b", "add")]
    items = [item(2, 0, 0, 1), item(3, 1, 2, 3)]
    study = key("pairwise", runs, [sample(0), sample(1, "add")], {"r001": items})
    delete, add = analyse(study, [answers("r001", {2: 1, 3: 2})], (), resamples=50).results
    assert (delete.task, delete.methods[0].method, delete.judgements) == ("delete", "a", 1)
    assert (add.task, add.methods[0].method, add.methods[0].run_key) == ("add", "b", "add-b")


def test_a_ranking_study():
    items = [item(2 + i, i, 2, 1, 0) for i in range(3)]
    study = key("ranking", [run("a"), run("b"), run("c")], [sample(i) for i in range(3)], dict.fromkeys(RATERS, items))
    # Places from the left are c, b, a; three raters put a first, then b, then c; one puts b first.
    given = [answers(rater, dict.fromkeys((2, 3, 4), (3, 2, 1))) for rater in RATERS[:3]]
    given.append(answers("r004", dict.fromkeys((2, 3, 4), (2, 3, 1))))
    found = analyse(study, given, (), resamples=100)
    (table,) = found.results
    assert table.judgements == found.judgements == 12
    a, b, c = table.methods
    assert [method.method for method in (a, b, c)] == ["a", "b", "c"]
    assert [method.judgements for method in table.methods] == [12, 12, 12]
    assert a.top_rate is not None
    assert b.top_rate is not None
    assert (a.top_rate.value, b.top_rate.value) == (9 / 12, 3 / 12)
    assert a.win_rate is not None
    assert a.win_rate.value == (9 / 12 + 12 / 12) / 2
    assert [(pair.first, pair.second, pair.judgements, pair.wins) for pair in table.pairs] == [
        ("a", "b", 12, 9),
        ("a", "c", 12, 12),
        ("b", "c", 12, 12),
    ]


def test_a_rating_study():
    items = [item(2 + 2 * i + m, i, m) for i in range(3) for m in range(2)]
    study = key("rating", [run("a"), run("b")], [sample(i) for i in range(3)], dict.fromkeys(RATERS, items))
    given = [answers(rater, {n: (2 if n % 2 == 0 else 4) for n in range(2, 8)}) for rater in RATERS[:3]]
    given.append(answers("r004", dict.fromkeys(range(2, 8), 3)))
    (table,) = analyse(study, given, (), resamples=100).results
    b, a = table.methods
    assert (b.method, b.score.value, b.judgements) == ("b", (9 * 4 + 3 * 3) / 12, 12)
    assert (a.method, a.score.value) == ("a", (9 * 2 + 3 * 3) / 12)
    assert b.win_rate is None
    assert b.top_rate is None
    (pair,) = table.pairs
    assert (pair.judgements, pair.wins, pair.ties) == (12, 9, 3)
    assert pair.difference.value == 3.75 - 2.25


def test_a_method_without_ratings_leaves_the_table_out():
    study = key("rating", [run("a"), run("b")], [sample(0)], {"r001": [item(2, 0, 0)]})
    (table,) = analyse(study, [answers("r001", {2: 5})], (), resamples=50).results
    assert table.left_out == "no ratings of b"


def test_an_unknown_rater_is_refused():
    with pytest.raises(VividBenchError, match="r999"):
        analyse(pairwise(), [answers("r999", {2: 1})], ())
