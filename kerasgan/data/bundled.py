"""The photographs inside scikit-image's wheel: the default data, without any download."""

from kerasgan.data.clean import CleanImages
from kerasgan.images.pixels import Pixels, with_channels

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


def load_bundled(channels: int = 1, limit: int | None = None) -> CleanImages:
    """Loads scikit-image's photographs.

    Args:
        channels: 1 for grey, 3 for colour; photographs that are grey stay so, thrice repeated.
        limit: keep at most this many photographs of each split.

    Returns:
        Nine photographs to train on, two to validate and two to test.

    Source: skimage.data, whose documentation gives the origin and licence of each photograph.
    """
    return CleanImages.from_splits(
        {
            split: ((name, with_channels(_photograph(name), channels)) for name in names[:limit])
            for split, names in _SPLITS.items()
        }
    )


def _photograph(name: str) -> Pixels:
    from skimage import data

    if name.startswith("motorcycle"):
        pixels = data.stereo_motorcycle()[name.endswith("right")]
    else:
        pixels = getattr(data, name)()
    return pixels if pixels.ndim == 3 else pixels[..., None]
