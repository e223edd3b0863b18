import keras
import numpy as np
import pytest

from kerasgan.measure import metrics
from kerasgan.model.metrics import MSE, PSNR, SSIM


@pytest.mark.parametrize("channels", [1, 3])
def test_keras_metrics_agree_with_numpy(channels):
    random = np.random.default_rng(0)
    clean = random.integers(0, 256, (4, 48, 40, channels), dtype=np.uint8)
    restored = np.where(random.random(clean.shape) < 0.1, 255, clean).astype(np.uint8)
    images = list(zip(clean, restored, strict=True))
    expected = {
        PSNR: metrics.mean_psnr([metrics.psnr(x, y, 255) for x, y in images]),
        SSIM: np.mean([metrics.ssim(x, y, 255) for x, y in images]),
        MSE: np.mean([metrics.mse(x, y) for x, y in images]) / 255**2,
    }
    for metric_class, value in expected.items():
        metric = metric_class()
        metric.update_state((clean / 255).astype("float32"), (restored / 255).astype("float32"))
        # Keras accumulates in float32.
        assert float(metric.result()) == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_an_exact_image_does_not_hide_the_others():
    clean = np.full((2, 16, 16, 1), 0.5, np.float32)
    restored = clean.copy()
    restored[0] += 0.1
    metric = PSNR()
    metric.update_state(clean, restored)
    assert float(metric.result()) == pytest.approx((20 + metrics.EXACT_PSNR) / 2, abs=1e-4)


@pytest.mark.parametrize("metric_class", [PSNR, SSIM, MSE])
def test_keras_metrics_survive_serialization(metric_class):
    config = keras.saving.serialize_keras_object(metric_class(name="quality"))
    again = keras.saving.deserialize_keras_object(config)
    assert isinstance(again, metric_class)
    assert again.name == "quality"
