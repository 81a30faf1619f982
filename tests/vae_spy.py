"""What a pipeline lets its networks see; light to import, unlike the pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Spy:
    """What a pipeline's VAE is given to encode, as (0 to 1) float arrays."""

    def __init__(self, pipeline: Any) -> None:
        self.seen: list[NDArray[np.float32]] = []
        encode = pipeline.vae.encode

        def watched(video: Any, *arguments: Any, **options: Any) -> Any:
            self.seen.append(((video.detach().float() + 1) / 2).cpu().numpy())
            return encode(video, *arguments, **options)

        pipeline.vae.encode = watched
