"""Filling gaps without weights, for networks to correct."""

from typing import Any

from keras import layers, ops


def fill_gaps(images: Any, certain: Any, levels: int = 3) -> Any:
    """Fills uncertain pixels with the mid-range of certain ones near them.

    A pixel takes the middle between the darkest and the brightest certain pixel of the 3×3 around
    it; where there is none, that of the 3×3 cells around it in a pyramid whose cells are 2, 4, 8 …
    pixels wide, from the first level that holds any. Means of 3×3 smooth every level. No weights
    and no division, so that it survives 8-bit integer arithmetic.

    Args:
        images: float tensor (N, H, W, C) in [0, 1]; H and W are multiples of 2 ** levels. Certain
            pixels are greater than 0 and less than 1.
        certain: boolean tensor of the same shape: whether the pixel can be trusted.
        levels: how many times the pyramid halves the picture.

    Returns:
        Float tensor of the same shape, in [0, 1]; certain pixels as they came, 0.5 where there is
        none near.

    Source: the pyramid is that of Gortler et al., The lumigraph, SIGGRAPH 1996, 3.4 (pull-push).
    """
    channels = images.shape[-1]
    # The brightest, and how far the darkest is from white: one pooling serves both.
    extremes = ops.concatenate(
        [ops.where(certain, images, 0.0), ops.where(certain, 1.0 - images, 0.0)], axis=-1
    )
    pyramid = [extremes]
    for _ in range(levels):
        pyramid.append(layers.MaxPooling2D(2, dtype="float32")(pyramid[-1]))
    filled = None
    for cells in reversed(pyramid):
        cells = layers.MaxPooling2D(3, strides=1, padding="same", dtype="float32")(cells)
        brightest, darkest = cells[..., :channels], 1.0 - cells[..., channels:]
        # Halved before they are added, which 8 bits hold without rounding twice.
        middle = 0.5 * brightest + 0.5 * darkest
        if filled is None:
            filled = middle
        else:
            # Each cell four times, side by side: twice as high and wide.
            coarser = _smooth(ops.depth_to_space(ops.concatenate([filled] * 4, axis=-1), 2))
            filled = ops.where(ops.greater(brightest, 0.0), middle, coarser)
    return ops.where(certain, images, _smooth(ops.where(certain, images, filled)))


def _smooth(x: Any) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same", dtype="float32")(x)
