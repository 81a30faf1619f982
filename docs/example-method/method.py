"""An example method: fills the hole with a blur of what lies around it, frame by frame."""

import cv2
import numpy as np


class BlurFill:
    """Normalised convolution: a blur of the known pixels, divided by a blur of where they are."""

    def __init__(self, device, sigma):
        self.sigma = sigma  # px

    def edit(self, request):
        """Return (T, H, W, 3) uint8 RGB frames, equal to the request's outside the mask."""
        return np.stack([self._fill(frame, mask) for frame, mask in zip(request.frames, request.mask, strict=True)])

    def _fill(self, frame, mask):
        if mask.all():
            raise ValueError("the mask covers a whole frame: there is nothing to fill it from")
        known = (~mask).astype(np.float32)[..., None]
        colour, weight = self._blur(frame * known), self._blur(known)[..., None]
        mean = frame[~mask].mean(axis=0)  # for pixels so deep in the hole that no weight reaches them
        filled = np.where(weight > 1e-3, colour / np.maximum(weight, 1e-3), mean)
        return np.where(mask[..., None], np.rint(filled), frame).astype(np.uint8)

    def _blur(self, image):
        return cv2.GaussianBlur(image, (0, 0), self.sigma)
