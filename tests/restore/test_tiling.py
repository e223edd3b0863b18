import numpy as np
import pytest

from kerasgan.restore.tiling import (
    Window,
    count_tiles,
    restore_in_tiles,
    sufficient_margin,
    tile,
)


@pytest.mark.parametrize("extent", [1, 7, 47, 48, 49, 56, 63, 64, 100, 333])
@pytest.mark.parametrize(("window", "margin"), [(48, 8), (48, 16), (40, 0)])
def test_tiles_cover_every_pixel_once(extent, window, margin):
    covered = np.zeros(extent, int)
    for pixels, inner, kept in tile(extent, window, margin, 8):
        covered[kept] += 1
        assert pixels.start % 8 == 0 and pixels.stop - pixels.start <= window
        assert (pixels.start + inner.start, pixels.start + inner.stop) == (kept.start, kept.stop)
        assert pixels.start == 0 or inner.start >= margin
        assert pixels.stop == extent or inner.stop <= window - margin
    assert (covered == 1).all()


@pytest.mark.parametrize(
    ("reach", "multiple", "expected"),
    [(0, 8, 8), (75, 8, 24), (73, 8, 24), (85, 8, 32), (9, 1, 3), (150, 16, 48)],
)
def test_windows_overlap_by_a_third_of_the_reach(reach, multiple, expected):
    assert sufficient_margin(reach, multiple) == expected


@pytest.mark.parametrize("extent", [1, 16, 48, 49, 60, 63, 64, 65, 96, 97, 100, 333])
@pytest.mark.parametrize(("size", "margin"), [(48, 8), (48, 16), (40, 0), (64, 24)])
def test_tiles_are_counted_without_cutting(extent, size, margin):
    tiles = len(list(tile(extent, size, margin, 8)))
    assert count_tiles(extent, 1, Window(size, size, margin, 8)) == tiles
    assert count_tiles(extent, extent, Window(size, size, margin, 8)) == tiles**2


class Blur:
    """A mean over 5×5, which needs two pixels of margin."""

    def __init__(self, workers=1):
        self.workers = workers

    def crew(self, most):
        return [self] * self.workers

    def window(self, height, width):
        return Window(24, 32, 8, 8)

    def run(self, noisy, window):
        assert noisy.shape == (24, 32, 1)
        padded = np.pad(noisy.astype(np.float32) / 255, ((2, 2), (2, 2), (0, 0)), mode="symmetric")
        return np.mean([padded[i : i + 24, j : j + 32] for i in range(5) for j in range(5)], axis=0)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("size", [(5, 9), (24, 32), (61, 90)])
def test_restoring_in_tiles_is_restoring_whole(size, workers):
    noisy = np.random.default_rng(0).integers(0, 256, (*size, 1)).astype(np.uint8)
    shares = []
    restored = restore_in_tiles(Blur(workers), noisy, shares.append)
    assert sum(shares) == pytest.approx(1) and len(shares) == (30 if size == (61, 90) else 1)
    padded = np.pad(noisy.astype(np.float64), ((2, 2), (2, 2), (0, 0)), mode="symmetric")
    height, width = size
    windows = [padded[i : i + height, j : j + width] for i in range(5) for j in range(5)]
    np.testing.assert_allclose(restored, np.mean(windows, axis=0), atol=0.501)
