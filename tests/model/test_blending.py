import keras
import numpy as np
import pytest

from kerasgan.errors import ModelError
from kerasgan.images.pixels import to_float
from kerasgan.model.blending import blend
from kerasgan.model.generators import build_generator
from kerasgan.restore.restorer import Restorer
from tests.helpers import noisy_picture, small_config


def trained(seed, detail=0, **changes):
    """A network with all its weights at random, statistics included, as if it were trained."""
    changes = {f"generator__{name}": value for name, value in changes.items()}
    config = small_config(generator__detail=detail, **changes)
    network = build_generator(config.generator)
    random = np.random.default_rng(seed)
    network.set_weights(
        [
            # Variances must be positive.
            random.uniform(0.5, 2, weight.shape)
            if weight.path.endswith("variance")
            else random.normal(0, 0.2, weight.shape)
            for weight in network.weights
        ]
    )
    return network


@pytest.mark.parametrize(
    ("faithful", "sharp"),
    [
        ({}, {}),
        ({"detail": 6}, {"detail": 6}),
        ({}, {"detail": 6}),
        ({}, {"decoder_blocks": 3}),
        ({"decoder_blocks": 2}, {"decoder_blocks": 3, "detail": 6}),
        ({"filters": (4, 4, 4, 8)}, {"filters": (4, 4, 4, 8), "decoder_blocks": 2}),
    ],
)
@pytest.mark.parametrize("same", [{}, {"activation": "relu6"}, {"gated": True}])
def test_the_ends_restore_as_the_models_do(faithful, sharp, same):
    ends = trained(0, **faithful, **same), trained(1, **sharp, **same)
    noisy = noisy_picture(32, 40)
    expected = [Restorer(end)(noisy) for end in ends]
    assert np.any(expected[0] != expected[1])
    for sharpness, restored in zip((0.0, 1.0), expected, strict=True):
        np.testing.assert_array_equal(Restorer(blend(*ends, sharpness))(noisy), restored)


def test_between_them_all_weights_are_means_and_the_cost_is_the_same():
    faithful, sharp = trained(0), trained(1)
    blended = blend(faithful, sharp, 0.3)
    for weight, first, last in zip(
        blended.weights, faithful.get_weights(), sharp.get_weights(), strict=True
    ):
        np.testing.assert_allclose(weight, first + 0.3 * (last - first), atol=1e-6)
    assert blended.count_params() == sharp.count_params()
    # And the ends are left as they were.
    np.testing.assert_array_equal(sharp.get_weights()[0], trained(1).get_weights()[0])


def test_a_block_of_details_grows_in_proportion():
    """From the same network, what the block adds before its activation is linear in sharpness."""
    sharp = trained(1, detail=6)
    weights = sharp.get_weights()
    plain = trained(0)
    plain.set_weights([*weights[:-12], *weights[-2:]])
    noisy = to_float(noisy_picture(32, 32))[np.newaxis]

    def added(network):
        block = [layer for layer in network.layers if isinstance(layer, keras.layers.Add)][-1]
        return keras.Model(network.input, block.input[1])(noisy).numpy()

    whole = added(sharp)
    assert np.abs(whole).max() > 0.1
    for sharpness in (0.0, 0.25, 0.5):
        np.testing.assert_allclose(
            added(blend(plain, sharp, sharpness)), sharpness * whole, atol=1e-5
        )


@pytest.mark.parametrize(
    ("faithful", "sharp"),
    [
        ({"filters": (4, 4, 8)}, {}),
        ({"activation": "relu6"}, {"activation": "relu"}),
        ({"activation": "relu6"}, {"activation": "relu", "detail": 6}),
        ({"detail": 4}, {"detail": 6}),
        ({"detail": 6}, {}),
        ({"decoder_blocks": 2}, {}),
        ({}, {"gated": True}),
        ({"filters": (4, 4, 4, 4)}, {}),
    ],
)
def test_networks_that_do_not_fit_are_refused(faithful, sharp):
    with pytest.raises(ModelError, match="selective_generator .* are not one network before and"):
        blend(trained(0, **faithful), trained(1, **sharp), 0.5)


@pytest.mark.parametrize("sharpness", [-0.1, 1.1, float("nan")])
def test_sharpness_lies_between_zero_and_one(sharpness):
    with pytest.raises(ValueError, match="sharpness must lie between 0 and 1"):
        blend(trained(0), trained(1), sharpness)
