"""From clean images to batches of (noisy, clean), with tf.data.

The decoded images are held in memory as one table of pixels, from which patches are gathered. Every
example is a function of the seed and of its position alone: which patch is cut, its flip and its
noise do not depend on what came before, so a run can start anywhere. The batch size decides where
an epoch ends, since its last batch is filled up, and so the order of later epochs.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kerasgan.data.clean import ImageSet
from kerasgan.data.pages import PAGE_SIZE, draw_pages
from kerasgan.errors import DataError
from kerasgan.noise.base import Noise
from kerasgan.noise.noisy import EVALUATION, TRAINING

# An image larger than the patch gives so many random ones, in units of the number that would tile
# it, that nine pixels in ten are seen in an epoch: -ln(1 - 0.9).
_COVERAGE = 2.3
# Overexposed patches are brightened at most so many times.
_BRIGHTEST = 4.0


def steps_per_epoch(images: ImageSet, *, batch_size: int = 64, patch_size: int = 48) -> int:
    """Counts the batches in which `training_pairs` shows every patch once.

    Args:
        images: clean images.
        batch_size: patches per batch.
        patch_size: height and width of the patches, in pixels.

    Returns:
        The number of batches.
    """
    return math.ceil(sum(_patch_counts(images, patch_size)) / batch_size)


def with_pages(images: ImageSet, share: float, *, patch_size: int = 48, seed: int = 0) -> ImageSet:
    """Adds made-up pages, until their patches are a share of all patches.

    Args:
        images: clean images.
        share: of the patches that an epoch of `training_pairs` shows, in [0, 1).
        patch_size: height and width of the patches, in pixels.
        seed: decides what is drawn.

    Returns:
        The images, and the pages after them; the images alone where the share is 0, or where there
        are none.
    """
    if not share or not len(images):
        return images
    own = sum(_patch_counts(images, patch_size))
    [channels] = {image.shape[-1] for image in images}
    count = own * share / (1.0 - share) / _patch_count((PAGE_SIZE, PAGE_SIZE), patch_size)
    pages = draw_pages(round(count), channels=channels, seed=seed)
    return ImageSet((*images.images, *pages.images), (*images.names, *pages.names))


def training_pairs(
    images: ImageSet,
    *,
    noise: Noise,
    batch_size: int = 64,
    patch_size: int = 48,
    flip: bool = True,
    scale: tuple[float, float] = (1.0, 1.0),
    saturate: float = 0.0,
    grey: float = 0.0,
    seed: int = 0,
    first_epoch: int = 0,
    worker: int = 0,
    workers: int = 1,
) -> tf.data.Dataset:
    """Builds endless batches of noisy and clean patches, fresh in every epoch.

    An epoch of `steps_per_epoch` batches shows every patch once, in a new order; its last batch is
    filled up with the first patches of that order. An image larger than the patch counts as
    several, cut at random; a smaller one is mirrored at its edges.

    Args:
        images: clean images.
        noise: what corrupts them; each patch draws its own level.
        batch_size: patches per batch.
        patch_size: height and width of the patches, in pixels.
        flip: whether patches are mirrored left to right at random.
        scale: the range of factors by which what a patch shows is resized; as many halve it as
            double it, where both lie in the range.
        saturate: share of patches in which a part, of random size, is driven to white or to black.
        grey: share of patches in colour that become grey before there is noise, which is the same
            in all of their channels.
        seed: decides order, patches, flips, exposures and noise.
        first_epoch: the epoch to begin with, counted from 0.
        worker: which part of every batch to build, counted from 0.
        workers: how many equal parts there are: one for each machine that trains.

    Returns:
        A tf.data.Dataset of (noisy, clean), float32 (batch / workers, patch, patch, C) in [0, 1],
        unless the noise is not clipped.

    Raises:
        DataError: if there are no images.
        ValueError: if workers cannot share a batch evenly.

    Example:
        >>> pairs = training_pairs(images.train, noise=SaltAndPepper((0.05, 0.95)))
        >>> gan.fit(pairs, steps_per_epoch=steps_per_epoch(images.train), epochs=10)
    """
    own = _share(batch_size, workers)
    table = _PixelTable.of(images)
    ends = np.cumsum(_patch_counts(images, patch_size))
    patches = ends[-1]
    shown = batch_size * steps_per_epoch(images, batch_size=batch_size, patch_size=patch_size)

    def pair(count: Any) -> tuple[Any, Any]:
        # Of each batch, a worker takes the part that begins at its number.
        position = count // own * batch_size + worker * own + count % own
        order_seed = tf.stack([tf.constant(seed, tf.int64), position // shown])
        patch = tf.random.experimental.index_shuffle(
            position % shown % patches, order_seed, patches - 1
        )
        image = tf.searchsorted(ends, patch[tf.newaxis], side="right")[0]
        example_seed = _fold_in((seed, TRAINING), position)
        top, left, mirror = tf.unstack(tf.random.stateless_uniform([3], example_seed))
        if scale == (1.0, 1.0):
            clean = table.random_patch(image, top, left, patch_size)
        else:
            side = _scaled(patch_size, scale, _fold_in(example_seed, 3))
            clean = _resized(table.random_patch(image, top, left, side), patch_size)
        if flip:
            clean = tf.where(mirror < 0.5, clean[:, ::-1], clean)
        if saturate:
            clean = _with_saturation(clean, saturate, _fold_in(example_seed, 2))
        if not grey:
            return _with_noise(clean, noise, example_seed)
        return tf.cond(
            tf.random.stateless_uniform([], _fold_in(example_seed, 4)) < grey,
            lambda: _with_grey_noise(clean, noise, example_seed),
            lambda: _with_noise(clean, noise, example_seed),
        )

    counts = tf.data.Dataset.range(first_epoch * shown // workers, np.iinfo(np.int64).max)
    pairs = counts.map(pair, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.batch(own, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def evaluation_pairs(
    images: ImageSet,
    *,
    noise: Noise,
    batch_size: int = 64,
    patch_size: int = 48,
    seed: int = 0,
    even: bool = False,
    worker: int = 0,
    workers: int = 1,
) -> tf.data.Dataset:
    """Builds batches of noisy and clean patches that are the same every time.

    Images larger than the patch are tiled with it, without overlap; a smaller one is mirrored at
    its edges.

    Args:
        images: clean images.
        noise: what corrupts them; each patch draws its own level.
        batch_size: patches per batch; it changes nothing else.
        patch_size: height and width of the patches, in pixels.
        seed: decides the noise.
        even: whether to fill the last batch up with patches that count for nothing, so that
            replicas, which fail on none, can share it.
        worker: which part of every even batch to build, counted from 0.
        workers: how many equal parts there are: one for each machine that trains.

    Returns:
        A finite tf.data.Dataset of (noisy, clean), float32 (batch, patch, patch, C) in [0, 1]; or
        of (noisy, clean, weight), with (batch / workers,) weights of 1 or 0, if `even`.

    Raises:
        DataError: if there are no images.
        ValueError: if workers cannot share a batch evenly.
    """
    table = _PixelTable.of(images)
    places = [
        (index, top, left)
        for index, image in enumerate(images)
        for top in range(0, max(1, image.shape[0] - patch_size + 1), patch_size)
        for left in range(0, max(1, image.shape[1] - patch_size + 1), patch_size)
    ]

    count, own = len(places), _share(batch_size, workers)
    places = tf.constant(places, tf.int64)

    def pair(number: Any) -> tuple[Any, ...]:
        position = number // own * batch_size + worker * own + number % own
        image, top, left = tf.unstack(places[position % count])
        clean = table.patch(image, top, left, patch_size)
        pair = _with_noise(clean, noise, _fold_in((seed, EVALUATION), position))
        return (*pair, tf.cast(position < count, tf.float32)) if even else pair

    shown = math.ceil(count / batch_size) * own if even else count
    pairs = tf.data.Dataset.range(shown).map(pair, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.batch(own).prefetch(tf.data.AUTOTUNE)


def _share(batch_size: int, workers: int) -> int:
    """How much of a batch each worker builds."""
    if batch_size % workers:
        raise ValueError(f"{workers} workers cannot share batches of {batch_size} evenly")
    return batch_size // workers


def _patch_counts(images: ImageSet, patch_size: int) -> list[int]:
    return [_patch_count(image.shape, patch_size) for image in images]


def _patch_count(shape: tuple[int, ...], patch_size: int) -> int:
    height, width = shape[:2]
    if height <= patch_size and width <= patch_size:
        return 1
    return max(1, round(_COVERAGE * height * width / patch_size**2))


def _fold_in(seed: Any, *numbers: Any) -> Any:
    seed = tf.cast(seed, tf.int64)
    for number in numbers:
        seed = tf.random.experimental.stateless_fold_in(seed, tf.cast(number, tf.int64))
    return seed


def _scaled(size: int, scale: tuple[float, float], seed: Any) -> Any:
    """Draws how many pixels become `size` ones."""
    low, high = map(math.log, scale)
    factor = tf.exp(tf.random.stateless_uniform([], seed, low, high, tf.float64))
    return tf.cast(tf.round(size / factor), tf.int64)


def _resized(patch: Any, size: int) -> Any:
    resized = tf.image.resize(patch, (size, size), method="bicubic", antialias=True)
    return tf.clip_by_value(resized, 0.0, 1.0)


def _with_saturation(clean: Any, share: float, seed: Any) -> Any:
    chosen, whitened, part = tf.unstack(tf.random.stateless_uniform([3], seed))
    light = tf.where(whitened < 0.5, clean, 1.0 - clean)
    # A random part of the patch, its brightest, is driven to white; black is the same upside down.
    ranked = tf.sort(tf.reshape(light, [-1]))
    white = ranked[tf.cast(part * tf.cast(tf.size(ranked), part.dtype), tf.int32)]
    light = tf.minimum(light / tf.maximum(white, 1.0 / _BRIGHTEST), 1.0)
    exposed = tf.where(whitened < 0.5, light, 1.0 - light)
    # As a camera would have kept it: in 8 bits.
    return tf.where(chosen < share, tf.round(exposed * 255.0) / 255.0, clean)


def _with_noise(clean: Any, noise: Noise, seed: Any) -> tuple[Any, Any]:
    level = noise.draw_level(_fold_in(seed, 0))
    return noise.corrupt(clean, level, seed=_fold_in(seed, 1)), clean


def _with_grey_noise(clean: Any, noise: Noise, seed: Any) -> tuple[Any, ...]:
    pair = _with_noise(tf.image.rgb_to_grayscale(clean), noise, seed)
    return tuple(tf.repeat(image, 3, axis=-1) for image in pair)


class _PixelTable(NamedTuple):
    """All pixels of all images, one after the other, and where each image begins."""

    pixels: tf.Tensor  # (number of pixels, C), uint8
    starts: tf.Tensor  # (N,), int64, as the two below
    heights: tf.Tensor
    widths: tf.Tensor

    @classmethod
    def of(cls, images: ImageSet) -> "_PixelTable":
        if not len(images):
            raise DataError("there are no images to make pairs from")
        heights, widths = np.array([image.shape[:2] for image in images], np.int64).T
        sizes = heights * widths
        pixels = np.concatenate([image.reshape(-1, image.shape[-1]) for image in images])
        # The table stays in the host's memory, whatever device trains.
        with tf.device("CPU:0"):
            return cls(*map(tf.constant, (pixels, np.cumsum(sizes) - sizes, heights, widths)))

    def patch(self, image: Any, top: Any, left: Any, size: Any) -> Any:
        """Cuts a patch: float32 (size, size, C) in [0, 1], mirrored where the image ends."""
        size = tf.cast(size, tf.int64)
        width = self.widths[image]
        rows = _mirrored(top + tf.range(size), self.heights[image])
        columns = _mirrored(left + tf.range(size), width)
        indices = self.starts[image] + rows[:, tf.newaxis] * width + columns
        return tf.cast(tf.gather(self.pixels, indices), tf.float32) / 255.0

    def random_patch(self, image: Any, top: Any, left: Any, size: Any) -> Any:
        """Cuts the patch at shares `top` and `left`, in [0, 1), of the room that there is."""

        def place(share: Any, extent: Any) -> Any:
            room = tf.maximum(extent - size, 0) + 1
            return tf.cast(share * tf.cast(room, share.dtype), tf.int64)

        return self.patch(
            image, place(top, self.heights[image]), place(left, self.widths[image]), size
        )


def _mirrored(indices: Any, extent: Any) -> Any:
    wrapped = indices % (2 * extent)
    return tf.minimum(wrapped, 2 * extent - 1 - wrapped)
