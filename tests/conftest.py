"""Fixtures that the tests share; what needs TensorFlow is imported when it is asked for."""

import pytest
from PIL import Image

from kerasgan.data.clean import CleanImages
from tests.helpers import bundle_of, image_set, randomize, run_of, small_config, smooth_image


@pytest.fixture(scope="session")
def clean_images():
    return CleanImages(image_set(12), image_set(4, 100), image_set(3, 200))


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


@pytest.fixture(scope="session")
def bundle(tmp_path_factory, trained_run):
    """Every kind of file, of a trained selective generator."""
    from kerasgan.model.loading import load_generator

    path = tmp_path_factory.mktemp("bundles") / "selective"
    return bundle_of(load_generator(trained_run.path), path, any_size=True)


@pytest.fixture(scope="session")
def classic_bundle(tmp_path_factory):
    from kerasgan.model.generators import build_generator

    path = tmp_path_factory.mktemp("bundles") / "classic"
    return bundle_of(randomize(build_generator(small_config("classic").generator)), path)


@pytest.fixture(scope="session")
def color_bundle(tmp_path_factory):
    from kerasgan.model.generators import build_generator

    path = tmp_path_factory.mktemp("bundles") / "color"
    generator = randomize(build_generator(small_config().generator, channels=3))
    return bundle_of(generator, path, channels=3, quantizations=("float32",), sizes=[(32, 32)])
