"""What a user would pick instead of a network: classical filters.

Each is a function from a noisy image to a restored one, both uint8 (H, W, C). Those that stand here
are for salt and pepper; the ones that need to know which pixels are corrupted take the values 0 and
255 for it. Those for noise that spares no pixel stand in `grain`.
"""

import functools
import importlib.util
from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from kerasgan.images.pixels import Pixels, from_float
from kerasgan.measure import grain
from kerasgan.measure.noisy import Recorded
from kerasgan.noise.base import Noise

_LARGEST_WINDOW = 9
# Each the best compromise on faces between amounts of 0.15 and 0.9: of 0.6 to 1 pixels, and of 0.1
# to 2.
_SIGMA, _RADIUS = 0.8, 16
_VARIATION_WEIGHT, _MEANS_STRENGTH = 0.3, 0.3


def median(noisy: Pixels, size: int = 3) -> Pixels:
    """Median over a square of pixels.

    Args:
        noisy: (H, W, C), uint8.
        size: height and width of the square.

    Returns:
        Array of the same shape and type.

    Source: Tukey, Exploratory Data Analysis, 1977; scipy.ndimage.median_filter.
    """
    return ndimage.median_filter(noisy, size=(size, size, 1))


def adaptive_median(noisy: Pixels) -> Pixels:
    """Median of the uncorrupted pixels in the smallest window, 3×3 to 9×9, that holds any.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        Array of the same shape and type; uncorrupted pixels, and those without an uncorrupted one
        in 9×9, stay as they are.

    Source: after Hwang & Haddad, Adaptive median filters: new algorithms and results, IEEE TIP
    1995, with impulses told by their value instead of by the window's extremes: 2 dB better on
    FER2013 at amount 0.15, and 8 dB at 0.9.
    """
    unknown = _suspects(noisy)
    values = np.where(unknown, np.nan, noisy.astype(np.float32))
    restored = noisy.copy()
    for size in range(3, _LARGEST_WINDOW + 1, 2):
        margin = size // 2
        padded = np.pad(values, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(0, 1))
        reached = np.zeros_like(unknown)
        reached[unknown] = ~np.isnan(windows[unknown]).all(axis=(1, 2))
        restored[reached] = np.rint(np.nanmedian(windows[reached], axis=(1, 2)))
        unknown &= ~reached
    return restored


def gaussian_convolution(noisy: Pixels) -> Pixels:
    """Gaussian-weighted mean of the uncorrupted pixels, for those that are not.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        Array of the same shape and type; uncorrupted pixels, and those without an uncorrupted one
        within 16 pixels, stay as they are.

    Source: Knutsson & Westin, Normalized and differential convolution, CVPR 1993; sums by
    scipy.ndimage.gaussian_filter.
    """

    def smooth(values: Pixels) -> Pixels:
        return ndimage.gaussian_filter(values, _SIGMA, radius=_RADIUS, axes=(0, 1))

    unknown = _suspects(noisy)
    weights = smooth((~unknown).astype(np.float64))
    reached = unknown & (weights > 0)
    means = smooth(np.where(unknown, 0.0, noisy))[reached] / weights[reached]
    restored = noisy.copy()
    restored[reached] = np.rint(means)
    return restored


def biharmonic(noisy: Pixels) -> Pixels:
    """Inpaints the pixels that are 0 or 255 with the smoothest surface through the others.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        Array of the same shape and type; the other pixels stay as they are.

    Source: Damelin & Hoang, On surface completion and image inpainting by biharmonic functions,
    2018; skimage.restoration.inpaint_biharmonic.
    """
    from skimage.restoration import inpaint_biharmonic

    restored = noisy.copy()
    for channel in range(noisy.shape[-1]):
        plane = noisy[..., channel]
        unknown = _suspects(plane)
        if unknown.any() and not unknown.all():
            surface = inpaint_biharmonic(plane.astype(np.float64) / 255.0, unknown)
            restored[..., channel] = np.where(unknown, from_float(surface, np.uint8), plane)
    return restored


def _suspects(noisy: Pixels) -> Pixels:
    return (noisy == 0) | (noisy == 255)


Baseline = Callable[[Pixels], Pixels]

IMPULSES: dict[str, Baseline] = {
    "median 3×3": median,
    "median 5×5": functools.partial(median, size=5),
    "adaptive median": adaptive_median,
    "Gaussian convolution": gaussian_convolution,
    "total variation": functools.partial(grain.total_variation, weight=_VARIATION_WEIGHT),
    "non-local means": functools.partial(grain.non_local_means, strength=_MEANS_STRENGTH),
    "biharmonic inpainting": biharmonic,
}
GRAIN: dict[str, Baseline] = {
    "blind total variation": grain.total_variation,
    "blind non-local means": grain.non_local_means,
    "bilateral": grain.bilateral,
    "wavelets": grain.wavelets,
    "BM3D": grain.bm3d,
}
BASELINES = {**IMPULSES, **GRAIN}
# What is worth comparing with: the usual filter, its best relative, and the strongest.
USUAL = ("median 3×3", "adaptive median", "biharmonic inpainting")
_MEDIANS = ("median 3×3", "median 5×5")
_IMPULSE_FILTERS = (*_MEDIANS, "adaptive median")
_USUAL_GRAIN = ("blind total variation", "blind non-local means", "BM3D")
_USUAL = {
    "salt-and-pepper": USUAL,
    "random-impulses": (*_MEDIANS, *_USUAL_GRAIN),
    "resaved-impulses": _IMPULSE_FILTERS,
    "stray-impulses": _IMPULSE_FILTERS,
    "mixed": (*_MEDIANS, *_USUAL_GRAIN),
}
# What takes seconds for a photograph.
SLOW = ("biharmonic inpainting", "BM3D")
_EXTRAS = {**dict.fromkeys(GRAIN, ("pywt",)), "BM3D": ("pywt", "bm3d")}


def usual(noise: Noise | Recorded) -> tuple[str, ...]:
    """Names what is worth comparing with.

    Args:
        noise: what is restored.

    Returns:
        Some of `BASELINES`, installed or not.
    """
    return _USUAL.get(noise.kind, _USUAL_GRAIN)


def fitting(noise: Noise | Recorded) -> tuple[str, ...]:
    """Names all that somebody might compare with.

    Args:
        noise: what is restored.

    Returns:
        Some of `BASELINES`, installed or not.
    """
    if noise.kind == "salt-and-pepper":
        return tuple(IMPULSES)
    return tuple(dict.fromkeys((*usual(noise), *_MEDIANS, *GRAIN)))


def installed(names: Sequence[str]) -> tuple[str, ...]:
    """Picks the baselines whose packages are there.

    Args:
        names: some of `BASELINES`.

    Returns:
        Those of them that can be run; `pip install 'kerasgan[baselines]'` brings the others.
    """

    def found(package: str) -> bool:
        return importlib.util.find_spec(package) is not None

    return tuple(name for name in names if all(map(found, _EXTRAS.get(name, ()))))


def restore_with(names: Sequence[str], noisy: Pixels) -> dict[str, Pixels]:
    """Restores an image with several baselines.

    Args:
        names: some of `BASELINES`.
        noisy: (H, W, C), uint8.

    Returns:
        The restored images, by the baseline's name.
    """
    return {name: BASELINES[name](noisy) for name in names}
