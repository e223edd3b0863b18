import hashlib
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasgan.data.clean import ImageSet
from kerasgan.errors import DataError, ModelError, OutputError
from kerasgan.images.pixels import to_float
from kerasgan.model.generators import build_generator
from kerasgan.model.loading import load_generator
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.restore.files import load_file
from kerasgan.restore.tiling import Window
from kerasgan.tflite import QUANTIZATIONS, checks
from kerasgan.tflite.calibration import calibration_pictures, count_pictures
from kerasgan.tflite.convert import convert
from tests.helpers import bundle_of, image_set, randomize, small_config, smooth_image

NOISE = SaltAndPepper((0.05, 0.95))


def small_generator():
    return randomize(build_generator(small_config().generator))


@pytest.fixture(scope="module")
def small_bundle(tmp_path_factory):
    """A bundle of one file of the small generator, to be copied."""
    path = tmp_path_factory.mktemp("small") / "bundle"
    return bundle_of(small_generator(), path, quantizations=["float32"], sizes=[(32, 32)])


def test_a_bundle_holds_what_its_manifest_says(bundle):
    manifest = json.loads((bundle.path / "manifest.json").read_text())
    assert list(manifest["files"]) == [*QUANTIZATIONS, "any-size"]
    for entry in (*manifest["files"].values(), manifest["generator"]):
        content = (bundle.path / entry["file"]).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["signatures"] == {"denoise": [32, 32], "denoise_48x64": [48, 64]}
    assert manifest["multiple"] == 4
    assert manifest["axes"] == ["batch", "height", "width", "channel"]
    assert manifest["overlap"] == {"denoise": 8, "denoise_48x64": 16}
    model = load_file(bundle.path / "int8.tflite")
    for name, size in model.sizes.items():
        assert manifest["overlap"][name] == 2 * model.window(*size).margin
    assert manifest["certain_pixels_exact"]
    assert manifest["calibration"]["pictures"] >= 100
    names = {path.name for path in bundle.path.iterdir()}
    files = {entry["file"] for entry in manifest["files"].values()}
    assert names == files | {"manifest.json", "MODEL_CARD.md", "generator.keras", "samples"}
    assert not list(bundle.path.parent.glob(".*"))


def test_the_card_tells_every_files_figures(bundle):
    card = (bundle.path / "MODEL_CARD.md").read_text()
    for entry in bundle.manifest["files"].values():
        assert f"{entry['bytes']:,}" in card
        for result in entry["psnr"].values():
            assert f"{result['file']:.2f} (" in card
    cost = bundle.manifest["cost"]
    assert cost["weights"] == load_generator(bundle.generator).count_params()
    assert f"{cost['weights']:,} weights" in card
    assert f"{cost['multiply_accumulates']:,.0f} multiply-accumulates for each pixel" in card
    assert "Limits" in card and "uint8, scale 1/255, zero point 0" in card


def test_samples_show_what_each_file_makes_of_a_noisy_picture(bundle):
    noisy = np.asarray(Image.open(bundle.path / "samples" / "noisy.png"))
    assert 0.45 < np.isin(noisy, (0, 255)).mean() < 0.55
    certain = (noisy > 0) & (noisy < 255)
    for name in (*bundle.manifest["files"], "keras"):
        restored = np.asarray(Image.open(bundle.path / "samples" / f"{name}.png"))
        np.testing.assert_array_equal(restored[certain], noisy[certain])
    assert (bundle.path / "samples" / "comparison.png").is_file()


def test_fixed_sizes_of_classic_run_whole_in_xnnpack(classic_bundle):
    for name in ("float32", "float16", "dynamic"):
        assert classic_bundle.manifest["files"][name]["xnnpack"] == {"partitions": 1, "outside": {}}


def test_8_bit_files_compute_in_integers_alone(bundle, classic_bundle):
    for folder in (bundle, classic_bundle):
        model = load_file(folder.path / "int8.tflite")
        assert not any(op["op_name"] == "DEQUANTIZE" for op in model.operators())
        types = {np.dtype(tensor["dtype"]) for tensor in model._interpreter.get_tensor_details()}
        assert np.dtype(np.float32) not in types


def test_only_comparisons_and_selections_of_selective_stay_outside(bundle):
    outside = bundle.manifest["files"]["float32"]["xnnpack"]["outside"]
    assert set(outside) <= {"GREATER", "LESS", "LOGICAL_AND", "SELECT", "SELECT_V2"}


def test_calibration_pictures_cover_all_levels_and_both_ends():
    images = image_set(3, height=40, width=50)
    pictures = list(calibration_pictures(images, (32, 48), NOISE, seed=1))
    assert {picture.shape for picture in pictures} == {(32, 48, 1)}
    shares = [np.isin(picture, (0.0, 1.0)).mean() for picture in pictures]
    assert shares[0] == 0.0 and 0.9 < shares[-1] < 1.0
    np.testing.assert_allclose(shares, np.linspace(0, 0.95, 200), atol=0.06)
    assert np.min(pictures[-1]) == 0.0 and np.max(pictures[-1]) == 1.0
    again = list(calibration_pictures(images, (32, 48), NOISE, seed=1))
    np.testing.assert_array_equal(pictures, again)
    other = list(calibration_pictures(images, (32, 48), NOISE, seed=2))
    assert not np.array_equal(pictures, other)


def test_calibration_pictures_are_drawn_from_all_images():
    values = range(1, 251)
    images = ImageSet(
        tuple(np.full((32, 32, 1), value, np.uint8) for value in values), tuple(map(str, values))
    )
    seen = {
        round(255 * float(np.median(picture[(picture > 0) & (picture < 1)])))
        for picture in calibration_pictures(images, (32, 32), NOISE)
    }
    assert len(seen) == 200 and max(seen) > 200


def test_a_check_takes_the_window_of_its_own_size():
    class Exact:
        sizes, channels = {"denoise": (16, 16), "denoise_8x8": (8, 8)}, 1

        def run(self, noisy, window):
            assert noisy.shape[:2] == (window.height, window.width)
            return to_float(noisy)

        def window(self, height, width):
            return Window(8, 8, 0, 8)

    checks.check_values("file", Exact(), exact=True)


def test_calibration_pictures_that_are_too_small_are_mirrored():
    small, tiny = image_set(1, height=40, width=50), image_set(1, 1, height=23, width=64)
    both = ImageSet((*small.images, *tiny.images), ("small", "tiny"))
    # The first has no noise; less than half as high is too small.
    picture = next(calibration_pictures(both, (48, 64), NOISE))
    own = to_float(small.images[0])
    np.testing.assert_array_equal(picture[:40, :50], own)
    np.testing.assert_array_equal(picture[40:, :50], own[:31:-1])
    np.testing.assert_array_equal(picture[:40, 50:], own[:, :35:-1])


def test_of_larger_calibration_pictures_there_are_fewer():
    assert [count_pictures(size) for size in ((48, 48), (256, 256), (512, 512), (2048, 64))] == [
        200,
        200,
        50,
        100,
    ]
    assert count_pictures((4096, 4096)) == 25


def test_an_export_can_be_repeated(bundle, trained_run, tmp_path):
    again = bundle_of(
        load_generator(trained_run.path), tmp_path / "again", quantizations=["int8", "float32"]
    )
    for name in ("float32", "int8"):
        assert again.manifest["files"][name] == bundle.manifest["files"][name]


def test_a_compact_bundle_holds_weights_of_nine_bits(small_bundle, tmp_path):
    generator, plain = small_generator(), small_bundle.generator
    compact = bundle_of(
        generator, tmp_path / "compact", quantizations=["float32"], sizes=[(32, 32)], compact=True
    ).generator
    for own, other in zip(
        load_generator(compact).get_weights(), generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(own, other, rtol=2**-9)
        assert not np.any(np.ldexp(np.frexp(own)[0], 9) % 1)
    assert compact.stat().st_size < 0.9 * plain.stat().st_size


@pytest.mark.parametrize("sizes", [[(30, 32)], [(32, 32), (32, 33)]])
def test_sizes_that_are_no_multiples_are_refused(sizes, tmp_path):
    with pytest.raises(ModelError, match=r"must be multiples of 4, such as 32x32"):
        bundle_of(small_generator(), tmp_path / "bundle", sizes=sizes)
    assert not list(tmp_path.iterdir())


def test_calibration_pictures_far_too_small_are_refused_before_anything_is_made(tmp_path):
    begun, sizes = [], [(32, 32), (192, 32)]
    with pytest.raises(DataError, match="pictures are smaller than 192x32, by more than half"):
        bundle_of(small_generator(), tmp_path / "bundle", sizes=sizes, on_step=begun.append)
    assert not begun and not list(tmp_path.iterdir())


def test_operators_that_are_not_built_in_are_refused(tmp_path):
    noisy = keras.Input((None, None, 1))
    strange = keras.Model(noisy, keras.ops.erfinv(noisy))
    with pytest.raises(ModelError, match="operators that TFLite does not"):
        convert(strange, "float32", sizes=[(16, 16)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("int4",), "no quantization 'int4'"),
        (("int8",), "int8 needs sizes and calibration pictures"),
    ],
)
def test_convert_refuses_what_it_cannot_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        convert(small_generator(), *arguments)


def test_an_interrupted_or_failed_export_leaves_what_was_there(small_bundle, tmp_path):
    target = tmp_path / "bundle"

    def interrupt(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundle_of(small_generator(), target, on_step=interrupt)
    assert not list(tmp_path.iterdir())
    shutil.copytree(small_bundle.path, target)
    before = (target / "manifest.json").read_text()

    def full_disk(step):
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        bundle_of(small_generator(), target, overwrite=True, on_step=full_disk)
    assert (target / "manifest.json").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_only_bundles_are_replaced_and_only_on_demand(small_bundle, tmp_path):
    target, options = tmp_path / "bundle", {"quantizations": ["float32"], "sizes": [(32, 32)]}
    shutil.copytree(small_bundle.path, target)
    with pytest.raises(OutputError, match="is not empty"):
        bundle_of(small_generator(), target, **options)
    bundle_of(small_generator(), target, overwrite=True, **options)
    (target / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds thesis.txt, which is no part of a bundle"):
        bundle_of(small_generator(), target, overwrite=True, **options)
    assert (target / "thesis.txt").read_text() == "years of work"


# What each check says when it fails.


def test_a_file_that_forgets_certain_pixels_is_not_handed_out(classic_bundle):
    model = load_file(classic_bundle.path / "float32.tflite")
    with pytest.raises(ModelError, match="changes pixels that cannot be noise: .* came back as"):
        checks.check_values("it", model, exact=True)
    checks.check_values("it", model, exact=False)


def test_a_file_that_answers_without_numbers_is_not_handed_out(bundle, monkeypatch):
    model = load_file(bundle.path / "float32.tflite")
    monkeypatch.setattr(model, "run", lambda noisy, window: np.full(noisy.shape, np.nan))
    with pytest.raises(ModelError, match="values that are no numbers"):
        checks.check_values("it", model, exact=False)


def test_a_file_in_pieces_is_not_handed_out(bundle):
    found = checks.placement(load_file(bundle.path / "float32.tflite"))
    with pytest.raises(ModelError, match="does not run as one piece in XNNPACK: .* GREATER"):
        checks.check_operators("it", found, whole=True)
    with pytest.raises(ModelError, match="not built in: FlexFFT"):
        checks.check_operators("it", checks.Placement(1, {"FlexFFT": 1}), whole=False)


def test_a_file_that_is_too_large_is_not_handed_out():
    checks.check_size("it", 500_000, "int8", 400_000, 2)
    with pytest.raises(ModelError, match=r"it has 1,600,000 bytes; at most"):
        checks.check_size("it", 1_600_000, "int8", 400_000, 2)


@pytest.mark.parametrize(("quantization", "allowed"), list(checks.PSNR_TOLERANCES.items()))
def test_a_file_that_restores_otherwise_is_not_handed_out(quantization, allowed):
    def check(*own, keras=(30.0, 30.0)):
        checks.check_quality(
            "it", {0.5: np.array(own)}, {0.5: np.array(keras)}, quantization, NOISE
        )

    check(30.0 - 0.9 * allowed, 30.0 - 0.9 * allowed)
    check(55.0, 30.0, keras=(np.inf, 30.0))
    for own in (30.0 - 1.1 * allowed, float("nan")):
        with pytest.raises(
            ModelError, match="at 50% of salt and pepper where Keras reaches 30.000"
        ):
            check(own, own)


def test_quality_is_measured_on_pictures_of_the_size():
    small = ImageSet((smooth_image(0, 20, 90),), ("small",))
    for level, pairs in checks.held_out_pairs(small, (32, 48), NOISE).items():
        assert len(pairs) == 100
        for noisy, clean in pairs:
            assert noisy.shape == clean.shape == (32, 48, 1)
            changed = noisy != clean
            assert level - 0.1 < changed.mean() < level + 0.1
            assert set(noisy[changed]) <= {0, 255}
    assert {len(pairs) for pairs in checks.held_out_pairs(small, (256, 256), NOISE).values()} == {8}


def test_a_full_folder_for_temporary_files_is_named(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr("kerasgan.tflite.convert._save", full)
    with pytest.raises(OutputError, match=r"cannot write to /.*No space left on device"):
        bundle_of(small_generator(), tmp_path / "bundle")
    assert not list(tmp_path.iterdir())
