"""What is measured of restored images: distortion, and where it can be, perception."""

import functools
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
from kerasgan.measure.noisy import noisy_images
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

    @property
    def heading(self) -> str:
        """The title, with an arrow to where it is better."""
        return self.title + {True: " ↑", False: " ↓", None: ""}[self.higher]


MEASURES = {
    "psnr": Measure("PSNR, dB", True, 2),
    "ssim": Measure("SSIM", True, 4),
    "mse": Measure("MSE", False, 6),
    "edge_psnr": Measure("PSNR of edges, dB", True, 2),
    "sharpness": Measure("sharpness ratio", None, 4),
    "lpips": Measure("LPIPS (AlexNet)", False, 4),
    "lpips_vgg": Measure("LPIPS (VGG)", False, 4),
    "kernel_distance": Measure("kernel distance of AlexNet's features", False, 3),
    "expression": Measure("same expression, of faces", True, 4),
}
# In pixels a side.
_LARGEST_FACE = 128
_NETWORKS = {"lpips": perception.ALEXNET, "lpips_vgg": perception.VGG16}


@dataclass(frozen=True)
class Look:
    """How a restored image looks, beside the clean one.

    Attributes:
        values: by the names in `MEASURES`.
        features: AlexNet's, of the clean and of the restored image, (256,) each; None without it.
    """

    values: Mapping[str, float]
    features: tuple[Pixels, Pixels] | None


def summarize(looks: Sequence[Look]) -> dict[str, list[float]]:
    """Gathers how the images of a set look.

    Args:
        looks: at each image.

    Returns:
        For each name of their values, a value per image; with AlexNet and at least two images,
        one value for "kernel_distance", too. In the order of `MEASURES`.
    """
    found: dict[str, list[float]] = {}
    for look in looks:
        for name, value in look.values.items():
            found.setdefault(name, []).append(value)
    pairs = [look.features for look in looks if look.features is not None]
    if len(pairs) >= 2:
        clean, restored = (np.stack(features) for features in zip(*pairs, strict=True))
        found["kernel_distance"] = [perception.kernel_distance(clean, restored)]
    return {name: found[name] for name in MEASURES if name in found}


class Lenses:
    """The measures that can be taken here: those that need other packages only where they are.

    Args:
        images: what will be measured; a network looks at none of them if one is too small for it,
            and whole pictures are not asked for the expression of a face.

    Attributes:
        missing: what cannot be looked through, and why.
    """

    def __init__(self, images: ImageSet) -> None:
        self.missing: list[str] = []
        smallest = min(min(image.shape[:2]) for image in images)
        self._networks: dict[str, perception.LPIPS] = {}
        for name, architecture in _NETWORKS.items():
            if smallest < architecture.smallest:
                self._miss(f"{architecture.name} needs {architecture.smallest} pixels a side")
            elif network := self._open(functools.partial(perception.LPIPS, architecture)):
                self._networks[name] = network
        self._classify = None
        if max(max(image.shape[:2]) for image in images) <= _LARGEST_FACE:
            self._classify = self._open(perception.ExpressionClassifier)

    def _open(self, lens: Callable[[], Any]) -> Any:
        try:
            return lens()
        except ModelError as error:
            self._miss(str(error))
            return None

    def _miss(self, reason: str) -> None:
        if reason not in self.missing:
            self.missing.append(reason)

    @property
    def names(self) -> list[str]:
        """The measures that can be taken, from `MEASURES`."""
        unavailable = set(_NETWORKS) - set(self._networks)
        unavailable |= {"kernel_distance"} if "lpips" in unavailable else set()
        unavailable |= {"expression"} if self._classify is None else set()
        return [name for name in MEASURES if name not in unavailable]

    def look(self, clean: Pixels, restored: Sequence[Pixels]) -> list[Look]:
        """Looks at an image that was restored in several ways, through what needs other packages.

        Args:
            clean: (H, W, C), uint8.
            restored: the same, by each way.

        Returns:
            A look at each.
        """
        networks = self._networks
        wanted = {name: network(clean) for name, network in networks.items()}
        expression = self._classify(clean) if self._classify else None
        looks = []
        for image in restored:
            seen = {name: network(image) for name, network in networks.items()}
            values = {name: networks[name].distance(wanted[name], seen[name]) for name in seen}
            if self._classify:
                values["expression"] = float(self._classify(image) == expression)
            features = (
                (wanted["lpips"].features, seen["lpips"].features) if "lpips" in seen else None
            )
            looks.append(Look(values, features))
        return looks

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
        return {
            "psnr": [min(metrics.psnr(x, y, 255), metrics.EXACT_PSNR) for x, y in pairs],
            "ssim": [metrics.ssim(x, y, 255) for x, y in pairs],
            "mse": [metrics.mse(x, y) / 255**2 for x, y in pairs],
            "edge_psnr": [perception.edge_psnr(x, y) for x, y in pairs],
            "sharpness": [perception.sharpness_ratio(x, y) for x, y in pairs],
            **summarize([look for x, y in pairs for look in self.look(x, [y])]),
        }


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
