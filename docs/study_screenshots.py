"""Take the README's pictures of a study, with a Chromium that is installed.

vivid-bench study build --runs RUN… --raters 4 --per-rater 12 --questions text-alignment,visual-quality,overall --ties \
--seed 2 --out study
python docs/study_screenshots.py --packet study/packets/r001 --out docs/study
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from pictures import save
from playwright.sync_api import Page, sync_playwright

FRAME = 9
ITEM = 1
GIVEN = ("2", "t")


def go_to(page: Page, item: int) -> None:
    """Take a pairwise study up to an item: agree, practise, and answer the items before it."""
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    packet = json.loads(page.locator("#data").text_content() or "")["packet"]
    for number in range(item):
        page.locator("#progress", has_text=f"Item {number} of" if number else "Practice").wait_for()
        page.locator("#stage[data-settled]").wait_for()
        for _ in packet["questions"]:
            page.keyboard.press(str(packet["items"][0]["correct"]))
        page.keyboard.press("Enter")
        if number == 0:
            page.keyboard.press("Enter")
    page.locator("#progress", has_text=f"Item {item} of").wait_for()
    page.locator("#stage[data-settled]").wait_for()


def main() -> None:
    """Write item.png, one screen of a pairwise study, and phone.png, the same on a phone in the dark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        for name, width, height, is_dark in (("item", 1180, 800, False), ("phone", 390, 844, True)):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if is_dark else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto((options.packet / "index.html").absolute().as_uri())
            go_to(page, ITEM)
            for _ in range(FRAME):
                page.keyboard.press("ArrowRight")
            page.locator(f"#stage[data-settled='{FRAME}']").wait_for()
            for key in GIVEN:
                page.keyboard.press(key)
            page.evaluate("scrollTo(0, 0)")
            save(page, options.out / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
