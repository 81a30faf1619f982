"""What the scripts that take the documents' pictures share."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page


def save(page: Page, path: Path) -> None:
    """Write what the window shows, in 256 colours, which makes the file less than half as large."""
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(256, kmeans=4).save(path, optimize=True)
