"""Distances between clean and restored images, for training."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from kerasgan.noise.base import Noise


@keras.saving.register_keras_serializable(package="kerasgan")
class Charbonnier(keras.losses.Loss):
    """A smooth absolute error, sqrt((restored - clean)² + epsilon²).

    Args:
        epsilon: width of the quadratic part around zero, in the images' units ([0, 1]).
        reduction: as for every Keras loss.
        name: name of the loss.

    Source: Charbonnier et al., Two deterministic half-quadratic regularization algorithms for
    computed imaging, ICIP 1994.
    """

    def __init__(
        self,
        epsilon: float = 1e-3,
        reduction: str = "sum_over_batch_size",
        name: str = "charbonnier",
    ):
        super().__init__(name=name, reduction=reduction)
        self.epsilon = epsilon

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Error per pixel: (N, H, W, C) twice, to (N, H, W)."""
        error = ops.sqrt(ops.square(y_pred - y_true) + self.epsilon**2)
        return ops.mean(error, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


_PER_PIXEL = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "charbonnier": Charbonnier,
    "rmse": keras.losses.MeanSquaredError,
    "psnr": keras.losses.MeanSquaredError,
}
# Of squared errors: below it, pixels of 8 bits show no difference.
_INVISIBLE = 1e-5
# What becomes of an image's mean; of the other losses, nothing.
_PER_IMAGE = {
    "rmse": lambda mse: ops.sqrt(mse + _INVISIBLE),
    "psnr": lambda mse: 10.0 * ops.log10(mse + _INVISIBLE),
}


def reconstruction_loss(loss: Any, noise: Noise | None = None) -> Callable[[Any, Any, Any], Any]:
    """The distance between clean and restored images, one value per image.

    "psnr" is minus the PSNR, in dB: what counts is by which factor an image's squared error falls,
    so images of sparse and of dense noise weigh the same. "rmse", the root of that error, lies
    between it and "mse": one image that cannot be restored does not decide a step alone.

    Args:
        loss: "mse", "mae", "charbonnier", "rmse", "psnr", or a Keras loss, whose reduction is not
            looked at.
        noise: the noise over whose suspects errors are averaged, see `mean_over_suspects`; None
            averages over all pixels.

    Returns:
        A function of noisy, clean and restored, each float (N, H, W, C) in [0, 1], to (N,).

    Raises:
        ValueError: for other names.

    Source: of "psnr", Chen et al., HINet: half instance normalization network for image
    restoration, CVPR workshops 2021.
    """
    if isinstance(loss, keras.losses.Loss):
        per_pixel, per_image = loss.call, None
    elif loss in _PER_PIXEL:
        per_pixel, per_image = _PER_PIXEL[loss](reduction=None), _PER_IMAGE.get(loss)
    else:
        raise ValueError(f"no loss {loss!r}; there are {', '.join(_PER_PIXEL)}, and Keras' own")

    def losses(noisy: Any, clean: Any, restored: Any) -> Any:
        errors = per_pixel(clean, restored)
        if len(errors.shape) == 1:  # A loss of whole images.
            means = errors
        elif noise is None:
            means = ops.mean(errors, axis=(1, 2))
        else:
            means = mean_over_suspects(errors, noise.suspects(noisy))
        return means if per_image is None else per_image(means)

    return losses


def mean_over_suspects(per_pixel: Any, suspects: Any) -> Any:
    """Averages a loss over the pixels of each image that noise may have changed.

    So an image counts the same however few of its pixels are corrupted: without it, a blind
    network learns the dense noise and neglects the sparse.

    Args:
        per_pixel: losses (N, H, W).
        suspects: which values may have changed, boolean (N, H, W, C).

    Returns:
        (N,): the means over pixels with a suspect channel; 0 where there are none.
    """
    suspects = ops.cast(ops.any(suspects, axis=-1), per_pixel.dtype)
    count = ops.maximum(ops.sum(suspects, axis=(1, 2)), 1.0)
    return ops.sum(per_pixel * suspects, axis=(1, 2)) / count
