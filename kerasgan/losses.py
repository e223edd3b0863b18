"""Losses of the generator and the discriminator, as Keras loss objects."""

import keras
from keras import ops


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

    def __init__(self, epsilon=1e-3, reduction="sum_over_batch_size", name="charbonnier"):
        super().__init__(name=name, reduction=reduction)
        self.epsilon = epsilon

    def call(self, y_true, y_pred):
        """Error per pixel: (N, H, W, C) twice, to (N, H, W)."""
        error = ops.sqrt(ops.square(y_pred - y_true) + self.epsilon**2)
        return ops.mean(error, axis=-1)

    def get_config(self):
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


def reconstruction_loss(name, *, suspects_only=False):
    """The distance between clean and restored images, one value per image.

    "psnr" is minus the PSNR, in dB: what counts is by which factor an image's squared error falls,
    so images of sparse and of dense noise weigh the same. "rmse", the root of that error, lies
    between it and "mse": one image that cannot be restored does not decide a step alone.

    Args:
        name: "mse", "mae", "charbonnier", "rmse" or "psnr".
        suspects_only: whether errors are averaged over the pixels that could be impulses, instead
            of over all; see `mean_over_suspects`.

    Returns:
        A function of noisy, clean and restored, each float (N, H, W, C) in [0, 1], to (N,).

    Raises:
        ValueError: for other names.

    Source: of "psnr", Chen et al., HINet: half instance normalization network for image
    restoration, CVPR workshops 2021.
    """
    if name not in _PER_PIXEL:
        raise ValueError(f"no loss {name!r}; there are {', '.join(_PER_PIXEL)}")
    per_pixel = _PER_PIXEL[name](reduction=None)

    def loss(noisy, clean, restored):
        errors = per_pixel(clean, restored)
        if suspects_only:
            means = mean_over_suspects(errors, noisy)
        else:
            means = ops.mean(errors, axis=(1, 2))
        return _PER_IMAGE[name](means) if name in _PER_IMAGE else means

    return loss


def mean_over_suspects(per_pixel, noisy):
    """Averages a loss over the pixels of each image that could be impulses.

    So an image counts the same however few of its pixels are corrupted: without it, a blind
    network learns the dense noise and neglects the sparse.

    Args:
        per_pixel: losses (N, H, W).
        noisy: the images (N, H, W, C) in [0, 1] that the noise was added to.

    Returns:
        (N,): the means over pixels with a channel that is 0 or 1; 0 where there are none.
    """
    suspects = ops.cast(ops.any((noisy <= 0.0) | (noisy >= 1.0), axis=-1), per_pixel.dtype)
    count = ops.maximum(ops.sum(suspects, axis=(1, 2)), 1.0)
    return ops.sum(per_pixel * suspects, axis=(1, 2)) / count


def adversarial_loss():
    """Binary cross-entropy between labels and the discriminator's logits, one value per image.

    Returns:
        A Keras loss without reduction: labels and logits (N, 1), to (N,).

    Source: Goodfellow et al., Generative adversarial nets, NeurIPS 2014, the non-saturating form.
    """
    return keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
