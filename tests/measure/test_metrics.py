import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from kerasgan.measure import metrics


def pairs():
    random = np.random.default_rng(0)
    photo = data.camera()[:96, :80, np.newaxis]
    noise = random.integers(0, 256, (4, 48, 40, 1), dtype=np.uint8)
    yield noise[:2], noise[2:]
    corrupted = np.where(random.random(photo.shape) < 0.1, 255, photo).astype(np.uint8)
    yield photo[np.newaxis], corrupted[np.newaxis]
    color = data.astronaut()[:64, :64]
    yield color[np.newaxis], color[np.newaxis, ::-1]


@pytest.mark.parametrize(("clean", "restored"), list(pairs()))
def test_metrics_agree_with_scikit_image(clean, restored):
    for x, y in zip(clean, restored, strict=True):
        assert metrics.psnr(x, y, 255) == pytest.approx(
            peak_signal_noise_ratio(x, y, data_range=255), abs=1e-6
        )
        assert metrics.ssim(x, y, 255) == pytest.approx(
            structural_similarity(x, y, data_range=255, channel_axis=-1), abs=1e-6
        )


def test_exact_images_do_not_hide_the_others():
    clean = np.full((16, 16, 1), 0.5, np.float32)
    assert metrics.psnr(clean, clean, 1.0) == float("inf")
    assert metrics.mean_psnr([20.0, float("inf")]) == (20 + metrics.EXACT_PSNR) / 2


def test_ssim_refuses_images_smaller_than_its_window():
    with pytest.raises(ValueError, match="7×7"):
        metrics.ssim(np.zeros((6, 20, 1)), np.zeros((6, 20, 1)), 255)
