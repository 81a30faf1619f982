"""The static site as a reader uses it, in headless Chromium, opened from disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from made_site import HOSTILE_CAPTION, HOSTILE_ID, MadeSite
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@dataclass
class Opened:
    """A page, and what went wrong on it or left it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1200, height: int = 800, *, dark: bool = False) -> Iterator[Page]:
    """Open a file; whatever the page complains of, or asks for beyond the disk, fails the test."""
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    seen = Opened(context.new_page())
    seen.page.set_default_timeout(60_000)
    seen.page.on("console", lambda message: seen.complaints.append(message.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("requestfailed", lambda request: seen.complaints.append(f"{request.url} {request.failure}"))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(path.as_uri())
    yield seen.page
    # A video that a closing page gives up is no failure.
    assert [text for text in seen.complaints if "ERR_ABORTED" not in text] == []
    assert all(url.startswith("file://") for url in seen.requests)
    assert any(url.endswith("site.css") for url in seen.requests)
    context.close()


def board(page: Page, suite: str = "mini") -> str:
    """The selector of the table of a suite."""
    return f".board[id^='delete-{suite}-']"


def column(page: Page, selector: str, cell: int) -> list[str]:
    return page.eval_on_selector_all(
        f"{selector} tbody:first-of-type tr[data-row]:not([hidden])",
        f"rows => rows.map(row => row.cells[{cell}]).map(c => (c.querySelector('.value') ?? c).textContent)",
    )


def frames(page: Page) -> list[int]:
    """The frame that each visible panel really shows, as its video's presented frames say."""
    return page.eval_on_selector_all(
        "figure:not([hidden]):has(video)", "figures => figures.map(figure => Number(figure.dataset.frame))"
    )


def until(page: Page, condition: str) -> None:
    """Wait for an expression to become true; Playwright's own way needs `eval`, which the pages forbid."""
    for _ in range(2000):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"never true: {condition}; frames shown: {frames(page)}")


def settled(page: Page, frame: int) -> None:
    """Wait until the player is at a frame, and every panel really shows it."""
    until(page, f"document.getElementById('player').dataset.settled === '{frame}'")
    until(
        page,
        f"[...document.querySelectorAll('figure:not([hidden]):has(video)')].every(f => f.dataset.frame === '{frame}')",
    )


def test_a_heading_sorts_and_says_so(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index) as page:
        table = board(page)
        names = [row.record.method.name for row in made_site.table().rows if not row.is_control]
        assert sorted(names) == ["navier-stokes", "telea"]
        main = page.locator(f"{table} thead th.metric").first
        for order, reverse in (("descending", True), ("ascending", False)):
            main.get_by_role("button").click()
            assert main.get_attribute("aria-sort") == order
            assert page.locator(f"{table} thead [aria-sort]").count() == 1
            values = [float(text) for text in column(page, table, 3)]
            assert values == sorted(values, reverse=reverse)
        # By keyboard too, and names by the alphabet.
        page.locator(f"{table} thead button", has_text="method").focus()
        page.keyboard.press("Enter")
        assert [name.strip() for name in column(page, table, 1)] == ["navier-stokes", "telea"]
        page.keyboard.press("Space")
        assert [name.strip() for name in column(page, table, 1)] == ["telea", "navier-stokes"]
        # Controls stay apart.
        assert "copy-source" in page.locator(f"{table} tbody.controls").inner_text()


def test_filters(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index) as page:
        table = board(page)
        whole = column(page, table, 3)
        page.get_by_label("Method").fill("TEL")
        assert [name.strip() for name in column(page, table, 1)] == ["telea"]
        assert "rows in 2 tables" in page.locator("#filter-status").inner_text()
        page.get_by_role("button", name="Clear").click()
        until(page, "document.getElementById('filter-status').textContent === ''")
        page.get_by_label("Mask kind").select_option("expand")
        note = page.locator(f"{table} .kind-note")
        assert note.inner_text().startswith("Means over the 1 of 3 clips whose mask kind is expand.")
        expected = {
            row.record.method.name: f"{row.values['edit_psnr'][2]:.2f}"
            for row in made_site.table().rows
            if not row.is_control
        }
        shown = dict(zip([name.strip() for name in column(page, table, 1)], column(page, table, 3), strict=True))
        assert shown == expected
        assert not page.locator(f"{table} td.rank .all-only").first.is_visible()
        assert page.locator(f"{table} .gallery li:visible").count() == 1
        # A suite without mask kinds keeps its figures and says so.
        assert "No clip of this table" in page.locator(f"{board(page, 'folder')} .kind-note").inner_text()
        page.get_by_label("Mask kind").select_option("")
        assert column(page, table, 3) == whole
        assert page.locator(f"{table} td.rank .all-only").first.is_visible()
        page.get_by_label("Task").select_option("delete")
        assert page.locator(".board:visible").count() == 2


def test_from_the_gallery_to_a_sample_and_back(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index) as page:
        page.locator(f"{board(page)} .gallery a").nth(1).click()
        assert page.locator("h1").inner_text() == "delete-001"
        settled(page, 0)
        page.get_by_role("link", name="previous").click()
        assert page.locator("h1").inner_text() == "delete-000"
        settled(page, 0)
        page.locator(".trail a").first.click()
        assert page.locator("h1").inner_text() == "Leaderboard"


def test_all_videos_are_at_the_frame_asked_for(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.page("delete-000")) as page:
        settled(page, 0)
        assert len(frames(page)) == 3 + 2 + 4  # source, mask, reference; two methods; four controls
        for frame in (7, 16, 3):
            page.locator("#scrubber").fill(str(frame))
            settled(page, frame)
            assert page.locator("#counter").inner_text() == f"{frame} / 16"
        page.locator("#forward").click()
        settled(page, 4)
        # Many at once: the last one counts.
        page.evaluate(
            "for (const f of [1, 9, 5, 12]) { scrubber.value = f; scrubber.dispatchEvent(new Event('input')); }"
        )
        settled(page, 12)


def test_keyboard_steps_plays_and_pauses(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.page("delete-000")) as page:
        settled(page, 0)
        for key, frame in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 16), ("Home", 0)):
            page.keyboard.press(key)
            settled(page, frame)
        page.keyboard.press("Space")
        until(page, "document.getElementById('play').getAttribute('aria-label') === 'Pause'")
        until(page, "Number(document.getElementById('scrubber').value) >= 3")
        page.keyboard.press("Space")
        until(page, "document.getElementById('player').dataset.settled !== undefined")
        stopped = int(page.locator("#scrubber").input_value())
        settled(page, stopped)
        # A focused button takes the space bar for itself: pressed once, it plays once.
        page.locator("#play").focus()
        page.keyboard.press("Space")
        assert page.locator("#play").get_attribute("aria-label") == "Pause"


def test_videos_play_to_the_end_in_step(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.page("delete-000")) as page:
        settled(page, 0)
        page.get_by_label("Loop").uncheck()
        page.get_by_label("Speed").select_option("2")
        page.locator("#play").click()
        until(page, "document.getElementById('play').getAttribute('aria-label') === 'Play'")
        settled(page, 16)


def test_differences(browser: Browser, made_site: MadeSite) -> None:
    # High enough for the controls, which stick to the window's lower edge, to cover no picture.
    with opened(browser, made_site.page("delete-000"), height=1600) as page:
        settled(page, 0)
        page.locator("#scrubber").fill("8")
        settled(page, 8)
        shots = {}
        for mode in ("reference", "source"):
            page.get_by_label("Edits as").select_option(mode)
            settled(page, 8)
            assert page.locator("figure[data-series] canvas:visible").count() == 6
            shots[mode] = {
                name: page.locator("figure", has_text=name).locator(".screen").screenshot()
                for name in ("telea", "frozen-frame")
            }
        # An inpainted hole differs from the reference, and nothing outside it from the source; a frozen frame does.
        assert brightness(shots["reference"]["telea"]) > 1.5 * brightness(shots["source"]["telea"])
        assert brightness(shots["source"]["frozen-frame"]) > 5 * brightness(shots["source"]["telea"])
        page.get_by_label("Amplified").select_option("0")
        plain = page.locator("figure", has_text="frozen-frame").locator(".screen").screenshot()
        assert brightness(plain) < brightness(shots["source"]["frozen-frame"])
        page.get_by_label("Edits as").select_option("edit")
        settled(page, 8)
        assert page.locator("figure[data-series] canvas:visible").count() == 0


def brightness(png: bytes) -> float:
    import cv2
    import numpy as np

    return float(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).mean())


def test_curves_follow_the_frame_and_the_methods_shown(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.page("delete-000")) as page:
        settled(page, 0)
        assert page.locator("#chart path.curve").count() == 6
        at = page.locator("#chart .cursor")
        before = float(at.get_attribute("x1") or 0)
        page.keyboard.press("End")
        settled(page, 16)
        assert float(at.get_attribute("x1") or 0) > before
        page.locator("#series").get_by_label("telea").uncheck()
        assert page.locator("#chart path.curve").count() == 5
        assert not page.locator("figure", has_text="telea").is_visible()
        page.locator("#metric").select_option(label="background psnr ↑")
        assert page.locator("#chart path.curve").count() == 5
        # Pressing on the chart goes to that frame.
        box = page.locator("#chart").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 52, box["y"] + 50)
        page.mouse.down()
        settled(page, 0)
        page.mouse.up()


def test_hostile_names_do_nothing(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index) as page:
        page.locator(".gallery a", has_text="onerror").click()
        assert page.locator("h1").inner_text() == HOSTILE_ID
        assert HOSTILE_CAPTION in page.locator(".caption").inner_text()
        assert page.title().startswith(HOSTILE_ID)
        assert page.locator("main img").count() == 0
        settled(page, 0)
        assert (
            "</script><b>bad</b>"
            in page.locator("figure", has_text="Broken")
            .or_(page.locator("figure", has_text="broken"))
            .first.inner_text()
        )


def test_on_a_phone_the_main_figure_is_seen_without_scrolling(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index, width=375) as page:
        box = page.locator(f"{board(page)} tbody td.metric .value").first.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 375 - 16


def test_on_paper_no_column_is_cut_off(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index, width=794) as page:  # A4 at 96 dots an inch
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
        assert not page.locator("#filters").is_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_only_tables_scroll_sideways(browser: Browser, made_site: MadeSite, dark: bool) -> None:
    for path in (made_site.report.index, made_site.page("delete-000"), made_site.page("img", "folder")):
        with opened(browser, path, width=375, dark=dark) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == 375
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(int(part) for part in paper[4:-1].split(",")) < 150) == dark
            assert page.locator("h1").is_visible()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, made_site: MadeSite) -> None:
    with opened(browser, made_site.report.index) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        kinds = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            kinds.add(
                page.evaluate("document.activeElement.closest('nav, form, .scroll, .gallery, details')?.className")
            )
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert {"contents", "filters", "scroll", "gallery", "pins"} <= kinds
