import keras
import numpy as np
import pytest
from keras import layers

from kerasgan.config import GeneratorConfig
from kerasgan.model.generators import build_generator
from kerasgan.model.promises import last_convolutions, promises
from tests.helpers import looking_into_the_corners, randomize

NETWORKS = [
    GeneratorConfig("classic", (4, 4, 4)),
    GeneratorConfig("selective", (4, 4, 4)),
    GeneratorConfig("selective", (4, 4, 4, 4)),
    GeneratorConfig("selective", (4, 4, 4, 4, 4), "relu6"),
    GeneratorConfig("selective", (4, 4, 4), detail=8),
    GeneratorConfig("selective", (4, 4, 4), detail=8, gated=True),
    GeneratorConfig("selective", (4, 4, 4), decoder_blocks=2),
    GeneratorConfig("residual", (4, 4, 4)),
    GeneratorConfig("residual", (4, 4, 4), detail=8, gated=True),
]


def name_of(config):
    parts = [config.architecture, str(len(config.filters))]
    parts += ["detail"] * bool(config.detail) + ["gated"] * config.gated
    return "-".join([*parts, *["deeper"] * (config.decoder_blocks > 1)])


@pytest.fixture(params=NETWORKS, ids=name_of)
def generator(request):
    return randomize(build_generator(request.param))


def test_the_multiple_is_what_the_network_takes(generator):
    multiple = promises(generator).multiple
    for extent in (multiple, 3 * multiple):
        picture = np.full((1, extent, extent, 1), 0.5, np.float32)
        assert generator(picture).shape == picture.shape
    with pytest.raises(Exception, match=r"(?i)shape|dimension"):
        extent = 3 * multiple + multiple // 2
        generator(np.full((1, extent, extent, 1), 0.5, np.float32))


def test_nothing_beyond_the_reach_changes_a_pixel(generator):
    looking_into_the_corners(generator)
    reach, multiple = promises(generator).reach, promises(generator).multiple
    extent = -(-(2 * reach + 3 * multiple) // multiple) * multiple
    farthest = 0
    # A network with strides sees other positions differently.
    for offset in sorted({0, multiple // 2 - 1, multiple // 2, multiple - 1}):
        place = extent // 2 // multiple * multiple + offset
        # Nothing is certain to "selective", whose filling looks as far as it can then; others are
        # not to clip what they change.
        level = 0.0 if promises(generator).certain_exact else 0.5
        before = np.full((1, extent, extent, 1), level, np.float32)
        after = before.copy()
        after[0, place, place] = 0.9
        _, rows, columns, _ = np.nonzero(generator(before) != generator(after))
        farthest = max(farthest, np.abs(rows - place).max(), np.abs(columns - place).max())
    assert farthest <= reach
    # And it is not said to reach much further than it does.
    assert farthest >= 0.85 * reach


def test_certain_pixels_are_promised_where_they_come_back(generator):
    levels = np.arange(256, dtype=np.float32) / 255
    noisy = np.random.default_rng(2).choice(levels, (1, 64, 64, 1)).astype(np.float32)
    certain = (noisy > 0) & (noisy < 1)
    exact = np.array_equal(generator(noisy).numpy()[certain], noisy[certain])
    assert promises(generator).certain_exact == exact


def test_the_last_convolution_makes_the_picture(generator):
    names = last_convolutions(generator)
    convolutions = [layer.name for layer in generator.layers if type(layer) is layers.Conv2D]
    # A gated one says in another how likely each value is noise.
    assert {*names} == {*convolutions[-len(names) :]} and len(names) <= 2
    assert all(generator.get_layer(name).filters == 1 for name in names)


def test_a_graph_that_does_not_tell_promises_no_reach():
    noisy = keras.Input((None, None, 1))
    mean = layers.GlobalAveragePooling2D(keepdims=True)(noisy)
    assert promises(keras.Model(noisy, noisy - mean)).reach is None


def test_what_is_not_known_keeps_its_strides():
    noisy = keras.Input((None, None, 1))
    x = layers.Conv2D(2, 3, strides=2, padding="same")(layers.Lambda(lambda x: x / 2)(noisy))
    restored = layers.Conv2DTranspose(1, 2, strides=2)(x)
    found = promises(keras.Model(noisy, restored))
    assert (found.multiple, found.reach) == (2, None)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_models_within_models_and_layers_called_twice_are_followed(kind):
    inner = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(2, 3, strides=2, padding="same"),
            layers.Conv2DTranspose(1, 2, strides=2, name="last"),
        ]
    )
    if kind == "functional":
        inner = keras.Model(inner.inputs[0], inner.outputs[0])
    shared = layers.Conv2D(1, 3, padding="same")
    noisy = keras.Input((None, None, 1))
    network = keras.Model(noisy, keras.ops.clip(inner(inner(shared(shared(noisy)))), 0.0, 1.0))
    found = promises(network)
    assert found.multiple == 2
    # 1 + 1 of the shared layer, and from a pixel to the farthest that its cell sees, twice.
    before, after = np.zeros((2, 1, 32, 32, 1), np.float32)
    after[0, 16, 16] = 0.5
    randomize(network)
    rows = np.nonzero(network(before) != network(after))[1]
    assert np.abs(rows - 16).max() <= found.reach <= 6
    assert last_convolutions(network) == ["last"]


def test_only_a_choice_of_all_certain_pixels_is_exact():
    noisy = keras.Input((None, None, 1))
    some = keras.ops.where(noisy > 0.5, noisy, 0.0)
    assert not promises(keras.Model(noisy, some)).certain_exact
    all_of_them = keras.ops.where(keras.ops.logical_and(noisy > 0.0, noisy < 1.0), noisy, 0.0)
    assert promises(keras.Model(noisy, all_of_them)).certain_exact


@pytest.mark.parametrize(
    ("layer", "multiple", "reach"),
    [
        (layers.Conv2D(1, 5, padding="same"), 1, 2),
        (layers.Conv2D(1, 3, padding="same", dilation_rate=3), 1, 3),
        (layers.MaxPooling2D(3, strides=1, padding="same"), 1, 1),
    ],
)
def test_reach_of_single_layers(layer, multiple, reach):
    noisy = keras.Input((None, None, 1))
    found = promises(keras.Model(noisy, layer(noisy)))
    assert (found.multiple, found.reach, found.certain_exact) == (multiple, reach, False)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(1, (1, 9), padding="same"),
        layers.Conv2D(1, 3, padding="same", dilation_rate=(1, 4)),
        layers.MaxPooling2D((3, 5), strides=1, padding="same"),
    ],
)
def test_what_is_not_square_reaches_nobody_knows_how_far(layer):
    noisy = keras.Input((None, None, 1))
    assert promises(keras.Model(noisy, layer(noisy))).reach is None


def test_what_is_cut_and_joined_must_be_channels():
    noisy = keras.Input((None, None, 2))
    joined = keras.ops.concatenate([noisy[..., :1], noisy[:, :, :, 1:]], axis=-1)
    assert promises(keras.Model(noisy, joined)).reach == 0
    moved = keras.ops.concatenate([noisy[:, 1:], noisy[:, :1]], axis=1)
    assert promises(keras.Model(noisy, moved)).reach is None
