"""PSNR, SSIM and MSE as Keras metrics, which agree with the functions of measure.metrics."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from kerasgan.measure.metrics import EXACT_PSNR, SSIM_WINDOW


def _mse_per_image(clean: Any, restored: Any) -> Any:
    error = tf.math.squared_difference(tf.cast(clean, tf.float64), tf.cast(restored, tf.float64))
    return tf.reduce_mean(error, axis=(1, 2, 3))


def _psnr_per_image(clean: Any, restored: Any) -> Any:
    # The floor is the error at EXACT_PSNR.
    error = tf.maximum(_mse_per_image(clean, restored), 10 ** (-EXACT_PSNR / 10))
    return -10 * tf.math.log(error) / tf.math.log(tf.constant(10, tf.float64))


def _ssim_per_image(clean: Any, restored: Any) -> Any:
    x, y = tf.cast(clean, tf.float64), tf.cast(restored, tf.float64)

    def local_mean(images: Any) -> Any:
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

    per_image: Callable[[Any, Any], Any]

    def __init__(self, name: str, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, clean: Any, restored: Any, sample_weight: Any = None) -> None:
        super().update_state(self.per_image(clean, restored), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="kerasgan")
class PSNR(_MeanOverImages):
    """Mean PSNR in dB of float images (N, H, W, C) in [0, 1]; see `psnr` and `mean_psnr`."""

    per_image = staticmethod(_psnr_per_image)

    def __init__(self, name: str = "psnr", dtype: Any = None):
        super().__init__(name, dtype)


@keras.saving.register_keras_serializable(package="kerasgan")
class SSIM(_MeanOverImages):
    """Mean SSIM of float images (N, H, W, C) in [0, 1], at least 7×7 pixels; see `ssim`."""

    per_image = staticmethod(_ssim_per_image)

    def __init__(self, name: str = "ssim", dtype: Any = None):
        super().__init__(name, dtype)


@keras.saving.register_keras_serializable(package="kerasgan")
class MSE(_MeanOverImages):
    """Mean squared error of float images (N, H, W, C) in [0, 1]; see `mse`."""

    per_image = staticmethod(_mse_per_image)

    def __init__(self, name: str = "mse", dtype: Any = None):
        super().__init__(name, dtype)
