"""What is measured of restored images: distortion, and where it can be, perception."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.data.clean import ImageSet
from kerasgan.errors import ModelError
from kerasgan.images.pixels import Pixels
from kerasgan.measure import metrics, perception
from kerasgan.measure.evaluation import noisy_images
from kerasgan.noise.base import Noise
from kerasgan.store.files import write_text


@dataclass(frozen=True)
class Measure:
    """Something measured of restored images.

    Attributes:
        title: what it is called, with its unit.
        higher: whether more of it is better; None where neither is.
        digits: after the point.
    """

    title: str
    higher: bool | None
    digits: int


MEASURES = {
    "psnr": Measure("PSNR, dB", True, 2),
    "ssim": Measure("SSIM", True, 4),
    "mse": Measure("MSE", False, 6),
    "edge_psnr": Measure("PSNR of edges, dB", True, 2),
    "sharpness": Measure("sharpness ratio", None, 4),
    "lpips": Measure("LPIPS", False, 4),
    "kernel_distance": Measure("kernel distance of AlexNet's features", False, 3),
    "expression": Measure("same expression, of faces", True, 4),
}


class Lenses:
    """The measures that can be taken here: those that need other packages only where they are.

    Args:
        images: what will be measured; AlexNet looks at none of them if one is too small for it.

    Attributes:
        missing: what cannot be looked through, and why.
    """

    def __init__(self, images: ImageSet) -> None:
        self.missing: list[str] = []
        smallest = min(min(image.shape[:2]) for image in images)
        self._alexnet = None
        if smallest >= perception.ALEXNET_SIZE:
            self._alexnet = self._open(perception.AlexNet)
        else:
            self.missing.append(f"AlexNet needs {perception.ALEXNET_SIZE} pixels a side")
        self._classify = self._open(perception.ExpressionClassifier)

    def _open(self, lens: Callable[[], Any]) -> Any:
        try:
            return lens()
        except ModelError as error:
            self.missing.append(str(error))
            return None

    @property
    def names(self) -> list[str]:
        """The measures that can be taken, from `MEASURES`."""
        unavailable = {"lpips", "kernel_distance"} if self._alexnet is None else set()
        unavailable |= {"expression"} if self._classify is None else set()
        return [name for name in MEASURES if name not in unavailable]

    def measure(
        self, clean: Sequence[Pixels], restored: Sequence[Pixels]
    ) -> dict[str, list[float]]:
        """Measures restored images.

        Args:
            clean: uint8 (H, W, C), at least two.
            restored: the same, in the same order.

        Returns:
            For each name in `MEASURES` that can be measured, a value per image; one value for
            "kernel_distance".
        """
        pairs = list(zip(clean, restored, strict=True))
        found = {
            "psnr": [min(metrics.psnr(x, y, 255), metrics.EXACT_PSNR) for x, y in pairs],
            "ssim": [metrics.ssim(x, y, 255) for x, y in pairs],
            "mse": [metrics.mse(x, y) / 255**2 for x, y in pairs],
            "edge_psnr": [perception.edge_psnr(x, y) for x, y in pairs],
            "sharpness": [perception.sharpness_ratio(x, y) for x, y in pairs],
        }
        if self._alexnet is not None:
            found["lpips"] = [self._alexnet.lpips(x, y) for x, y in pairs]
            x, y = (
                np.stack([self._alexnet.features(i) for i in part]) for part in (clean, restored)
            )
            found["kernel_distance"] = [perception.kernel_distance(x, y)]
        if self._classify is not None:
            same = [self._classify(x) == self._classify(y) for x, y in pairs]
            found["expression"] = [float(value) for value in same]
        return found


Values = dict[str, dict[str, list[float]]]


def measure_restorer(
    restore: Callable[[Pixels], Pixels],
    images: ImageSet,
    noise: Noise,
    levels: Sequence[float],
    lenses: Lenses,
) -> Values:
    """Measures a restorer, on noise that is the same for every other.

    Args:
        restore: the restorer.
        images: clean images that training did not see.
        noise: what corrupts them.
        levels: of the noise.
        lenses: what to measure with.

    Returns:
        `Lenses.measure`'s values, by the level as text.
    """
    found = {}
    for level in levels:
        noisy = noisy_images(images, noise.at(level))
        found[f"{level:g}"] = lenses.measure(images.images, [restore(image) for image in noisy])
    return found


def write_values(path: Path, request: Mapping[str, Any], values: Values) -> None:
    """Writes what was measured, as JSON.

    Args:
        path: the file to write or replace.
        request: what was to be measured, on what.
        values: what was measured.

    Raises:
        OutputError: if the file cannot be written.
    """
    write_text(path, json.dumps({"request": request, "values": values}) + "\n")


def read_values(path: Path, request: Mapping[str, Any]) -> Values | None:
    """Reads what was measured, if it answers a request.

    Args:
        path: a file that `write_values` wrote.
        request: what is to be measured, on what.

    Returns:
        The values, or None if they are those of another request.

    Raises:
        ModelError: if the file is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        values: Values = record["values"]
        return values if record["request"] == request else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged; remove it, to measure again: {error}") from error
