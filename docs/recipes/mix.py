"""Mixes the weights of two generators, one of which was fine-tuned from the other.

    python docs/recipes/mix.py FIRST LAST SHARE OUTPUT

Writes FIRST + SHARE · (LAST - FIRST) to the file OUTPUT; from 1 on, what was learnt is carried on.
FIRST may lack the block of details that LAST has.
"""

import click

from kerasgan.model.blending import mix
from kerasgan.model.loading import load_generator


@click.command()
@click.argument("first")
@click.argument("last")
@click.argument("share", type=float)
@click.argument("output")
def main(first, last, share, output):
    mix(load_generator(first), load_generator(last), share).save(output)


if __name__ == "__main__":
    main()
