from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vivid_bench.errors import InputError
from vivid_bench.images import read_image, write_image


def test_round_trip(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    write_image(tmp_path / "new" / "a.png", image)
    assert np.array_equal(read_image(tmp_path / "new" / "a.png"), image)


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png: expected an image, found nothing"):
        read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match="expected an image, found a folder"):
        read_image(tmp_path)
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(InputError, match="expected a whole image, found a damaged one"):
        read_image(tmp_path / "a.png")
