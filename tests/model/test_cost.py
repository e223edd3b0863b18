import keras
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from kerasgan.config import GeneratorConfig
from kerasgan.model.cost import Cost, cost
from kerasgan.model.generators import build_generator
from kerasgan.model.promises import promises


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(5, 3, padding="same"), Cost(9 * 2 * 5 + 5, 9 * 2 * 5)),
        (layers.Conv2D(4, 3, padding="same", groups=2), Cost(9 * 4 + 4, 9 * 4)),
        # Every fourth pixel has a cell.
        (layers.Conv2D(5, 4, strides=2, padding="same"), Cost(16 * 2 * 5 + 5, 16 * 2 * 5 / 4)),
        # Every pixel is read once, whatever is made of it.
        (layers.Conv2DTranspose(5, 2, strides=2), Cost(4 * 2 * 5 + 5, 4 * 2 * 5)),
        (layers.DepthwiseConv2D(3, padding="same"), Cost(9 * 2 + 2, 9 * 2)),
        (layers.SeparableConv2D(5, 3, padding="same"), Cost(18 + 10 + 5, 18 + 10)),
        (layers.BatchNormalization(), Cost(8, 0)),
        # Whose cost depends on the picture's size.
        (layers.GlobalAveragePooling2D(keepdims=True), Cost(0, 0)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_cost_of_single_layers_as_counted_by_hand(layer, expected):
    noisy = keras.Input((None, None, 2))
    assert cost(keras.Model(noisy, layer(noisy))) == expected


def test_cost_counts_every_layer_at_its_resolution():
    noisy = keras.Input((None, None, 1))
    x = layers.Conv2D(8, 2, strides=2)(noisy)  # 4 · 8 / 4
    x = layers.Conv2D(8, 3, padding="same")(x)  # 9 · 64 / 4
    x = layers.Conv2DTranspose(4, 2, strides=2)(x)  # 4 · 32 / 4
    x = layers.Concatenate()([x, noisy])
    restored = layers.Conv2D(1, 3, padding="same")(x)  # 9 · 5
    assert cost(keras.Model(noisy, restored)).multiply_accumulates == 8 + 144 + 32 + 45


def test_cost_is_not_known_where_the_graph_does_not_tell_the_resolution():
    noisy = keras.Input((None, None, 1))
    x = layers.Conv2D(1, 1)(layers.GlobalAveragePooling2D(keepdims=True)(noisy))
    assert cost(keras.Model(noisy, x)) == Cost(2, None)
    assert cost(keras.Sequential([noisy, layers.Conv2D(1, 1)])).weights == 2


@pytest.mark.parametrize("architecture", ["classic", "selective", "residual"])
def test_cost_is_what_the_profiler_of_tensorflow_counts(architecture):
    filters = (8, 12, 16) if architecture == "classic" else (4, 8, 12, 16)
    generator = build_generator(GeneratorConfig(architecture, filters), channels=3)
    extent = 4 * promises(generator).multiple
    shape = (1, extent, extent, 3)
    function = tf.function(lambda noisy: generator(noisy, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.float32))
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options |= {"account_type_regexes": ["Conv2D.*"], "output": "none"}
    graph = convert_variables_to_constants_v2(concrete).graph
    profile = tf.compat.v1.profiler.profile(graph, options=options)
    counted = profile.total_float_ops / 2 / extent**2
    assert cost(generator).multiply_accumulates == pytest.approx(counted, rel=1e-6)
    assert cost(generator).weights == generator.count_params()
