"""Pictures that people look at instead of numbers."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from kerasgan.images.pixels import Pixels
from kerasgan.store.files import atomic_path


def save_comparison(
    path: Path, columns: Mapping[str, Sequence[Pixels] | Pixels], *, inches: float = 1.6
) -> None:
    """Writes a grid of images as a PNG: one column per treatment, one row per image.

    Args:
        path: the file to write or replace.
        columns: images (H, W, C), float in [0, 1], equally many under each column's title.
        inches: height of an image; 120 pixels each.

    Raises:
        OutputError: if the file cannot be written.
    """
    first = next(iter(columns.values()))
    aspect = first[0].shape[1] / first[0].shape[0]
    size = (len(columns) * (inches * aspect + 0.1), len(first) * (inches + 0.1) + 0.2)
    figure = Figure(size, layout="constrained")
    axes = figure.subplots(len(first), len(columns), squeeze=False)
    for column, (title, images) in enumerate(columns.items()):
        axes[0, column].set_title(title, fontsize=9)
        for axis, image in zip(axes[:, column], images, strict=True):
            axis.imshow(
                image if image.shape[-1] == 3 else image[..., 0], cmap="gray", vmin=0, vmax=1
            )
            axis.set_axis_off()
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120, bbox_inches="tight")
    grey = all(image.shape[-1] == 1 for images in columns.values() for image in images)
    with atomic_path(path) as temporary, Image.open(drawn) as picture:
        # Half the bytes.
        picture.convert("L" if grey else "RGB").save(temporary, optimize=True)
