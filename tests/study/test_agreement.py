from dataclasses import replace

import krippendorff
import numpy as np
import pytest
from small_study import answers, item, judgements, key, run, sample

from vivid_bench.study.agreement import pair_alpha, self_agreement, value_alpha
from vivid_bench.study.judgements import Ratings


def test_raters_of_one_mind_have_an_alpha_of_one():
    assert pair_alpha(judgements(3, 4, {(0, 1): 1.0, (0, 2): 0.0, (1, 2): 0.5})) == (1.0, None)


def test_alpha_of_pairs_by_hand():
    made = judgements(2, 2, {(0, 1): 1.0})
    # The raters agree on the first sample and differ on the second.
    found, _ = pair_alpha(replace(made, outcomes=np.where((made.raters == 1) & (made.samples == 1), 0.0, 1.0)))
    # Both ways round: units (1, 1), (0, 0), (1, 0), (0, 1). Observed disagreement 4 of 8; expected 2 * 4 * 4 / (8 * 7).
    assert found == pytest.approx(1 - (4 / 8) / (32 / 56))


@pytest.mark.parametrize("turned", [False, True])
def test_it_does_not_matter_which_method_is_the_first(turned):
    made = judgements(4, 6, {(0, 1): 1.0})
    outcomes = np.where(np.random.default_rng(0).random(len(made.raters)) < 0.8, 1.0, 0.0)
    of_other = replace(made, first=made.second, second=made.first) if turned else made
    assert pair_alpha(replace(of_other, outcomes=outcomes))[0] == pair_alpha(replace(made, outcomes=outcomes))[0]


def test_coins_have_an_alpha_of_nought_however_many_methods():
    made = judgements(20, 30, {(i, j): 1.0 for i in range(5) for j in range(i + 1, 5)})
    coins = np.random.default_rng(0).integers(0, 2, len(made.raters)).astype(float)
    assert pair_alpha(replace(made, outcomes=coins))[0] == pytest.approx(0, abs=0.01)


def test_no_alpha_without_two_raters_or_two_answers():
    assert pair_alpha(judgements(1, 4, {(0, 1): 1.0})) == (None, "nothing was judged by two raters")
    assert pair_alpha(judgements(3, 4, {(0, 1): 0.5})) == (None, "all answers are the same")
    empty = np.zeros(0, np.intp)
    nothing = Ratings((0, 1), empty, empty, empty, empty, np.zeros(0))
    assert value_alpha(nothing) == (None, "nothing was judged by two raters")


def test_alpha_of_ratings_is_that_of_the_package():
    rng = np.random.default_rng(0)
    table = rng.integers(1, 6, (4, 6)).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    raters, units = np.nonzero(~np.isnan(table))
    # Six units: three samples of two methods.
    found, reason = value_alpha(Ratings((0, 1), raters, units // 2, units // 2, units % 2, table[raters, units]))
    assert reason is None
    assert found == pytest.approx(krippendorff.alpha(table, level_of_measurement="ordinal"))


def test_self_agreement_sees_through_the_reversed_places():
    items = [
        item(2, 0, 0, 1),
        item(3, 1, 0, 1),
        item(4, 2, 0, 1),
        item(5, 0, 1, 0, kind="repeat", repeats=2),
        item(6, 1, 1, 0, kind="repeat", repeats=3),
        item(7, 2, 1, 0, kind="repeat", repeats=4),
    ]
    study = key("pairwise", [run("a"), run("b")], [sample(i) for i in range(3)], {"r001": items, "r002": items})
    given = [
        # a both times; the left both times, so a and then b; a tie both times.
        answers("r001", {2: 1, 3: 1, 4: "tie", 5: 2, 6: 1, 7: "tie"}),
        # The repeat of item 2 was not answered, and item 3 was not either.
        answers("r002", {2: 1, 6: 1, 4: 1, 7: "tie"}),
    ]
    (found,) = self_agreement(study, given)
    assert (found.question, found.repeats, found.same) == ("overall", 4, 2)


def test_self_agreement_of_rankings_and_ratings():
    shown = [item(2, 0, 0, 1, 2), item(3, 0, 2, 1, 0, kind="repeat", repeats=2)]
    study = key("ranking", [run("a"), run("b"), run("c")], [sample(0)], {"r001": shown})
    assert self_agreement(study, [answers("r001", {2: (1, 2, 3), 3: (3, 2, 1)})])[0].same == 1
    assert self_agreement(study, [answers("r001", {2: (1, 2, 3), 3: (1, 2, 3)})])[0].same == 0
    shown = [item(2, 0, 0), item(3, 0, 0, kind="repeat", repeats=2)]
    study = key("rating", [run("a")], [sample(0)], {"r001": shown})
    assert self_agreement(study, [answers("r001", {2: 4, 3: 4})])[0].same == 1
    assert self_agreement(study, [answers("r001", {2: 4, 3: 5})])[0].same == 0
