"""A study opened from disk as a rater takes it, in headless Chromium."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from made_packet import (
    ARGUMENTS,
    CHROMIUM,
    FRAMES,
    HOSTILE_PROMPT,
    PACKET,
    RATER,
    RIGHT_TO_LEFT,
    STUDY,
    made_packet,
    press,
    write_packet,
)
from playwright.sync_api import Browser, Page, expect, sync_playwright

from vivid_bench.study.types import Answer, AnswersFile, AnswersPayload, Design, Question, RaterAnswers

TWO: tuple[Question, ...] = ("visual-quality", "overall")
FIVE: tuple[Question, ...] = (
    "text-alignment", "visual-quality", "temporal-consistency", "background-preservation", "overall",
)  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextmanager
def opened(
    browser: Browser,
    page_file: Path,
    width: int = 1280,
    *,
    motion: Literal["reduce", "no-preference"] = "reduce",
    scheme: Literal["dark", "light"] = "light",
) -> Iterator[Page]:
    """Open a page from disk; whatever it complains of, or asks for beyond the disk, fails the test."""
    context = browser.new_context(
        viewport={"width": width, "height": 860}, reduced_motion=motion, color_scheme=scheme
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(60_000)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    yield page
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file://", "blob:file://", "blob:null", "data:"))] == []
    context.close()


def agree(page: Page) -> None:
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    on_item(page, "Practice")


def on_item(page: Page, progress: str) -> None:
    """Wait until an item's videos stand at a frame; with reduced motion they do not play by themselves."""
    expect(page.locator("#progress")).to_have_text(progress)
    page.locator("#stage[data-settled]").wait_for()


def practise(page: Page, keys: str) -> None:
    """Answer the training item rightly and go to the first item."""
    press(page, f"{keys} Enter")
    expect(page.locator("#message")).to_contain_text("That is right")
    press(page, "Enter")
    on_item(page, f"Item 1 of {items_of(page)}")


def items_of(page: Page) -> int:
    return int(page.evaluate("JSON.parse(document.getElementById('data').textContent).packet.items.length")) - 1


def save(page: Page, name: str, folder: Path) -> RaterAnswers:
    """Press a button that saves, and read the file as it must be."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    assert download.value.suggested_filename == f"answers-{STUDY}-{RATER}.json"
    path = folder / "saved.json"
    download.value.save_as(path)
    file = AnswersFile.model_validate_json(path.read_bytes())
    assert file.checksum == f"crc32:{zlib.crc32(file.payload.encode()):08x}"
    payload = AnswersPayload.model_validate_json(file.payload)
    assert payload.study == STUDY
    (rater,) = payload.raters
    assert (rater.rater, rater.packet, rater.simulated) == (RATER, PACKET, False)
    return rater


def values(answers: tuple[Answer, ...], question: Question = "overall") -> list[object]:
    return [answer.values[question] for answer in answers]


def times(page: Page) -> list[float]:
    return page.eval_on_selector_all("video", "videos => videos.map(video => video.currentTime)")


def test_a_whole_study_by_keyboard_with_a_reload_in_the_middle(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(10, questions=TWO, ties=True))
    with opened(browser, page_file) as page:
        expect(page.locator("h1:visible")).to_have_text("How this works")
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("alert").first).to_contain_text("Tick the box")
        expect(page.get_by_role("checkbox")).to_be_focused()
        press(page, "Space Enter")
        on_item(page, "Practice")

        # The training item: nothing answered, a wrong answer, the right one.
        press(page, "Enter")
        expect(page.locator("#message")).to_have_text("Please answer “Picture quality” first.")
        press(page, "2 1 Enter")
        expect(page.locator("#message")).to_contain_text("Clip 2 is the better one")
        expect(page.locator("[aria-pressed=true].choice")).to_have_count(1)  # the right one stays
        practise(page, "2")

        given = ["1", "2", "t", "1", "2", "2", "1", "t", "1", "2"]
        for place, key in enumerate(given, start=1):
            on_item(page, f"Item {place} of 10")
            if place == 2:
                expect(page.locator("#prompt")).to_have_text(HOSTILE_PROMPT)
            if place == 3:
                expect(page.locator("#prompt")).to_have_text(RIGHT_TO_LEFT)
                assert page.evaluate("getComputedStyle(document.getElementById('prompt')).direction") == "rtl"
            if place == 6:
                press(page, "1")
                page.reload()
                on_item(page, "Item 6 of 10")
                expect(page.locator("#message")).to_contain_text("You continue where you stopped")
                expect(page.locator("[aria-pressed=true].choice")).to_have_count(0)
            press(page, f"1 {key} Enter")

        expect(page.locator("h1:visible")).to_have_text("Almost done")
        assert page.title() == "Video study"
        assert page.locator("main img, main b, main script").count() == 0
        first = save(page, "Save answers", tmp_path)
        page.reload()
        again = save(page, "Save answers", tmp_path)
    assert first == again
    assert first.finished
    assert [answer.item for answer in first.answers] == [f"i{number:03d}" for number in range(11)]
    assert values(first.answers) == [2, *("tie" if key == "t" else int(key) for key in given)]
    assert values(first.answers, "visual-quality") == [2, *[1] * 10]
    assert all(answer.at.endswith("Z") and answer.seconds > 0 for answer in first.answers)


def test_a_part_can_be_saved(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(3))
    with opened(browser, page_file) as page:
        agree(page)
        practise(page, "2 2")
        press(page, "1 1 Enter")
        on_item(page, "Item 2 of 3")
        rater = save(page, "Save what I have", tmp_path)
        expect(page.locator("#message")).to_contain_text("Saved 2 of 4 answers")
        on_item(page, "Item 2 of 3")
    assert not rater.finished
    assert values(rater.answers) == [2, 1]


def test_digits_of_a_keyboard_that_has_them_behind_shift(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, write_packet(tmp_path, made_packet(3))) as page:
        agree(page)
        event = "new KeyboardEvent('keydown', { key: 'é', code: 'Digit2', bubbles: true })"
        page.evaluate(f"document.activeElement.dispatchEvent({event})")
        expect(page.get_by_role("button", name="Clip 2").first).to_have_attribute("aria-pressed", "true")


def test_a_rating(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(2, "rating", FIVE))
    with opened(browser, page_file) as page:
        agree(page)
        press(page, "1 2 1 4 1 Enter")
        expect(page.locator("#message")).to_contain_text("broken on purpose")
        press(page, "6 1")  # there is no 6
        practise(page, "")
        press(page, "5 4 3 2 1 Enter")
        on_item(page, "Item 2 of 2")
        # By mouse, out of order: what is still open comes next.
        page.locator("[data-question=overall]").get_by_role("button", name="good").click()
        expect(page.locator(".question.current")).to_have_attribute("data-question", "text-alignment")
        press(page, "1 1 1 1")
        expect(page.get_by_role("button", name="Next")).to_be_focused()
        press(page, "Backspace Backspace 3 5 Enter")
        rater = save(page, "Save answers", tmp_path)
    assert [answer.values for answer in rater.answers] == [
        dict(zip(FIVE, (1, 2, 1, 1, 1), strict=True)),
        dict(zip(FIVE, (5, 4, 3, 2, 1), strict=True)),
        dict(zip(FIVE, (1, 1, 3, 5, 4), strict=True)),
    ]


def test_a_ranking(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(2, "ranking"))
    with opened(browser, page_file) as page:
        agree(page)
        press(page, "1 2 3 2 3 1 Enter")
        expect(page.locator("#message")).to_contain_text("clip 1 comes last")
        practise(page, "3 2 1")  # only the broken clip's place is checked
        press(page, "3 1 Backspace 2 1")
        first = page.locator(".question").first
        expect(first.get_by_role("button", name="Clip 3")).to_have_text("1stClip 3")
        expect(first.get_by_role("button", name="Clip 1")).to_have_text("3rdClip 1")
        # Pressed again, a clip leaves the order, and those after it move up.
        first.get_by_role("button", name="Clip 3").click()
        expect(first.get_by_role("button", name="Clip 2")).to_have_text("1stClip 2")
        press(page, "3 1 2 3 Enter")
        on_item(page, "Item 2 of 2")
        press(page, "3 2 1 1 3 2 Enter")
        rater = save(page, "Save answers", tmp_path)
    assert values(rater.answers, "visual-quality") == [(3, 2, 1), (2, 1, 3), (3, 2, 1)]
    assert values(rater.answers) == [(2, 3, 1), (1, 2, 3), (1, 3, 2)]


def test_the_videos_play_as_one(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1))
    with opened(browser, page_file) as page:
        agree(page)
        assert times(page) == pytest.approx([0.5 / 8] * 3)
        press(page, "ArrowRight ArrowRight ArrowRight ArrowLeft")
        expect(page.locator("#stage")).to_have_attribute("data-settled", "2")
        assert times(page) == pytest.approx([2.5 / 8] * 3)
        press(page, "s s")
        expect(page.get_by_role("button", name="Quarter speed")).to_have_attribute("aria-pressed", "true")
        press(page, "Space")
        expect(page.locator("#play")).to_have_text("Pause")
        expect(page.locator("#frame")).to_have_text(f"5 / {FRAMES}")
        press(page, "Space")
        expect(page.locator("#play")).to_have_text("Play")
        page.locator("#stage[data-settled]").wait_for()
        stopped = times(page)
        assert stopped == pytest.approx([stopped[0]] * 3)
        press(page, "s r")
        expect(page.get_by_role("button", name="Full speed")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#frame")).to_have_text(f"{FRAMES} / {FRAMES}")
        expect(page.locator("#frame")).to_have_text(f"2 / {FRAMES}")  # it loops
        assert all(page.eval_on_selector_all("video", "videos => videos.map(video => video.muted)"))


def test_videos_play_by_themselves_unless_the_rater_wants_less_motion(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1))
    with opened(browser, page_file, motion="no-preference") as page:
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#play")).to_have_text("Pause")
        expect(page.locator("#frame")).to_have_text(f"3 / {FRAMES}")
    with opened(browser, page_file) as page:
        agree(page)
        expect(page.locator("#play")).to_have_text("Play")


def test_time_counts_only_while_the_page_is_seen(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1))
    see = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    see += " document.dispatchEvent(new Event('visibilitychange')); }"
    with opened(browser, page_file) as page:
        page.clock.install()
        page.reload()
        agree(page)
        page.clock.fast_forward(5_000)
        page.evaluate(see, True)
        page.clock.fast_forward(1_000_000)
        page.evaluate(see, False)
        page.clock.fast_forward(7_000)
        # What was spent before the page was closed counts, too.
        page.reload()
        on_item(page, "Practice")
        page.clock.fast_forward(11_000)
        practise(page, "2 2")
        rater = save(page, "Save what I have", tmp_path)
    assert 23 <= rater.answers[0].seconds < 500


def test_a_missing_video_is_said_and_holds_the_answer_back(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1))
    clip = page_file.parent / "media" / "002.mp4"
    clip.rename(clip.with_suffix(".away"))
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator(".screen p")).to_have_text("This video could not be loaded.")
    press(page, "2 2 Enter")
    expect(page.locator("#message")).to_contain_text("cannot be answered yet")
    clip.with_suffix(".away").rename(clip)
    page.get_by_role("button", name="Try again").click()
    on_item(page, "Practice")
    practise(page, "2 2")
    context.close()


def test_a_second_tab_stops_the_first(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(2))
    with opened(browser, page_file) as page:
        agree(page)
        other = page.context.new_page()
        other.goto(page_file.as_uri())
        on_item(other, "Practice")
        practise(other, "2 2")
        expect(page.locator("h1:visible")).to_have_text("Open in another tab")
        other.close()
        page.get_by_role("button", name="Continue here").click()
        on_item(page, "Item 1 of 2")


def test_a_passed_deadline_is_said(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1, deadline="2020-02-29"))
    with opened(browser, page_file) as page:
        expect(page.locator("#late")).to_contain_text("will not count")
    page_file = write_packet(tmp_path / "r002", made_packet(1, deadline="9999-12-31"))
    with opened(browser, page_file) as page:
        expect(page.locator("#late")).to_be_hidden()


@pytest.mark.parametrize("design", ["pairwise", "rating", "ranking"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_scrolls_sideways(
    browser: Browser, tmp_path: Path, design: Design, scheme: Literal["light", "dark"]
) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1, design, FIVE))
    with opened(browser, page_file, width=360, scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        agree(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(part) for part in paper[4:-1].split(",")) < 150) == (scheme == "dark")
        # Small clips are enlarged, all alike.
        sizes = page.eval_on_selector_all("video", "videos => videos.map(v => [v.clientWidth, v.clientHeight])")
        assert max(sizes) == pytest.approx(min(sizes), abs=1)
        assert sizes[0][0] > 150
        # Every button is large enough for a finger.
        heights = page.eval_on_selector_all(
            ".question button, .transport button, #next",
            "buttons => buttons.map(b => b.getBoundingClientRect().height)",
        )
        assert min(heights) >= 40


def test_tab_reaches_everything_and_shows_where_it_is(browser: Browser, tmp_path: Path) -> None:
    page_file = write_packet(tmp_path / "r001", made_packet(1))
    with opened(browser, page_file) as page:
        agree(page)
        page.locator("#play").focus()
        names = []
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            names.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText"))
        assert names == [
            *("Replay from the start", "One frame back", "One frame forward", "Full speed", "Half speed"),
            *("Quarter speed", "1\nClip 1", "2\nClip 2", "1\nClip 1", "2\nClip 2", "Save what I have", "Check"),
        ]
