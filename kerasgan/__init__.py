"""kerasgan: train a denoising GAN in Keras, measure it, and restore pictures with it.

Names are imported when they are first used, so that `import kerasgan` does not start TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasgan.config.run import RunConfig
    from kerasgan.data.clean import CleanImages, ImageSet
    from kerasgan.data.pipeline import evaluation_pairs, steps_per_epoch, training_pairs
    from kerasgan.data.sources import load_images
    from kerasgan.errors import KerasganError
    from kerasgan.measure.comparison import format_rows, summarize
    from kerasgan.measure.evaluation import center_crops, evaluate, format_table
    from kerasgan.model.adversary import Adversary
    from kerasgan.model.discriminators import build_discriminator
    from kerasgan.model.gan import DenoisingGAN
    from kerasgan.model.generators import build_generator
    from kerasgan.model.loading import load_generator
    from kerasgan.model.promises import promises
    from kerasgan.noise.base import Noise
    from kerasgan.noise.noisy import noisy_image
    from kerasgan.noise.salt_and_pepper import SaltAndPepper, salt_and_pepper
    from kerasgan.presets import PRESETS, preset
    from kerasgan.restore.litert import TFLiteModel
    from kerasgan.restore.restorer import Restorer, load_restorer
    from kerasgan.store.bundle import Bundle
    from kerasgan.store.run_folder import RunFolder
    from kerasgan.tflite.export import export_bundle
    from kerasgan.training.callbacks import Phases
    from kerasgan.training.train import train
    from kerasgan.training.trials import compare

# For editors and type checkers, `from` above; for the running program, where to import from.
_MODULES = {
    "config.run": ["RunConfig"],
    "data.clean": ["CleanImages", "ImageSet"],
    "data.pipeline": ["evaluation_pairs", "steps_per_epoch", "training_pairs"],
    "data.sources": ["load_images"],
    "errors": ["KerasganError"],
    "measure.comparison": ["format_rows", "summarize"],
    "measure.evaluation": ["center_crops", "evaluate", "format_table"],
    "model.adversary": ["Adversary"],
    "model.discriminators": ["build_discriminator"],
    "model.gan": ["DenoisingGAN"],
    "model.generators": ["build_generator"],
    "model.loading": ["load_generator"],
    "model.promises": ["promises"],
    "noise.base": ["Noise"],
    "noise.noisy": ["noisy_image"],
    "noise.salt_and_pepper": ["SaltAndPepper", "salt_and_pepper"],
    "presets": ["PRESETS", "preset"],
    "restore.litert": ["TFLiteModel"],
    "restore.restorer": ["Restorer", "load_restorer"],
    "store.bundle": ["Bundle"],
    "store.run_folder": ["RunFolder"],
    "tflite.export": ["export_bundle"],
    "training.callbacks": ["Phases"],
    "training.train": ["train"],
    "training.trials": ["compare"],
}
_EXPORTS = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "PRESETS",
    "Adversary",
    "Bundle",
    "CleanImages",
    "DenoisingGAN",
    "ImageSet",
    "KerasganError",
    "Noise",
    "Phases",
    "Restorer",
    "RunConfig",
    "RunFolder",
    "SaltAndPepper",
    "TFLiteModel",
    "build_discriminator",
    "build_generator",
    "center_crops",
    "compare",
    "evaluate",
    "evaluation_pairs",
    "export_bundle",
    "format_rows",
    "format_table",
    "load_generator",
    "load_images",
    "load_restorer",
    "noisy_image",
    "preset",
    "promises",
    "salt_and_pepper",
    "steps_per_epoch",
    "summarize",
    "train",
    "training_pairs",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        module = _EXPORTS[name]
        if module.startswith(("model.", "training.", "tflite.")):
            # Refuses other backends before Keras fails on them.
            importlib.import_module("kerasgan.model")
        if module.startswith(("data.pipeline", "model.", "training.", "tflite.")):
            importlib.import_module("kerasgan.startup").import_tensorflow()
        return getattr(importlib.import_module(f"kerasgan.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
