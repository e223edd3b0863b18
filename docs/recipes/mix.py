"""Mixes the weights of two generators, one of which was fine-tuned from the other.

    python docs/recipes/mix.py FIRST LAST SHARE OUTPUT

Writes FIRST + SHARE · (LAST - FIRST) to the file OUTPUT; from 1 on, what was learnt is carried on.
FIRST may lack the block of details that LAST has.
"""

import click
import keras

from kerasgan.model.blending import faithful_weights
from kerasgan.model.loading import load_generator


@click.command()
@click.argument("first")
@click.argument("last")
@click.argument("share", type=float)
@click.argument("output")
def main(first, last, share, output):
    sharp = load_generator(last)
    pairs = zip(faithful_weights(load_generator(first), sharp), sharp.get_weights(), strict=True)
    mixed = keras.models.clone_model(sharp)
    mixed.set_weights([(1 - share) * one + share * other for one, other in pairs])
    mixed.save(output)


if __name__ == "__main__":
    main()
