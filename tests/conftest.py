"""Small data and small models that the tests share."""

import numpy as np
import pytest
from PIL import Image

from kerasgan.config import RunConfig
from kerasgan.data.clean import CleanImages, ImageSet
from kerasgan.networks import build_generator
from kerasgan.presets import preset
from kerasgan.restore import load_generator
from kerasgan.run_folder import RunFolder
from kerasgan.tflite import QUANTIZATIONS
from kerasgan.tflite.export import export_bundle
from kerasgan.training import train


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


@pytest.fixture(scope="session")
def clean_images():
    return CleanImages(image_set(12), image_set(4, 100), image_set(3, 200))


def small_config(name="selective", **changes) -> RunConfig:
    """A preset at three levels of 4 filters and 32 pixels."""
    return (
        preset(name)
        .replace(
            data__patch_size=32,
            generator__filters=(4, 4, 4),
            discriminator__filters=(4, 4),
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


def run_of(folder, images, config):
    folder = RunFolder(folder)
    folder.create(config, images)
    train(config, images, folder, verbose=0)
    return folder


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory, clean_images):
    """The folder of a finished run of the smallest kind."""
    return run_of(tmp_path_factory.mktemp("runs") / "small", clean_images, small_config())


@pytest.fixture(scope="session")
def averaged_run(tmp_path_factory, clean_images):
    """The folder of a run that averages its generator's weights."""
    config = small_config(epochs=1, g_optimizer__ema_momentum=0.9)
    return run_of(tmp_path_factory.mktemp("runs") / "averaged", clean_images, config)


@pytest.fixture
def photos(tmp_path):
    """A folder of six pictures of several sizes and formats."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    sizes = {
        "a.png": (40, 33),
        "b.bmp": (32, 48),
        "c.webp": (20, 20),
        "d.tif": (64, 64),
        "more/e.png": (48, 48),
        "more/f.png": (50, 70),
    }
    for seed, (name, (height, width)) in enumerate(sizes.items()):
        pixels = smooth_image(seed, height, width)
        Image.fromarray(pixels[..., 0]).save(folder / name, lossless=True)
    return folder


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


def bundle_of(generator, path, *, channels=1, **options):
    pictures = textured_set(3, channels=channels)
    return export_bundle(
        generator,
        path,
        **{
            "quantizations": QUANTIZATIONS,
            "sizes": ((32, 32), (48, 64)),
            "calibration": pictures,
            "calibration_source": "pictures",
            "held_out": textured_set(2, 100, channels=channels),
            **options,
        },
    )


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, trained_run):
    """Every kind of file, of a trained selective generator."""
    path = tmp_path_factory.mktemp("bundles") / "selective"
    return bundle_of(load_generator(trained_run.path), path, any_size=True)


@pytest.fixture(scope="session")
def classic_bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "classic"
    return bundle_of(randomize(build_generator(small_config("classic").generator)), path)


@pytest.fixture(scope="session")
def color_bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "color"
    generator = randomize(build_generator(small_config().generator, channels=3))
    return bundle_of(generator, path, channels=3, quantizations=("float32",), sizes=[(32, 32)])
