"""Trains SeConvNet and `selective` on the same faces for equally many multiply-accumulates.

    python benchmarks/seconvnet.py fer2013.csv --pictures 200000

SeConvNet is that of Rafiee & Farhang, A deep convolutional neural network for salt-and-pepper noise
removal using selective convolutional blocks, Applied Soft Computing 145 (2023): seven selective
convolutions of 3×3 to 15×15, then twenty convolutions whose output replaces suspects alone. It is
trained as its authors do (Adam 1e-3, a tenth of that from 70% on, squared error over all pixels),
but in batches that leave it enough steps, and blindly, on every amount at once, as `selective` is.
PSNR is that of benchmarks/model_search.py.
"""

import click
from model_search import split, train_and_measure

from kerasgan.presets import PRESETS
from kerasgan.startup import start_tensorflow

DEPTH, FILTERS = 20, 64


def seconvnet():
    """Builds the network, from `noisy` to `restored`, float (N, H, W, 1) in [0, 1]."""
    import keras
    from blocks import selective_fill
    from keras import layers, ops

    noisy = keras.Input((None, None, 1), name="noisy")
    certain = ops.logical_and(ops.greater(noisy, 0.0), ops.less(noisy, 1.0))
    x = selective_fill(noisy, certain)
    convolution = {"padding": "same", "use_bias": False, "kernel_initializer": "orthogonal"}
    for _ in range(DEPTH - 1):
        x = layers.Conv2D(FILTERS, 3, **convolution)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-4)(x))
    x = layers.Conv2D(1, 3, **convolution)(x)
    return keras.Model(noisy, ops.where(certain, noisy, x))


def multiply_accumulates(network, size=48):
    """Multiplications by weights that one picture of size × size costs."""
    import keras
    import numpy as np

    layers = [layer for layer in network.layers if hasattr(layer, "kernel")]
    shapes = keras.Model(network.input, [[layer.input, layer.output] for layer in layers])(
        np.zeros((1, size, size, 1), np.float32)
    )
    total = 0
    for layer, (seen, given) in zip(layers, shapes, strict=True):
        transposed = isinstance(layer, keras.layers.Conv2DTranspose)
        positions = seen if transposed else given
        total += positions.shape[1] * positions.shape[2] * int(np.prod(layer.kernel.shape))
    return total


@click.command()
@click.argument("data")
@click.option("--pictures", default=200_000, show_default=True, help="That `selective` sees.")
@click.option("--batch-size", default=32, show_default=True, help="SeConvNet's.")
def main(data, pictures, batch_size):
    start_tensorflow()
    import keras

    from kerasgan import DenoisingGAN

    train, held_out = split(data)
    config = PRESETS["selective"]
    keras.utils.set_random_seed(0)
    own = DenoisingGAN.from_run_config(config, pictures // config.batch_size)
    keras.utils.set_random_seed(0)
    peer = DenoisingGAN(seconvnet())
    costs = {gan: multiply_accumulates(gan.generator) for gan in (own, peer)}
    fewer = pictures * costs[own] // costs[peer]
    steps = fewer // batch_size
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([int(0.7 * steps)], [1e-3, 1e-4])
    peer.compile(keras.optimizers.Adam(rate))
    for name, gan, seen, batch in (
        ("selective", own, pictures, config.batch_size),
        ("SeConvNet", peer, fewer, batch_size),
    ):
        psnr, seconds = train_and_measure(
            gan, train, held_out, steps=seen // batch, batch_size=batch
        )
        print(
            f"{name:10} {psnr}   {gan.generator.count_params():,} weights, "
            f"{costs[gan] / 1e6:,.0f} million multiply-accumulates, {seen:,} pictures, "
            f"{seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
