"""PSNR, SSIM and MSE: as NumPy functions and as Keras metrics that agree with them."""

import keras
import numpy as np
import tensorflow as tf

# An image that comes back exactly has an infinite PSNR; in a mean over images it counts as this.
EXACT_PSNR = 100.0
SSIM_WINDOW = 7


def mse(clean, restored):
    """Mean squared error of one image.

    Args:
        clean: array (H, W, C) or (H, W).
        restored: array of the same shape and range.

    Returns:
        The error, in squared units of the images.
    """
    return float(np.mean((np.asarray(clean, np.float64) - restored) ** 2))


def psnr(clean, restored, data_range):
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


def ssim(clean, restored, data_range):
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


def mean_psnr(values):
    """Mean of PSNRs over images.

    Args:
        values: PSNRs in dB; infinite ones count as `EXACT_PSNR`, so that one image restored
            without any error does not hide all others.

    Returns:
        The mean in dB.
    """
    return float(np.mean(np.minimum(values, EXACT_PSNR)))


def _mse_per_image(clean, restored):
    error = tf.math.squared_difference(tf.cast(clean, tf.float64), tf.cast(restored, tf.float64))
    return tf.reduce_mean(error, axis=(1, 2, 3))


def _psnr_per_image(clean, restored):
    # The floor is the error at EXACT_PSNR.
    error = tf.maximum(_mse_per_image(clean, restored), 10 ** (-EXACT_PSNR / 10))
    return -10 * tf.math.log(error) / tf.math.log(tf.constant(10, tf.float64))


def _ssim_per_image(clean, restored):
    x, y = tf.cast(clean, tf.float64), tf.cast(restored, tf.float64)

    def local_mean(images):
        return tf.nn.avg_pool2d(images, SSIM_WINDOW, strides=1, padding="VALID")

    mean_x, mean_y = local_mean(x), local_mean(y)
    unbiased = SSIM_WINDOW**2 / (SSIM_WINDOW**2 - 1)
    var_x = unbiased * (local_mean(x * x) - mean_x**2)
    var_y = unbiased * (local_mean(y * y) - mean_y**2)
    covariance = unbiased * (local_mean(x * y) - mean_x * mean_y)
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return tf.reduce_mean(similarity, axis=(1, 2, 3))


class _MeanOverImages(keras.metrics.Mean):
    """Mean over images of a function of (clean, restored), float (N, H, W, C) in [0, 1]."""

    def __init__(self, name, dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, clean, restored, sample_weight=None):
        super().update_state(self.per_image(clean, restored), sample_weight)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="kerasgan")
class PSNR(_MeanOverImages):
    """Mean PSNR in dB of float images (N, H, W, C) in [0, 1]; see `psnr` and `mean_psnr`."""

    per_image = staticmethod(_psnr_per_image)

    def __init__(self, name="psnr", dtype=None):
        super().__init__(name, dtype)


@keras.saving.register_keras_serializable(package="kerasgan")
class SSIM(_MeanOverImages):
    """Mean SSIM of float images (N, H, W, C) in [0, 1], at least 7×7 pixels; see `ssim`."""

    per_image = staticmethod(_ssim_per_image)

    def __init__(self, name="ssim", dtype=None):
        super().__init__(name, dtype)


@keras.saving.register_keras_serializable(package="kerasgan")
class MSE(_MeanOverImages):
    """Mean squared error of float images (N, H, W, C) in [0, 1]; see `mse`."""

    per_image = staticmethod(_mse_per_image)

    def __init__(self, name="mse", dtype=None):
        super().__init__(name, dtype)
