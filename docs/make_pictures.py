"""Makes the README's pictures from held-out photographs: `make gallery`.

    python docs/make_pictures.py [MODEL]

MODEL is what `kerasgan denoise` takes. Writes docs/restored.png and docs/gallery.png, and
docs/models.png, of the models that it chooses by itself.
"""

from pathlib import Path

import click

from kerasgan.startup import start_tensorflow
from kerasgan.store.zoo import DEFAULT_MODEL

HERO_AMOUNT, GALLERY_AMOUNTS = 0.7, (0.5, 0.9)
# Top and left of the parts that are shown magnified, and their size: an eye, a camera.
PARTS = {"chelsea": (80, 130), "camera": (80, 190)}
PART_SIZE = 96
PAGE_SEED = 3


def save_choices(photograph):
    """Shows what `kerasgan denoise` makes of pictures of different noise without being told."""
    import numpy as np

    from kerasgan import SaltAndPepper, noisy_image
    from kerasgan.data.pages import draw_pages
    from kerasgan.images.contact_sheet import save_comparison
    from kerasgan.images.pixels import from_float, to_float
    from kerasgan.noise.gaussian import Gaussian
    from kerasgan.noise.resaved import ResavedImpulses
    from kerasgan.restore.choice import Choice
    from kerasgan.restore.restorer import load_restorer

    impulses, grain = SaltAndPepper(0.3), Gaussian(25)
    page = draw_pages(1, channels=3, seed=PAGE_SEED).images[0]
    shown = {
        "impulses": (photograph, [impulses]),
        "grain": (photograph, [grain]),
        "both": (photograph, [grain, impulses]),
        "impulses, then JPEG": (photograph, [ResavedImpulses(0.1)]),
        "impulses on a page": (page, [SaltAndPepper(0.1)]),
    }
    choose, columns = Choice(None, load_restorer), {}
    for title, (clean, kinds) in shown.items():
        noisy = to_float(clean)
        for noise in kinds:
            noisy = noisy_image(noisy, noise)
        noisy = from_float(noisy, np.uint8)
        columns[title] = [
            to_float(image[: 2 * PART_SIZE, : 2 * PART_SIZE])
            for image in (noisy, choose(noisy).pixels)
        ]
    save_comparison(Path(__file__).with_name("models.png"), columns, inches=2.0)


@click.command()
@click.argument("model", default=DEFAULT_MODEL)
def main(model):
    start_tensorflow()
    import numpy as np

    from kerasgan import SaltAndPepper, load_images, noisy_image
    from kerasgan.images.contact_sheet import save_comparison
    from kerasgan.images.pixels import from_float, to_float
    from kerasgan.measure.baselines import BASELINES
    from kerasgan.measure.metrics import psnr
    from kerasgan.restore.restorer import load_restorers

    methods = {
        "biharmonic inpainting": BASELINES["biharmonic inpainting"],
        # Of a bundle, its Keras model.
        "kerasgan": next(iter(load_restorers(model).values())),
    }
    test = load_images("bundled", channels=3).test
    photographs = dict(zip(test.names, test.images, strict=True))

    def restored(clean, amount):
        noisy = from_float(noisy_image(to_float(clean), SaltAndPepper(amount)), np.uint8)
        return {"noise": noisy} | {name: method(noisy) for name, method in methods.items()}

    save_choices(photographs["chelsea"][40:, 80:])
    clean = photographs["chelsea"]
    columns = {"clean": [to_float(clean)]}
    for name, image in restored(clean, HERO_AMOUNT).items():
        title = f"{HERO_AMOUNT:.0%} {name}" if name == "noise" else name
        columns[f"{title}, {psnr(clean, image, 255):.1f} dB"] = [to_float(image)]
    save_comparison(Path(__file__).with_name("restored.png"), columns, inches=2.5)

    rows = {}
    for name, (top, left) in PARTS.items():
        clean = photographs[name]
        for amount in GALLERY_AMOUNTS:
            for title, image in {"clean": clean, **restored(clean, amount)}.items():
                part = image[top : top + PART_SIZE, left : left + PART_SIZE]
                rows.setdefault(title, []).append(to_float(part))
    save_comparison(Path(__file__).with_name("gallery.png"), rows, inches=1.2)


if __name__ == "__main__":
    main()
