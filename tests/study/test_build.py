"""A study on disk: whole, equal each time, and blind in every byte that raters get."""

from __future__ import annotations

import json
import re
import shutil
import stat
from datetime import date
from pathlib import Path

import av
import numpy as np
import pytest
from made_study import CAPTION, METHODS, Silent, made_study, write_runs

from vivid_bench.errors import InputError, InputReportError, VividBenchError
from vivid_bench.files import canonical_json, sha256_text
from vivid_bench.study.build import StudyOptions, build_study
from vivid_bench.study.packets import make_packet
from vivid_bench.study.page import render_packet
from vivid_bench.study.saved import read_key
from vivid_bench.study.selection import select
from vivid_bench.study.types import DESIGNS, Design, Packet, StudyKey
from vivid_bench.video import read_video

OPTIONS = StudyOptions("pairwise", ("overall",), raters=2, per_rater=4)


def packet_of(folder: Path) -> Packet:
    html = (folder / "index.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return Packet.model_validate(json.loads(found[1])["packet"])


def content(study: Path) -> dict[str, bytes]:
    return {path.relative_to(study).as_posix(): path.read_bytes() for path in study.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `records` and `data`; nobody changes it."""
    folder = tmp_path_factory.mktemp("runs")
    write_runs(folder)
    return folder


def build(runs: Path, out: Path, options: StudyOptions = OPTIONS) -> StudyKey:
    return build_study(select([runs / "records"], runs / "data"), options, out, Silent())


@pytest.mark.parametrize("design", DESIGNS)
def test_a_study_holds_a_packet_a_rater_a_plan_and_a_sealed_key(tmp_path: Path, design: Design) -> None:
    study = made_study(tmp_path, design, raters=3)
    assert {path.name for path in study.iterdir()} == {"packets", "plan.md", "key.json"}
    assert {path.name for path in (study / "packets").iterdir()} == {"r001", "r002", "r003"}
    assert stat.S_IMODE((study / "key.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    key = read_key(study)
    names: set[str] = set()
    for plan in key.raters:
        packet = packet_of(study / "packets" / plan.rater)
        assert packet.packet == plan.packet
        assert packet.packet == sha256_text(canonical_json(packet.model_dump(mode="json", exclude={"packet"})))
        assert [item.id for item in packet.items] == [item.id for item in plan.items]
        assert all(len(shown.clips) == len(item.shown) for shown, item in zip(packet.items, plan.items, strict=True))
        assert [index for index, item in enumerate(packet.items) if item.correct is not None] == [0]
        broken = plan.items[0].shown.index(None) + 1
        correct = {"pairwise": 3 - broken, "rating": 1, "ranking": (3 - broken, broken)}
        assert packet.items[0].correct == correct[design]
        media = [name for item in packet.items for name in (item.source, *item.clips)]
        # A name for each time that something is shown, and no rater has another's.
        assert len(media) == len(set(media))
        assert not names & set(media)
        names |= set(media)
        assert {path.name for path in (study / "packets" / plan.rater / "media").iterdir()} == set(media)
    assert all(re.fullmatch(r"[0-9a-f]{16}\.mp4", name) for name in names)


def test_every_clip_shows_what_the_key_says(runs: Path, tmp_path: Path) -> None:
    key = build(runs, tmp_path / "study")
    folders = {run.row.record.run_key: run for run in select([runs / "records"], runs / "data").tasks[0].runs}
    plan, media = key.raters[0], tmp_path / "study" / "packets" / "r001"
    packet = packet_of(media)
    for item, shown in zip(plan.items, packet.items, strict=True):
        for run, name in zip(item.shown, shown.clips, strict=True):
            seen = read_video(media / "media" / name).frames.astype(int)
            sample = key.samples[item.sample].id
            distance = {
                one.run_key: np.abs(read_video(folders[one.run_key].folder.edits_dir / f"{sample}.mkv").frames - seen)
                for one in key.runs
            }
            nearest = min(distance, key=lambda run_key: float(distance[run_key].mean()))
            if run is not None:
                assert nearest == key.runs[run].run_key
            else:
                assert all(float(difference.mean()) > 20 for difference in distance.values())


def test_the_key_has_every_score(runs: Path, tmp_path: Path) -> None:
    key = build(runs, tmp_path / "study")
    assert [run.method for run in key.runs] == list(METHODS)
    assert [run.scores["edit_psnr"] for run in key.runs] == [(20.0 + n,) * 4 for n in (1, 2, 3)]
    assert key.clip_seconds == (5 / 24,) * 4
    assert {sample.prompt for sample in key.samples} == {CAPTION}


def test_equal_runs_and_options_give_an_equal_study(runs: Path, tmp_path: Path) -> None:
    first, again = build(runs, tmp_path / "a"), build(runs, tmp_path / "b")
    assert first == again
    assert content(tmp_path / "a") == content(tmp_path / "b")
    other = build(runs, tmp_path / "c", StudyOptions("pairwise", ("overall",), 2, 4, seed=1))
    assert other.study != first.study
    assert other.raters != first.raters


def test_no_byte_of_a_packet_tells_who_made_what(runs: Path, tmp_path: Path) -> None:
    key = build(runs, tmp_path / "study")
    records = [folder.row.record for folder in select([runs / "records"], runs / "data").tasks[0].runs]
    secrets = [
        *METHODS,
        *(name for record in records for name in (record.run_key, record.run_id)),
        *(sample.id for sample in key.samples),
        *(sample.source_video for sample in key.samples),
        str(tmp_path), str(runs), "records", "edits", "secret", "hidden-name", ".mkv",
        "x264", "libx", "Lavf", "Lavc", "ffv1", "PyAV",
    ]  # fmt: skip
    for plan in key.raters:
        folder = tmp_path / "study" / "packets" / plan.rater
        packet = packet_of(folder)
        page = (folder / "index.html").read_bytes()
        # The page's own script and words are those of any study: what it holds beyond them is the packet.
        assert page == render_packet(packet).encode()
        own = canonical_json(packet.model_dump(mode="json", exclude={"instructions", "consent"})).encode()
        names = "\n".join(path.relative_to(folder).as_posix() for path in folder.rglob("*")).encode()
        media = [path.read_bytes() for path in sorted((folder / "media").iterdir())]
        for searched in (own, names, *media):
            assert [secret for secret in secrets if secret.encode().lower() in searched.lower()] == []
        assert [name for name in METHODS if name.encode() in page] == []
        assert len({path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}) == 1


def test_clips_of_a_comparison_are_equal_in_bytes_length_and_stream(runs: Path, tmp_path: Path) -> None:
    key = build(runs, tmp_path / "study")
    by_sample: dict[int, set[object]] = {}
    widths: dict[int, set[int | None]] = {}
    for plan in key.raters:
        folder = tmp_path / "study" / "packets" / plan.rater
        for item, shown in zip(plan.items, packet_of(folder).items, strict=True):
            for name in (shown.source, *shown.clips):
                path = folder / "media" / name
                with av.open(str(path)) as file:
                    video = file.streams.video[0]
                    facts = (
                        path.stat().st_size, file.duration, video.frames, video.average_rate,
                        video.codec_context.profile, str(file.metadata), str(video.metadata),
                    )  # fmt: skip
                    # The source alone may be enlarged.
                    width = None if name == shown.source else video.width
                by_sample.setdefault(item.sample, set()).add(facts)
                widths.setdefault(item.sample, set()).add(width)
                # Each begins with the same boxes of the same size.
                assert path.read_bytes()[:32] == b"\0\0\0 ftypisom\0\0\2\0isomiso2avc1mp41"
    assert all(len(facts) == 1 for facts in by_sample.values())
    assert all(len(found - {None}) == 1 for found in widths.values())


def test_a_hidden_hole_is_hidden_from_raters_too(tmp_path: Path) -> None:
    write_runs(tmp_path)
    selection = select([tmp_path / "records"], tmp_path / "data")
    (task,) = selection.tasks
    hidden = tuple(sample.model_copy(update={"hole": "hidden"}) for sample in task.samples)
    object.__setattr__(task, "samples", hidden)
    key = build_study(selection, OPTIONS, tmp_path / "study", Silent())
    folder = tmp_path / "study" / "packets" / "r001"
    item = packet_of(folder).items[0]
    mask = task.loaded.read(hidden[key.raters[0].items[0].sample]).mask
    assert mask[:, 8:14, 10:18].all()
    shown = read_video(folder / "media" / item.source).frames
    scale = shown.shape[1] // mask.shape[1]
    inside = shown[:, 8 * scale : 14 * scale, 10 * scale : 18 * scale]
    np.testing.assert_allclose(inside.astype(float), 128, atol=12)


def test_nothing_is_left_of_a_build_that_fails(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise VividBenchError("no room")

    monkeypatch.setattr("vivid_bench.study.build.plan_text", fail)
    with pytest.raises(VividBenchError, match="no room"):
        build(runs, tmp_path / "study")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_kept_as_it_is(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="a new folder"):
        build(runs, out)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    (out / "notes.txt").unlink()
    (tmp_path / "link").symlink_to(out)
    build(runs, tmp_path / "link")
    assert (out / "key.json").is_file()


def test_the_folder_that_one_is_in_is_not_replaced(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="a new folder"):
        build(runs, Path())


def test_runs_are_found_from_any_folder(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs / "data")
    assert build_study(select([Path("../records")], runs / "data"), OPTIONS, tmp_path / "study", Silent()).raters


def test_names_come_from_another_source_than_the_design(runs: Path, tmp_path: Path) -> None:
    # From a few hundred outputs of the generator that made the design, its state, and so the design, can be computed.
    key = build(runs, tmp_path / "study")
    options = StudyOptions("pairwise", ("overall",), raters=2, per_rater=4, seed=1)
    other = build(runs, tmp_path / "other", options)
    items = key.raters[0].items
    names = [make_packet(each, "r001", items, (24.0,) * 4, "", secret) for each in (key, other) for secret in "ab"]
    assert [one.items for one in names[:2]] == [one.items for one in names[2:]]
    assert not {item.source for item in names[0].items} & {item.source for item in names[1].items}


def test_ties_are_for_pairs(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(VividBenchError, match="--ties"):
        build(runs, tmp_path / "study", StudyOptions("rating", ("overall",), 2, 4, ties=True))


def test_a_deadline_is_kept(runs: Path, tmp_path: Path) -> None:
    key = build(runs, tmp_path / "study", StudyOptions("pairwise", ("overall",), 2, 4, deadline=date(2031, 5, 6)))
    assert key.deadline == packet_of(tmp_path / "study" / "packets" / "r001").deadline == "2031-05-06"


def test_an_edit_changed_after_scoring_stops_the_build(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    changed = next((tmp_path / "runs" / "records").rglob("edits/hidden-name-1.mkv"))
    changed.write_bytes(changed.read_bytes() + b"\0")
    with pytest.raises(InputReportError, match=r"hidden-name-1\.mkv: expected the edit that was scored, found another"):
        build(tmp_path / "runs", tmp_path / "study")
    assert not (tmp_path / "study").exists()
