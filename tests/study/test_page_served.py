"""A study that is served, as a rater takes it in headless Chromium: refused, lost, doubled and late answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from made_packet import ARGUMENTS, CHROMIUM, RATER, STUDY, StandIn, made_packet, press, serving, write_packet
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from served_study import made_key, running

from vivid_bench.study.types import Answer, AnswersFile, AnswersPayload, Item, Packet, RaterPlan

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture(scope="module")
def packet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packets") / "r001"
    write_packet(folder, made_packet(10))
    return folder


@pytest.fixture
def server(packet_folder: Path) -> Iterator[StandIn]:
    with serving(packet_folder) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def context_maker() -> Iterator[Iterator[BrowserContext]]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield iter(lambda: chromium.new_context(reduced_motion="reduce"), None)
        chromium.close()


@pytest.fixture
def context(context_maker: Iterator[BrowserContext]) -> Iterator[BrowserContext]:
    made = next(context_maker)
    yield made
    made.close()


def opened(context: BrowserContext, server: StandIn) -> Page:
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server.address)
    return page


def on_item(page: Page, place: int) -> None:
    expect(page.locator("#progress")).to_have_text(f"Item {place} of 10")
    page.locator("#stage[data-settled]").wait_for()


def begin(page: Page) -> None:
    """Agree, and pass the training item."""
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#progress")).to_have_text("Practice")
    page.locator("#stage[data-settled]").wait_for()
    press(page, "2 2 Enter Enter")
    on_item(page, 1)


def answer(page: Page, first: int, last: int, keys: str = "1 2 Enter") -> None:
    for place in range(first, last + 1):
        on_item(page, place)
        press(page, keys)


def known(server: StandIn) -> list[str]:
    return sorted(server.answers)


def items(last: int) -> list[str]:
    return [f"i{number:03d}" for number in range(last + 1)]


def test_a_whole_study_with_a_reload_in_the_middle(context: BrowserContext, server: StandIn) -> None:
    page = opened(context, server)
    begin(page)
    answer(page, 1, 4)
    on_item(page, 5)
    page.reload()
    answer(page, 5, 10)
    expect(page.locator("h1:visible")).to_have_text("Thank you")
    expect(page.locator("#end-words")).to_contain_text("all answers have arrived")
    expect(page.get_by_role("button", name="Save answers")).to_be_hidden()
    assert server.finished
    assert known(server) == items(10)
    assert server.posts == [*["/r/token/answers"] * 11, "/r/token/finish"]
    for stored in server.answers.values():
        Answer.model_validate(stored)
    page.reload()
    expect(page.locator("h1:visible")).to_have_text("Thank you")
    assert len(server.posts) == 12


def test_a_study_goes_on_in_another_browser(context_maker: Iterator[BrowserContext], server: StandIn) -> None:
    with next(context_maker) as context:
        page = opened(context, server)
        begin(page)
        answer(page, 1, 2)
        on_item(page, 3)
    with next(context_maker) as context:
        page = opened(context, server)
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Begin").click()
        on_item(page, 3)


def test_answers_are_kept_while_the_network_is_lost(context: BrowserContext, server: StandIn) -> None:
    page = opened(context, server)
    with ExitStack() as stack:
        for name in ("020", "021", "022"):
            stack.enter_context(page.expect_request_finished(lambda request, name=name: f"{name}.mp4" in request.url))
        begin(page)
    context.set_offline(True)
    press(page, "1 1 Enter")
    expect(page.locator("#unsent")).to_have_text("Not sent yet: 1")
    answer(page, 2, 2)  # its videos were fetched while the first was on the screen
    expect(page.locator("#message")).to_contain_text("A video could not be loaded")
    expect(page.locator("#unsent")).to_have_text("Not sent yet: 2")
    context.set_offline(False)
    expect(page.locator("#unsent")).to_be_empty()
    assert known(server) == items(2)
    page.get_by_role("button", name="Try again").click()
    on_item(page, 3)


def test_answers_that_were_not_taken_are_sent_after_a_reload(context: BrowserContext, server: StandIn) -> None:
    page = opened(context, server)
    begin(page)
    server.refused = 503
    answer(page, 1, 3)
    on_item(page, 4)
    expect(page.locator("#unsent")).to_have_text("Not sent yet: 3")
    page.reload()
    on_item(page, 4)
    expect(page.locator("#unsent")).to_have_text("Not sent yet: 3")
    server.refused = None
    expect(page.locator("#unsent")).to_be_empty()
    assert known(server) == items(3)


def test_answers_can_be_saved_when_sending_fails_at_the_end(
    context: BrowserContext, server: StandIn, tmp_path: Path
) -> None:
    page = opened(context, server)
    begin(page)
    answer(page, 1, 9)
    on_item(page, 10)
    server.refused = 500
    answer(page, 10, 10)
    expect(page.locator("#end-words")).to_contain_text("tries again by itself")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save answers").click()
    download.value.save_as(tmp_path / "saved.json")
    payload = AnswersFile.model_validate_json((tmp_path / "saved.json").read_bytes()).payload
    (rater,) = AnswersPayload.model_validate_json(payload).raters
    assert rater.finished
    assert [given.item for given in rater.answers] == items(10)
    server.refused = None
    expect(page.locator("h1:visible")).to_have_text("Thank you")
    assert known(server) == items(10)


def test_an_answer_that_came_first_stands(context: BrowserContext, server: StandIn) -> None:
    first = {
        "item": "i001",
        "values": {"visual-quality": 2, "overall": 2},
        "seconds": 3.5,
        "at": "2026-01-01T00:00:00Z",
    }
    page = opened(context, server)
    begin(page)
    server.answers["i001"] = first
    press(page, "1 1 Enter")
    on_item(page, 2)
    expect(page.locator("#unsent")).to_be_empty()
    kept = page.evaluate("JSON.parse(Object.values(localStorage)[0])")
    assert kept["answers"]["i001"] == first
    assert kept["unsent"] == []


def test_a_closed_study_says_so(context: BrowserContext, server: StandIn) -> None:
    page = opened(context, server)
    begin(page)
    server.refused = 410
    press(page, "1 1 Enter")
    expect(page.locator("h1:visible")).to_have_text("This study is closed")
    expect(page.locator("#end-words")).to_contain_text("the last 1 came too late")
    posts = len(server.posts)
    page.wait_for_timeout(1500)
    assert len(server.posts) == posts


def test_a_finish_that_misses_answers_gets_them(context: BrowserContext, server: StandIn) -> None:
    page = opened(context, server)
    begin(page)
    answer(page, 1, 9)
    on_item(page, 10)
    server.lost_at_finish = ["i004", "i007"]
    answer(page, 10, 10)
    expect(page.locator("h1:visible")).to_have_text("Thank you")
    assert server.finished
    assert known(server) == items(10)


def test_a_page_on_a_plain_web_server_is_saved_as_a_file(context: BrowserContext, packet_folder: Path) -> None:
    with serving(packet_folder) as server:
        server.is_plain = True
        page = opened(context, server)
        begin(page)
        expect(page.get_by_role("button", name="Save what I have")).to_be_visible()
        answer(page, 1, 10)
        expect(page.get_by_role("button", name="Save answers")).to_be_visible()
        assert server.posts == []


def plan_of(packet: Packet) -> RaterPlan:
    items = [
        Item(id=item.id, kind="scored" if number else "training", sample=0, shown=(0, 1))
        for number, item in enumerate(packet.items)
    ]
    return RaterPlan(rater=packet.rater, packet=packet.packet, items=tuple(items))


def test_the_page_and_the_real_server_agree(context: BrowserContext, tmp_path: Path) -> None:
    packet = made_packet(10)
    write_packet(tmp_path / "packets" / RATER, packet)
    key = made_key(study=STUDY, raters=(plan_of(packet).model_dump(),))
    with running(tmp_path, key) as served:
        page = context.new_page()
        page.goto(served.address(RATER))
        begin(page)
        answer(page, 1, 5)
        on_item(page, 6)
        page.reload()
        # The last answer is given after the deadline.
        answer(page, 6, 9)
        on_item(page, 10)
        last = served.clock[0]
        served.clock[0] = last.replace(year=last.year + 1)
        answer(page, 10, 10)
        expect(page.locator("h1:visible")).to_have_text("This study is closed")
        served.clock[0] = last
        page.reload()
        expect(page.locator("h1:visible")).to_have_text("Thank you")
        stored = served.store.answers(RATER)
        assert [given.item for given in stored] == items(10)
        assert [given.values["overall"] for given in stored] == [2] * 11
        assert [given.values["visual-quality"] for given in stored] == [2, *[1] * 10]
        assert served.store.is_finished(RATER)
