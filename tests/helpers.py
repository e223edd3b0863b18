"""Small data and small models that tests make for themselves."""

import numpy as np

from kerasgan.config import RunConfig
from kerasgan.data.clean import ImageSet
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.presets import preset
from kerasgan.tflite import QUANTIZATIONS


def smooth_image(seed, height=32, width=32, channels=1):
    """An image of soft blobs without black or white pixels, as uint8 (H, W, C)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16.0
    planes = []
    for _ in range(channels):
        a, b, c, d = random.uniform(0.5, 2.0, 4)
        planes.append(128 + 60 * np.sin(a * x + c) + 50 * np.cos(b * y + d))
    return np.clip(np.stack(planes, axis=-1), 1, 254).astype(np.uint8)


def image_set(count, first_seed=0, **size):
    images = tuple(smooth_image(first_seed + i, **size) for i in range(count))
    return ImageSet(images, tuple(f"image {first_seed + i}" for i in range(count)))


def textured_set(count, first_seed=0, channels=1):
    """Images that are as hard to restore as photographs."""
    random = np.random.default_rng(first_seed)
    images = image_set(count, first_seed, height=64, width=64, channels=channels)
    return ImageSet(
        tuple(
            np.clip(image + random.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
            for image in images
        ),
        images.names,
    )


def noisy_picture(height, width, channels=1, dtype=np.uint8):
    random = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    clean = smooth_image(1, height, width, channels).astype(dtype) * (top // 255)
    draw = random.random((height, width, 1))
    return np.where(draw < 0.3, np.where(draw < 0.15, 0, top), clean).astype(dtype)


def small_config(name="selective-gan", **changes) -> RunConfig:
    """A preset at three levels of 4 filters and 32 pixels, with Adam, whose graph is small."""
    return (
        preset(name)
        .replace(
            data__patch_size=32,
            generator__filters=(4, 4, 4),
            discriminator__filters=(4, 4),
            g_optimizer__algorithm="adam",
            g_optimizer__learning_rate=2e-3,
            batch_size=4,
            epochs=2,
        )
        .replace(**changes)
    )


def randomize(model):
    """Gives a model weights at random, as if it were trained."""
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(0, 0.2, variable.shape))
    return model


def looking_into_the_corners(generator):
    """Gives a network weights by which what is farthest shows: no ReLU cuts off, nothing clips."""
    from keras import layers

    from kerasgan.model.promises import last_convolutions

    for layer in generator.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.gamma.assign(np.ones(layer.gamma.shape))
            layer.beta.assign(np.zeros(layer.beta.shape))
        if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose):
            kernel = np.zeros(layer.kernel.shape)
            corners = (
                slice(None, None, kernel.shape[0] - 1),
                slice(None, None, kernel.shape[1] - 1),
            )
            kernel[corners] = 1.0 / np.prod(kernel[corners].shape[:3])
            layer.kernel.assign(kernel)
    for name in last_convolutions(generator):
        generator.get_layer(name).kernel.assign(0.1 * generator.get_layer(name).kernel)
    return generator


def run_of(path, images, config):
    """Trains silently; returns the run folder."""
    from kerasgan.store.run_folder import RunFolder
    from kerasgan.training.train import train

    train(config, images, path, verbose=0)
    return RunFolder(path)


def bundle_of(generator, path, *, channels=1, **options):
    """Exports a generator, by small pictures."""
    from kerasgan.tflite.export import export_bundle

    pictures = textured_set(3, channels=channels)
    return export_bundle(
        generator,
        path,
        **{
            "quantizations": QUANTIZATIONS,
            "sizes": ((32, 32), (48, 64)),
            "calibration": pictures,
            "source": "pictures",
            "held_out": textured_set(2, 100, channels=channels),
            "noise": SaltAndPepper((0.05, 0.95)),
            **options,
        },
    )
