"""Take the README's pictures of the leaderboard's site, with a Chromium that is installed.

vivid-bench leaderboard --format html --out site && python docs/site_screenshots.py --site site --out docs/leaderboard
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from pictures import save
from playwright.sync_api import sync_playwright

SAMPLE, FRAME, METHODS = "delete-004", 8, ("flow-propagation", "vivid", "navier-stokes", "telea", "grey-fill")


def main() -> None:
    """Write index.png, and site.png of a sample's page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        page.goto((options.site / "index.html").absolute().as_uri())
        board = page.locator(".board[data-task=delete]").first
        page.evaluate("id => document.getElementById(id).scrollIntoView()", board.get_attribute("id"))
        page.wait_for_timeout(1000)
        save(page, options.out / "index.png")

        # The first table of the task: the one without keyframes.
        link = board.locator(".gallery a", has_text=SAMPLE).get_attribute("href")
        page.set_viewport_size({"width": 1180, "height": 1470})
        page.goto((options.site / link).absolute().as_uri())
        for box in page.locator("#series input").all():
            if box.locator("..").inner_text() not in METHODS:
                box.uncheck()
        page.locator("#scrubber").fill(str(FRAME))
        page.locator(f"#player[data-settled='{FRAME}']").wait_for()
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(1000)
        save(page, options.out / "site.png")
        browser.close()


if __name__ == "__main__":
    main()
