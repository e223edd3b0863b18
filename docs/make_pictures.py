"""Makes the README's picture from a held-out photograph.

    python docs/make_pictures.py MODEL

MODEL is a run folder or .keras file. Writes docs/restored.png.
"""

from pathlib import Path

import click

from kerasgan.startup import start_tensorflow

AMOUNT = 0.7


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
def main(model):
    start_tensorflow()
    import numpy as np

    from kerasgan import Restorer, load_generator, load_images, noisy_image
    from kerasgan.baselines import biharmonic
    from kerasgan.images import from_float, to_float
    from kerasgan.metrics import psnr
    from kerasgan.pictures import save_comparison

    restore = Restorer(load_generator(model))
    photograph = load_images("bundled", channels=3).test.images[1]
    noisy = from_float(noisy_image(to_float(photograph), AMOUNT), np.uint8)
    images = {
        f"{AMOUNT:.0%} noise": noisy,
        "biharmonic inpainting": biharmonic(noisy),
        "kerasgan": restore(noisy),
    }
    columns = {"clean": [to_float(photograph)]} | {
        f"{name}, {psnr(photograph, image, 255):.1f} dB": [to_float(image)]
        for name, image in images.items()
    }
    save_comparison(Path(__file__).with_name("restored.png"), columns, inches=2.5)


if __name__ == "__main__":
    main()
