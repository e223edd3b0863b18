"""PSNR, SSIM and MSE of images, which agree with scikit-image's."""

from collections.abc import Sequence

import numpy as np

from kerasgan.images.pixels import Pixels

# An image that comes back exactly has an infinite PSNR; in a mean over images it counts as this.
EXACT_PSNR = 100.0
SSIM_WINDOW = 7


def mse(clean: Pixels, restored: Pixels) -> float:
    """Mean squared error of one image.

    Args:
        clean: array (H, W, C) or (H, W).
        restored: array of the same shape and range.

    Returns:
        The error, in squared units of the images.
    """
    return float(np.mean((np.asarray(clean, np.float64) - restored) ** 2))


def psnr(clean: Pixels, restored: Pixels, data_range: float) -> float:
    """Peak signal-to-noise ratio of one image.

    Args:
        clean: array (H, W, C) or (H, W).
        restored: array of the same shape and range.
        data_range: the highest value minus the lowest that images can take: 255 for 8 bits.

    Returns:
        The ratio in dB; infinite for equal images.
    """
    error = mse(clean, restored)
    return float(10 * np.log10(data_range**2 / error)) if error > 0 else float("inf")


def ssim(clean: Pixels, restored: Pixels, data_range: float) -> float:
    """Structural similarity of one image, as scikit-image computes it by default.

    Args:
        clean: array (H, W, C), at least 7×7 pixels.
        restored: array of the same shape and range.
        data_range: the highest value minus the lowest that images can take: 255 for 8 bits.

    Returns:
        The similarity, at most 1.

    Raises:
        ValueError: if the image is smaller than the 7×7 window.

    Source: Wang et al., Image quality assessment: from error visibility to structural similarity,
    IEEE TIP 2004; the uniform window and sample covariance of skimage.metrics.
    """
    from skimage.metrics import structural_similarity

    if min(clean.shape[:2]) < SSIM_WINDOW:
        raise ValueError(
            f"SSIM needs at least {SSIM_WINDOW}×{SSIM_WINDOW} pixels, got {clean.shape[:2]}"
        )
    return float(structural_similarity(clean, restored, data_range=data_range, channel_axis=-1))


def mean_psnr(values: Sequence[float] | Pixels) -> float:
    """Mean of PSNRs over images.

    Args:
        values: PSNRs in dB; infinite ones count as `EXACT_PSNR`, so that one image restored
            without any error does not hide all others.

    Returns:
        The mean in dB.
    """
    return float(np.mean(np.minimum(values, EXACT_PSNR)))
