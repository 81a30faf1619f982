from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clips import box_mask, mask_video, moving_clip

from vivid_bench.datasets import vivid10m_sorted
from vivid_bench.datasets.types import Report
from vivid_bench.datasets.vivid10m import find
from vivid_bench.datasets.vivid10m_index import choose, count_rows, is_kept, left_out, read_rows, write_index
from vivid_bench.datasets.vivid10m_rows import Row
from vivid_bench.datasets.vivid10m_sorted import batches_of, order_of, write_sorted
from vivid_bench.errors import InputError
from vivid_bench.video import write_lossless, write_lossless_mp4

KINDS = ("original", "expand", "hull", "rect", None)
FRAMES = (1, 17, 49, None)


def rows(count: int) -> Iterator[Row]:
    for i in range(count):
        task = ("add,modify", "add", "delete")[i % 3]
        size = None if i % 7 == 0 else 240 * (i % 4 + 1)
        yield Row(
            f"s{i:05}", task, f"{i}.mp4", f"{i}m.mp4", f"p {i}", KINDS[i % 5], FRAMES[i % 4], size, size, f"v{i % 9}"
        )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 rows in row groups of 64."""
    path = tmp_path_factory.mktemp("index") / "index.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vivid10m_sorted, "ROWS_IN_GROUP", 64)
        patch.setattr(vivid10m_sorted, "_ROWS_AT_ONCE", 500)
        counts: list[int] = []
        write_sorted(batches_of(rows(3000), counts.append), path, list, path.parent)
    assert counts == [500, 1000, 1500, 2000, 2500, 3000]
    return path


def in_order(chosen: list[Row]) -> list[Row]:
    return sorted(chosen, key=lambda row: int(order_of([row.id])[0]))


def as_rows(table: Any) -> list[Row]:
    return [Row(**entry) for entry in table.to_pylist()]


def test_rows_come_back_whole_in_the_order_of_a_hash(index: Path) -> None:
    assert count_rows(index) == 3000
    assert as_rows(choose(index)) == in_order(list(rows(3000)))
    order = pq.read_table(index, columns=["order"])["order"].to_numpy()
    assert (order[:-1] <= order[1:]).all()
    # The first 8 bytes of BLAKE2b of the id; a change would give every limited run other samples.
    assert order_of(["s00000", "é"]).tolist() == [12328280489563214627, 14635220546840893743]


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"task": "add"}, lambda row: row.task != "delete"),
        ({"task": "modify"}, lambda row: row.task == "add,modify"),
        ({"task": "delete"}, lambda row: row.task == "delete"),
        ({"kinds": ("hull", "rect")}, lambda row: row.mask_kind in ("hull", "rect")),
        ({"min_frames": 17}, lambda row: (row.frames or 0) >= 17),
        ({"min_height": 480, "min_width": 500}, lambda row: (row.height or 0) >= 480 and (row.width or 0) >= 500),
        ({"task": "add", "kinds": ("original",), "min_frames": 49}, None),
        ({"min_frames": 50}, lambda row: False),
    ],
)
def test_filters(index: Path, filters: dict[str, Any], fits: Any) -> None:
    if fits is None:

        def fits(row: Row) -> bool:
            return row.task != "delete" and row.mask_kind == "original" and (row.frames or 0) >= 49

    expected = in_order([row for row in rows(3000) if fits(row)])
    assert as_rows(choose(index, **filters)) == expected
    assert as_rows(choose(index, **filters, count=40)) == expected[:40]
    assert choose(index, **filters, columns=("id",)).to_pydict() == {"id": [row.id for row in expected]}


def test_sampling_by_seed(index: Path) -> None:
    every = [row.id for row in in_order([row for row in rows(3000) if row.task == "delete"])]
    drawn = {seed: as_rows(choose(index, task="delete", count=100, seed=seed)) for seed in range(20)}
    for seed, chosen in drawn.items():
        ids = [row.id for row in chosen]
        assert len(set(ids)) == 100
        assert set(ids) <= set(every)
        assert ids == [i for i in every if i in set(ids)]
        assert as_rows(choose(index, task="delete", count=100, seed=seed)) == chosen
    assert len({tuple(row.id for row in chosen) for chosen in drawn.values()}) == 20
    # A tenth of the set holds the next one of about a tenth of its own, and not runs of neighbours.
    numbers = np.array(sorted(int(row.id[1:]) for row in drawn[0]))
    assert (np.diff(numbers) == 3).sum() < 30
    assert choose(index, task="delete", count=5000, seed=1).num_rows == 1000


def test_rows_of_a_task_are_read_as_a_stream(index: Path) -> None:
    expected = in_order([row for row in rows(3000) if row.task == "add,modify"])
    stream = read_rows(index, "modify")
    assert [next(stream) for _ in range(3)] == expected[:3]
    assert list(stream) == expected[3:]


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    row = next(rows(1))._replace(source="../secret.mp4")
    write_sorted(batches_of(iter([row]), lambda count: None), tmp_path / "index.parquet", list, tmp_path)
    with pytest.raises(InputError, match="paths below the data folder, found s00000"):
        list(find(tmp_path, "add", Report()))


def test_an_id_twice_leaves_the_old_index(tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    write_sorted(batches_of(rows(10), lambda count: None), path, list, tmp_path)
    before = path.read_bytes()
    doubled = iter([*rows(10), *rows(2)])
    with pytest.raises(InputError, match=r"each id once, found s0000[01].* again"):
        write_sorted(batches_of(doubled, lambda count: None), path, list, tmp_path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["index.parquet"]


def test_the_same_rows_in_another_order_make_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name, several in (("a", list(rows(200))), ("b", list(rows(200))[::-1])):
        write_sorted(batches_of(iter(several), lambda count: None), tmp_path / name, list, tmp_path)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_an_index_of_a_folder(tmp_path: Path) -> None:
    video, image = tmp_path / "00000001", tmp_path / "00000002"
    video.mkdir()
    image.mkdir()
    write_lossless_mp4(video / "source_video.mp4", moving_clip(), 24.0)
    for name in ("remove0000_ori_mask", "remove0000_rectangle_mask", "instance0000_ori_mask"):
        write_lossless(video / f"mask_clip0000_{name}.mkv", mask_video(box_mask(5, 24, 32)), 24.0)
    (image / "image.jpg").write_bytes(b"damaged")
    (image / "mask_clip0000_remove0000_ori_mask.png").write_bytes(b"damaged")
    counts: list[int] = []
    path = write_index(tmp_path, counts.append)
    assert (path, counts) == (tmp_path / "index.parquet", [3])
    assert is_kept(tmp_path)
    found = {row.id: (row.frames, row.height, row.width) for row in read_rows(path, "delete")}
    assert found == {
        "00000001_clip0000_remove0000_ori_mask": (5, 24, 32),
        "00000001_clip0000_remove0000_rectangle_mask": (5, 24, 32),
        "00000002_clip0000_remove0000_ori_mask": (1, None, None),
    }
    (line,) = left_out(path)
    assert "a caption with each instance's mask" in line
    # Again, now that there is one: it is no list of the set's own.
    assert write_index(tmp_path, counts.append).is_file()
    assert count_rows(path) == 3


def test_an_index_of_the_sets_own_is_not_overwritten(tmp_path: Path) -> None:
    table = pa.table({"id": ["a"], "source": ["a.mp4"], "mask": ["m.mp4"], "caption": ["x"], "frames": [49]})
    pq.write_table(table, tmp_path / "index.parquet")
    before = (tmp_path / "index.parquet").read_bytes()
    with pytest.raises(InputError, match=r"index\.parquet: expected no index but one made by vivid-bench"):
        write_index(tmp_path, lambda count: None)
    assert (tmp_path / "index.parquet").read_bytes() == before
    assert [c.id for c in find(tmp_path, "add", Report())] == ["a"]
    (tmp_path / "index.parquet").rename(tmp_path / "metadata.parquet")
    path = write_index(tmp_path, lambda count: None)
    assert [(row.id, row.frames) for row in read_rows(path, "add")] == [("a", 49)]


@pytest.mark.parametrize("content", ["{", "[1]", '{"source": "a", "mask": "b"}\n{'])
def test_a_damaged_list(tmp_path: Path, content: str) -> None:
    (tmp_path / "metadata.jsonl").write_text(content)
    with pytest.raises(InputError, match=r"metadata\.jsonl: expected"):
        write_index(tmp_path, lambda count: None)
    assert not (tmp_path / "index.parquet").exists()


def test_no_samples_at_all(tmp_path: Path) -> None:
    (tmp_path / "clips.json").write_text(json.dumps([]))
    with pytest.raises(InputError, match="expected samples of VIVID-10M: <8-digit id>/source_video"):
        write_index(tmp_path, lambda count: None)
    assert [p.name for p in tmp_path.iterdir()] == ["clips.json"]
