import numpy as np
from small_study import answers, item, key, run, sample

from vivid_bench.study.judgements import (
    Judgements,
    Table,
    implied_pairs,
    pair_judgements,
    places,
    ratings,
    scored_items,
    tables,
)

OVERALL = Table("made", "delete", None, "overall")


def rows(found: Judgements) -> list[tuple[float, ...]]:
    columns = (found.raters, found.samples, found.first, found.second, found.outcomes)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_pairs_are_unblinded_and_put_in_the_order_of_runs():
    study = key(
        "pairwise",
        [run("a"), run("b"), run("c")],
        [sample(0), sample(1)],
        {"r001": [item(2, 0, 1, 0), item(3, 1, 0, 2)], "r002": [item(2, 1, 1, 2)]},
        ties=True,
    )
    given = [answers("r001", {2: 1, 3: 1}), answers("r002", {2: "tie"})]
    # b beat a: the first of the pair (a, b) lost. Then a beat c, and b and c tied.
    assert rows(pair_judgements(study, given, OVERALL)) == [(0, 0, 0, 1, 0), (0, 1, 0, 2, 1), (1, 1, 1, 2, 0.5)]


def test_only_scored_items_count():
    study = key(
        "pairwise",
        [run("a"), run("b")],
        [sample(0)],
        {
            "r001": [
                item(1, 0, 0, 1, kind="training"),
                item(2, 0, 0, None, kind="attention"),
                item(3, 0, 0, 1),
                item(4, 0, 1, 0, kind="repeat", repeats=3),
            ]
        },
    )
    given = answers("r001", {1: 1, 2: 1, 3: 2, 4: 1})
    assert rows(pair_judgements(study, [given], OVERALL)) == [(0, 0, 0, 1, 0)]
    assert [found.id for found, _ in scored_items(study, given)] == ["i003"]


def test_a_ranking_gives_all_its_pairs_and_places():
    study = key("ranking", [run("a"), run("b"), run("c")], [sample(0)], {"r001": [item(2, 0, 2, 0, 1)]})
    given = [answers("r001", {2: (3, 1, 2)})]
    # Places from the left are c, a, b; the order is third, first, second: b, c, a.
    found = pair_judgements(study, given, OVERALL)
    assert sorted(rows(found)) == [(0, 0, 0, 1, 0), (0, 0, 0, 2, 0), (0, 0, 1, 2, 1)]
    ranked = places(study, given, OVERALL)
    assert dict(zip(ranked.methods.tolist(), ranked.values.tolist(), strict=True)) == {0: 3, 1: 1, 2: 2}


def test_ratings_and_the_pairs_that_they_imply():
    study = key(
        "rating",
        [run("a"), run("b")],
        [sample(0), sample(1)],
        {"r001": [item(2, 0, 1), item(3, 0, 0), item(4, 1, 1)], "r002": [item(2, 1, 0)]},
    )
    given = [answers("r001", {2: 4, 3: 2, 4: 5}), answers("r002", {2: 5})]
    found = ratings(study, given, OVERALL)
    assert found.methods.tolist() == [1, 0, 1, 0]
    assert found.values.tolist() == [4, 2, 5, 5]
    # Only r001 rated both, on the first sample; a with 2 lost to b with 4.
    assert rows(implied_pairs(found)) == [(0, 0, 0, 1, 0)]


def test_tasks_questions_and_mask_kinds_are_apart():
    study = key(
        "pairwise",
        [run("a"), run("b"), run("a", "add"), run("b", "add")],
        [sample(0, kind="box"), sample(1, kind="blob"), sample(2), sample(3, "add", kind="box")],
        {"r001": [item(2, 0, 0, 1), item(3, 1, 0, 1), item(4, 2, 0, 1), item(5, 3, 2, 3)]},
        questions=("overall", "visual-quality"),
    )
    given = [answers("r001", {n: {"overall": 1, "visual-quality": 2} for n in (2, 3, 4, 5)})]
    counts = {
        (table.task, table.mask_kind, table.question): pair_judgements(study, given, table).outcomes.tolist()
        for table in tables(study)
    }
    assert counts == {
        ("delete", None, "overall"): [1, 1, 1],
        ("delete", "blob", "overall"): [1],
        ("delete", "box", "overall"): [1],
        ("delete", None, "visual-quality"): [0, 0, 0],
        ("delete", "blob", "visual-quality"): [0],
        ("delete", "box", "visual-quality"): [0],
        # One mask kind alone is no table.
        ("add", None, "overall"): [1],
        ("add", None, "visual-quality"): [0],
    }
    assert pair_judgements(study, given, Table("made", "add", None, "overall")).runs == (2, 3)


def test_samples_of_one_source_video_share_its_number():
    study = key(
        "rating",
        [run("a")],
        [sample(0, video="x"), sample(1, video="y"), sample(2, video="x")],
        {"r001": [item(2, 0, 0), item(3, 1, 0), item(4, 2, 0)]},
    )
    found = ratings(study, [answers("r001", {2: 1, 3: 2, 4: 3})], OVERALL)
    assert found.samples.tolist() == [0, 1, 2]
    assert found.videos[0] == found.videos[2] != found.videos[1]


def test_no_answers_give_empty_arrays():
    study = key("pairwise", [run("a"), run("b")], [sample(0)], {"r001": [item(2, 0, 0, 1)]})
    found = pair_judgements(study, [], OVERALL)
    assert found.outcomes.shape == found.raters.shape == (0,)
    assert found.first.dtype == np.intp
