"""A program that trains a small GAN over several devices, for tests: each needs its own process.

    python -m tests.distributed STRATEGY REPLICAS FOLDER

Writes the run into FOLDER, and the weights beside it, to FOLDER.npz.
"""

import sys
from pathlib import Path


def main(strategy_name, replicas, folder):
    import numpy as np
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * replicas
    tf.config.set_logical_device_configuration(cpu, logical)

    from kerasgan.data.clean import CleanImages
    from kerasgan.store.run_folder import RunFolder
    from kerasgan.training.distribution import is_chief, make_strategy
    from kerasgan.training.train import train
    from tests.helpers import image_set, small_config

    strategy = make_strategy(strategy_name)
    # Five to validate: two replicas cannot share them evenly.
    images = CleanImages(image_set(12), image_set(5, 100), image_set(3, 200))
    config = small_config(discriminator__dropout=0.0, adversary__weight=0.01, epochs=3)
    run = RunFolder(folder)
    gan = train(config, images, run, verbose=0, strategy=strategy)
    if is_chief(strategy):
        weights = {weight.path.replace("/", "."): weight.numpy() for weight in gan.weights}
        np.savez(f"{folder}.npz", **weights)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
