"""One bundle for each preset, and one of a generator for colour, shared by the tests."""

import numpy as np
import pytest

from kerasgan.data.clean import ImageSet
from kerasgan.networks import build_generator
from kerasgan.restore import load_generator
from kerasgan.tflite.convert import QUANTIZATIONS
from kerasgan.tflite.export import export
from tests.conftest import image_set, small_config
from tests.test_networks import randomize

SIZES = ((32, 32), (48, 64))


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
    return export(
        generator,
        path,
        **{
            "quantizations": QUANTIZATIONS,
            "sizes": SIZES,
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
