"""kerasgan: train a denoising GAN in Keras, measure it, and restore pictures with it.

Names are imported when they are first used, so that `import kerasgan` does not start TensorFlow.
"""

import importlib
from typing import Any

_EXPORTS = {
    "Bundle": "kerasgan.store.bundle",
    "CleanImages": "kerasgan.data.clean",
    "DenoisingGAN": "kerasgan.model.gan",
    "ImageSet": "kerasgan.data.clean",
    "KerasganError": "kerasgan.errors",
    "PRESETS": "kerasgan.presets",
    "Restorer": "kerasgan.restore.restorer",
    "RunConfig": "kerasgan.config",
    "RunFolder": "kerasgan.store.run_folder",
    "TFLiteModel": "kerasgan.restore.litert",
    "build_discriminator": "kerasgan.model.discriminators",
    "build_generator": "kerasgan.model.generators",
    "evaluate": "kerasgan.measure.evaluation",
    "evaluation_pairs": "kerasgan.data.pipeline",
    "export_bundle": "kerasgan.tflite.export",
    "load_generator": "kerasgan.model.loading",
    "load_images": "kerasgan.data.sources",
    "load_restorer": "kerasgan.restore.restorer",
    "noisy_image": "kerasgan.data.pipeline",
    "salt_and_pepper": "kerasgan.noise.salt_and_pepper",
    "steps_per_epoch": "kerasgan.data.pipeline",
    "train": "kerasgan.training.train",
    "training_pairs": "kerasgan.data.pipeline",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
