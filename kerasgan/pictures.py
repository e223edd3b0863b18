"""Pictures that people look at instead of numbers."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kerasgan.files import atomic_path

_INCHES_PER_IMAGE = 1.6


def save_comparison(path: Path, columns, *, row_labels=()) -> None:
    """Writes a grid of images as a PNG: one column per treatment, one row per image.

    Args:
        path: the file to write or replace.
        columns: arrays (N, H, W, C), float in [0, 1], by the title of their column.
        row_labels: N texts to stand left of the rows.

    Raises:
        OutputError: if the file cannot be written.
    """
    rows = len(next(iter(columns.values())))
    figure = Figure((len(columns) * _INCHES_PER_IMAGE + 0.4, rows * _INCHES_PER_IMAGE + 0.3))
    axes = figure.subplots(rows, len(columns), squeeze=False)
    for column, (title, images) in enumerate(columns.items()):
        axes[0, column].set_title(title, fontsize=9)
        for row, image in enumerate(np.asarray(images)):
            axis = axes[row, column]
            axis.imshow(
                image if image.shape[-1] == 3 else image[..., 0], cmap="gray", vmin=0, vmax=1
            )
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    for row, label in enumerate(row_labels):
        axes[row, 0].set_ylabel(label, fontsize=8)
    figure.tight_layout(pad=0.4)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
