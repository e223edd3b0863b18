"""Makes the README's pictures from held-out photographs: `make gallery`.

    python docs/make_pictures.py [MODEL] [SHARP]

MODEL is what `kerasgan denoise` takes, SHARP one of which the sharpness can be turned. Writes
docs/restored.png, docs/gallery.png and docs/sharp.png.
"""

from pathlib import Path

import click

from kerasgan.startup import start_tensorflow
from kerasgan.store.zoo import DEFAULT_MODEL

HERO_AMOUNT, GALLERY_AMOUNTS, SHARP_AMOUNTS = 0.7, (0.5, 0.9), (0.7, 0.9)
SHARPNESS = {"faithful": 0.0, "sharpness 0.5": 0.5, "sharp": 1.0}
# Top and left of the parts that are shown magnified, and their size: an eye, a camera.
PARTS = {"chelsea": (80, 130), "camera": (80, 190)}
PART_SIZE = 96


@click.command()
@click.argument("model", default=DEFAULT_MODEL)
@click.argument("sharp", default="selective-photos-gan")
def main(model, sharp):
    start_tensorflow()
    import numpy as np

    from kerasgan import (
        Restorer,
        SaltAndPepper,
        load_generator,
        load_images,
        load_restorer,
        noisy_image,
    )
    from kerasgan.images.contact_sheet import save_comparison
    from kerasgan.images.pixels import from_float, to_float
    from kerasgan.measure.baselines import BASELINES
    from kerasgan.measure.metrics import psnr

    biharmonic = {"biharmonic inpainting": BASELINES["biharmonic inpainting"]}
    methods = {**biharmonic, "kerasgan": load_restorer(model)}
    turned = {name: Restorer(load_generator(sharp, value)) for name, value in SHARPNESS.items()}
    test = load_images("bundled", channels=3).test
    photographs = dict(zip(test.names, test.images, strict=True))

    def restored(clean, amount, methods=methods):
        noisy = from_float(noisy_image(to_float(clean), SaltAndPepper(amount)), np.uint8)
        return {"noise": noisy} | {name: method(noisy) for name, method in methods.items()}

    clean = photographs["chelsea"]
    columns = {"clean": [to_float(clean)]}
    for name, image in restored(clean, HERO_AMOUNT).items():
        title = f"{HERO_AMOUNT:.0%} {name}" if name == "noise" else name
        columns[f"{title}, {psnr(clean, image, 255):.1f} dB"] = [to_float(image)]
    save_comparison(Path(__file__).with_name("restored.png"), columns, inches=2.5)

    def save_parts(name, amounts, methods):
        columns = {}
        for photograph, (top, left) in PARTS.items():
            clean = photographs[photograph]
            for amount in amounts:
                for title, image in {"clean": clean, **restored(clean, amount, methods)}.items():
                    part = image[top : top + PART_SIZE, left : left + PART_SIZE]
                    columns.setdefault(title, []).append(to_float(part))
        save_comparison(Path(__file__).with_name(name), columns, inches=1.2)

    save_parts("gallery.png", GALLERY_AMOUNTS, methods)
    save_parts("sharp.png", SHARP_AMOUNTS, {**biharmonic, **turned})


if __name__ == "__main__":
    main()
