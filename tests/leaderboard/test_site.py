"""The files of the static site, without a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from clips import box_mask, moving_clip
from made_runs import made_split, read_tables, write_run
from made_site import HOSTILE_CAPTION, HOSTILE_ID, MadeSite

from vivid_bench.errors import InputError
from vivid_bench.leaderboard.site import write_site
from vivid_bench.leaderboard.site.media import largest_hole, mark_hole
from vivid_bench.leaderboard.site.names import page_name, table_name
from vivid_bench.leaderboard.site.table_pages import PAGES_A_TABLE, choose_samples
from vivid_bench.video import read_video


class Links(HTMLParser):
    """Collects what a page points to, and every script's text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.scripts: list[str] = []
        self.in_script = False
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if name in ("href", "src", "data-src") and value]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs), (tag, attrs)
        self.in_script = tag == "script"

    def handle_data(self, data: str) -> None:
        if self.in_script and data.strip():
            self.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False


def pages_of(site: MadeSite) -> list[Path]:
    return sorted(site.report.index.parent.rglob("*.html"))


def test_every_link_leads_to_a_file_of_the_site(made_site: MadeSite) -> None:
    root = made_site.report.index.parent
    listed = set(json.loads((root / "site.json").read_text())["files"])
    assert {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()} == listed | {"site.json"}
    assert made_site.report.pages == len(pages_of(made_site)) == 1 + 3 + 2
    for page in pages_of(made_site):
        for target in Links(page).targets:
            if not target.startswith("#"):
                path = (page.parent / target.split("#")[0]).resolve()
                assert path.is_file(), (page.name, target)
                assert path.is_relative_to(root.resolve())


def test_pages_allow_nothing_but_the_sites_own_files(made_site: MadeSite) -> None:
    for page in pages_of(made_site):
        text = page.read_text(encoding="utf-8")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        assert policy
        assert policy[1].startswith("default-src 'none'")
        assert "unsafe" not in policy[1]
        assert "http:" not in policy[1]
        assert "<html lang=" in text
        assert re.search("<title>[^<]+ – vivid-bench</title>", text)


def test_hostile_names_are_text(made_site: MadeSite) -> None:
    page = made_site.page("img", "folder")
    assert re.fullmatch(r"[a-z0-9-]+\.html", page.name)
    for path in (page, made_site.report.index):
        text = path.read_text(encoding="utf-8")
        assert "<img src=x" not in text
        assert "document.title" not in text or "&lt;script&gt;document.title" in text
        assert "{{ 7 * 7 }}" in text
        assert "<b>bad" not in text
        # All script text is one JSON object, whatever names and messages hold.
        for script in Links(path).scripts:
            json.loads(script)
    assert "&lt;/script&gt;&lt;b&gt;bad" in page.read_text(encoding="utf-8")


def test_a_sample_whose_suite_is_not_at_hand_still_shows_its_edits(made_site: MadeSite, tmp_path: Path) -> None:
    tables = [made_site.table("folder")]
    report = write_site(tables, tmp_path / "site")
    assert report.notes == ("the clips of suite folder do not ship with vivid-bench: pass --data DIR to show them",)
    (page,) = (tmp_path / "site").glob("samples/*/plain.html")
    text = page.read_text(encoding="utf-8")
    assert "were not at hand" in text
    assert "<video data-src=" in text
    assert "mask on source" not in text


def test_other_clips_than_those_of_the_runs_are_not_shown(made_site: MadeSite, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(made_site.data / "plain", other / "plain")
    tables = [made_site.table("folder")]
    report = write_site(tables, tmp_path / "site", data=other)
    assert len(report.notes) == 1
    assert "cannot be shown" in report.notes[0]


def test_without_any_video_a_page_has_its_figures_and_says_why(tmp_path: Path) -> None:
    write_run(tmp_path / "runs", made_split(3), "one", {"edit_psnr": [20.0, 21.0, None]})
    report = write_site(read_tables(tmp_path / "runs"), tmp_path / "site")
    assert (report.pages, report.videos) == (4, 0)
    page = next((tmp_path / "site").glob("samples/*/delete-2.html")).read_text(encoding="utf-8")
    assert "There is no video of this sample" in page
    assert ">failed</td>" in page
    assert "made to fail" in page
    index = report.index.read_text(encoding="utf-8")
    assert "20.50 (2/3)" in index


def test_several_seeds_are_said_once(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_run(tmp_path / "runs", made_split(3), "one", {"edit_psnr": [20.0 + seed, 21.0, 22.0]}, seed=seed)
    index = write_site(read_tables(tmp_path / "runs"), tmp_path / "site").index.read_text(encoding="utf-8")
    assert re.findall('<th scope="row">(.*?)</th>', index) == ["one (2 seeds)"]


def test_means_by_mask_kind_are_those_of_its_clips(made_site: MadeSite) -> None:
    (means,) = (json.loads(script) for script in Links(made_site.report.index).scripts)
    table = made_site.table("mini")
    kinds = means[table_name(table)]
    assert set(kinds) == {"original", "expand"}  # original twice, then expand
    for place, row in enumerate(table.rows):
        assert kinds["expand"][str(place)][0].startswith(f"{row.values['edit_psnr'][2]:.2f}")


def test_writing_again_replaces_the_sites_own_files_alone(made_site: MadeSite, tmp_path: Path) -> None:
    out = tmp_path / "site"
    first = write_site(made_site.tables, out, data=made_site.data)
    (out / ".git").mkdir()
    (out / "CNAME").write_text("mine")
    only = [made_site.table("mini")]
    second = write_site(only, out)
    assert second.pages == 4 < first.pages
    assert second.size < first.size
    assert (out / "CNAME").read_text() == "mine"
    assert (out / ".git").is_dir()
    assert len(list(out.rglob("*.html"))) == 4
    assert len(list((out / "media").iterdir())) == len({target for p in out.rglob("*.html") for target in media(p)})


def media(page: Path) -> list[str]:
    return [target.split("/")[-1] for target in Links(page).targets if "media/" in target]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="an empty folder, or a site"):
        write_site([], tmp_path)
    (tmp_path / "site.json").write_text('{"files": 3}')
    with pytest.raises(InputError, match="an empty folder, or a site"):
        write_site([], tmp_path)


def test_a_list_of_files_cannot_reach_outside(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (tmp_path / "precious").write_text("mine")
    (out / "old.html").write_text("old")
    (out / ".git").mkdir()
    (out / ".git" / "config").write_text("mine")
    (out / "notes").mkdir()
    files = ["../precious", str(tmp_path / "precious"), ".git/config", "notes", "old.html"]
    (out / "site.json").write_text(json.dumps({"files": files}))
    write_site([], out)
    assert (tmp_path / "precious").read_text() == "mine"
    assert (out / ".git" / "config").read_text() == "mine"
    assert (out / "notes").is_dir()
    assert not (out / "old.html").exists()


def test_a_preview_of_another_length_is_not_shown(made_site: MadeSite, tmp_path: Path) -> None:
    records = tmp_path / "runs"
    shutil.copytree(made_site.records / "mini", records / "mini")
    previews = {path.parent.parent.parent.name: path for path in records.rglob("delete-000.mp4")}
    shutil.copy(next(made_site.records.rglob("plain.mp4")), previews["telea"])
    previews["navier-stokes"].write_text("no video")
    report = write_site(read_tables(records), tmp_path / "site")
    assert len(report.notes) == 2
    assert any(
        "expected h264, 17 frames at 8 a second, found h264, 5 frames at 24 a second" in note for note in report.notes
    )


def test_previews_are_made_from_lossless_edits_where_they_are_missing(made_site: MadeSite, tmp_path: Path) -> None:
    records = tmp_path / "runs"
    shutil.copytree(made_site.records / "mini", records / "mini")
    for preview in records.rglob("delete-000.mp4"):
        preview.unlink()
    edit = next(records.rglob("telea/*/edits/delete-000.mkv"))
    tables = read_tables(records)
    report = write_site(tables, tmp_path / "site")
    assert report.notes == ()
    assert report.videos == made_site_videos(made_site)
    edit.write_bytes(edit.read_bytes() + b" ")
    report = write_site(tables, tmp_path / "site")
    assert len(report.notes) == 1
    assert "expected the edit that was scored, found another" in report.notes[0]


def made_site_videos(site: MadeSite) -> int:
    """Videos of the mini suite's pages."""
    own = {name for page in pages_of(site) if "-mini-" in str(page) for name in media(page)}
    return sum(name.endswith(".mp4") for name in own)


def test_videos_play_in_any_browser(made_site: MadeSite) -> None:
    for path in (made_site.report.index.parent / "media").glob("*.mp4"):
        clip = read_video(path)
        assert clip.codec == "h264"
        assert len(clip.frames) in (5, 17)


@pytest.mark.parametrize(
    ("sample_id", "name"),
    [
        ("delete-003", "delete-003"),
        ("a.b_c", "a.b_c"),
        ("Bear", "bear-"),
        ("bear ", "bear-"),
        ("雨", ""),
        ("a", "a"),
    ],
)
def test_page_names_are_plain(sample_id: str, name: str) -> None:
    made = page_name(sample_id)
    assert made == name or re.fullmatch(re.escape(name) + "[0-9a-f]{8}", made)


def test_page_names_differ_even_where_a_disk_ignores_case() -> None:
    ids = ["bear", "Bear", "BEAR", "bear ", " bear", HOSTILE_ID, "x" * 200, "x" * 199, "雨", "雪"]
    made = [page_name(sample_id) for sample_id in ids]
    assert len({name.lower() for name in made}) == len(ids)
    assert all(len(name) <= 100 and re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name) for name in made)


def test_samples_with_a_video_get_their_pages_first() -> None:
    samples = [f"s{i}" for i in range(PAGES_A_TABLE + 50)]
    chosen = choose_samples(samples, [{"s120"}, {"s149", "other"}])
    assert len(chosen) == PAGES_A_TABLE
    assert chosen[-3:] == ["s97", "s120", "s149"]
    assert choose_samples(samples[:3], []) == samples[:3]


def test_the_hole_is_tinted_inside_and_nowhere_else() -> None:
    frames = moving_clip(frames=2, height=24, width=32)
    mask = box_mask(2, 24, 32)
    mask[1] = False
    marked = mark_hole(frames, mask)
    assert marked.shape == (2, 9 * 24, 9 * 32, 3)  # 32 px enlarged to at least 288
    plain = mark_hole(frames, np.zeros_like(mask))
    assert np.array_equal(marked[1], plain[1])
    assert np.array_equal(marked[0, :30], plain[0, :30])
    # In the middle of the box: 70 % of the pixel, 30 % of (255, 45, 150).
    expected = plain[0, 99, 126] * 0.7 + np.array([255, 45, 150]) * 0.3
    assert np.abs(marked[0, 99, 126] - expected).max() <= 1


def test_the_poster_shows_the_largest_hole_nearest_to_the_middle() -> None:
    mask = np.zeros((5, 4, 4), bool)
    assert largest_hole(mask) == 2
    mask[0, :2] = mask[3, :2] = mask[4, :2] = True
    assert largest_hole(mask) == 3


def test_captions_are_read_whole(made_site: MadeSite) -> None:
    text = made_site.page("img", "folder").read_text(encoding="utf-8")
    assert HOSTILE_CAPTION in html.unescape(text)
    assert HOSTILE_ID in html.unescape(text)
