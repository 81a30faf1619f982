"""The page and the server together: a rater in headless Chromium, a crash in the middle, and the answers at the end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_packet import PACKET, RATER, STUDY, made_packet, write_packet
from playwright.sync_api import Page, expect, sync_playwright
from served_study import made_key, running

from vivid_bench.study.answers import read_answers
from vivid_bench.study.store import STORE
from vivid_bench.study.types import Item, RaterPlan, StudyKey

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ITEMS = 4

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


def made_study(folder: Path) -> StudyKey:
    """One rater, a training item and four others."""
    packet = made_packet(ITEMS)
    write_packet(folder / "packets" / RATER, packet)
    items = tuple(
        Item(id=item.id, kind="scored" if n else "training", sample=0, shown=(0, 1))
        for n, item in enumerate(packet.items)
    )
    key = made_key(study=STUDY, deadline=None, raters=(RaterPlan(rater=RATER, packet=PACKET, items=items),))
    (folder / "key.json").write_text(key.model_dump_json())
    return key


def answer(page: Page, first: int, last: int) -> None:
    for place in range(first, last + 1):
        expect(page.locator("#progress")).to_have_text(f"Item {place} of {ITEMS}")
        page.locator("#stage[data-settled]").wait_for()
        for key in ("1", "2", "Enter"):
            page.keyboard.press(key)


def begin(page: Page) -> None:
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()


def practise(page: Page) -> None:
    expect(page.locator("#progress")).to_have_text("Practice")
    page.locator("#stage[data-settled]").wait_for()
    for key in ("2", "2", "Enter", "Enter"):
        page.keyboard.press(key)


def test_a_study_is_taken_over_a_restart_and_in_another_browser(tmp_path: Path) -> None:
    key = made_study(tmp_path)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with running(tmp_path, key) as served:
            page = chromium.new_context(reduced_motion="reduce").new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(served.address(RATER))
            begin(page)
            practise(page)
            answer(page, 1, 2)
            expect(page.locator("#progress")).to_have_text(f"Item 3 of {ITEMS}")
            expect(page.locator("#unsent")).to_be_empty()
            page.context.close()
        with running(tmp_path, key) as served:
            page = chromium.new_context(reduced_motion="reduce").new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(served.address(RATER))
            begin(page)
            answer(page, 3, 4)
            expect(page.locator("h1:visible")).to_have_text("Thank you")
            page.goto(served.admin_address)
            expect(page.get_by_text(f"{ITEMS} / {ITEMS}")).to_be_visible()
            expect(page.locator("p", has_text="raters have finished")).to_contain_text("1 of 1")
            with page.expect_download() as download:
                page.get_by_role("link", name="Export all answers").click()
            download.value.save_as(tmp_path / "export.json")
        chromium.close()
    assert complaints == []
    stored = read_answers(key, tmp_path / "key.json", [], tmp_path / STORE)
    assert stored == read_answers(key, tmp_path / "key.json", [tmp_path / "export.json"])
    assert stored.problems == ()
    (rater,) = stored.raters
    assert [given.item for given in rater.answers] == [f"i{n:03d}" for n in range(ITEMS + 1)]
    assert rater.answers[1].values == {"visual-quality": 1, "overall": 2}


def test_a_file_that_the_page_saved_reads_back(tmp_path: Path) -> None:
    key = made_study(tmp_path)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = chromium.new_context(reduced_motion="reduce").new_page()
        page.goto((tmp_path / "packets" / RATER / "index.html").as_uri())
        begin(page)
        practise(page)
        answer(page, 1, ITEMS)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save answers").click()
        download.value.save_as(tmp_path / "saved.json")
        chromium.close()
    found = read_answers(key, tmp_path / "key.json", [tmp_path / "saved.json"])
    assert found.problems == ()
    (rater,) = found.raters
    assert rater.finished
    assert [given.item for given in rater.answers] == [f"i{n:03d}" for n in range(ITEMS + 1)]
