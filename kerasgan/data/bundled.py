"""The photographs inside scikit-image's wheel: the default data, without any download."""

from typing import Any

from kerasgan.data.clean import CleanImages, ImageSet
from kerasgan.images import Pixels, with_channels

# Whole photographs are held out. Both views of the motorcycle stand on one side.
_SPLITS = {
    "train": (
        "astronaut",
        "brick",
        "clock",
        "coffee",
        "grass",
        "gravel",
        "moon",
        "motorcycle_left",
        "motorcycle_right",
    ),
    "validation": ("coins", "rocket"),
    "test": ("camera", "chelsea"),
}


def load_bundled(channels: int = 1) -> CleanImages:
    """Loads scikit-image's photographs.

    Args:
        channels: 1 for grey, 3 for colour; photographs that are grey stay so, thrice repeated.

    Returns:
        Nine photographs to train on, two to validate and two to test.

    Source: skimage.data, whose documentation gives the origin and licence of each photograph.
    """
    splits: dict[str, Any] = {
        split: ImageSet.collect(
            (name, with_channels(_photograph(name), channels)) for name in names
        )
        for split, names in _SPLITS.items()
    }
    return CleanImages(**splits)


def _photograph(name: str) -> Pixels:
    from skimage import data

    if name.startswith("motorcycle"):
        pixels = data.stereo_motorcycle()[name.endswith("right")]
    else:
        pixels = getattr(data, name)()
    return pixels if pixels.ndim == 3 else pixels[..., None]
