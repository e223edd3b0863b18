"""Fixtures that the tests share; what needs TensorFlow is imported when it is asked for."""

import fcntl
import os
import sys

import pytest
from PIL import Image

from kerasgan.data.clean import CleanImages
from kerasgan.store.bundle import Bundle
from kerasgan.store.run_folder import RunFolder
from tests.helpers import bundle_of, image_set, randomize, run_of, small_config, smooth_image


def pytest_collection_modifyitems(items):
    """Files with slow tests come first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Leaves what is marked so out of the coverage; the mark of pytest-cov saves no time."""
    if not item.get_closest_marker("unmeasured"):
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Makes a folder in one of the processes that run the tests, for all of them.

    Tests that change anything in it copy it first.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    root /= "shared"
    root.mkdir(exist_ok=True)

    def made_once(name, make):
        with (root / f"{name}.lock").open("w") as lock:
            # The others wait, and find the whole folder.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (root / name).exists():
                unfinished = tmp_path_factory.mktemp("unfinished")
                make(unfinished / name)
                unfinished.rename(root / name)
        # With a folder around it, in which anything shows that is left behind.
        return root / name / name

    return made_once


@pytest.fixture(scope="session")
def clean_images():
    return CleanImages(image_set(12), image_set(4, 100), image_set(3, 200))


@pytest.fixture(scope="session")
def trained_run(made_once, clean_images):
    """The folder of a finished run of the smallest kind."""
    return RunFolder(made_once("small", lambda path: run_of(path, clean_images, small_config())))


@pytest.fixture(scope="session")
def averaged_run(made_once, clean_images):
    """The folder of a run that averages its generator's weights."""
    config = small_config(epochs=1, g_optimizer__ema_momentum=0.9)
    return RunFolder(made_once("averaged", lambda path: run_of(path, clean_images, config)))


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
def bundle(made_once, trained_run):
    """Every kind of file, of a trained selective generator."""
    from kerasgan.model.loading import load_generator

    def make(path):
        bundle_of(load_generator(trained_run.path), path, any_size=True)

    return Bundle.read(made_once("selective", make))


@pytest.fixture(scope="session")
def classic_bundle(made_once):
    from kerasgan.model.generators import build_generator

    def make(path):
        bundle_of(randomize(build_generator(small_config("classic").generator)), path)

    return Bundle.read(made_once("classic", make))


@pytest.fixture(scope="session")
def color_bundle(made_once):
    from kerasgan.model.generators import build_generator

    def make(path):
        generator = randomize(build_generator(small_config().generator, channels=3))
        options = {"channels": 3, "quantizations": ("float32",), "sizes": [(32, 32)]}
        bundle_of(generator, path, **options)

    return Bundle.read(made_once("color", make))
