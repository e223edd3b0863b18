"""What a training run is made of, as frozen dataclasses."""

from kerasgan.config.parts import (
    Activation,
    AdversaryConfig,
    Balance,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    Objective,
    OptimizerConfig,
)
from kerasgan.config.run import Phase, Precision, Reconstruction, RunConfig

__all__ = [
    "Activation",
    "AdversaryConfig",
    "Balance",
    "DataConfig",
    "DiscriminatorConfig",
    "GeneratorConfig",
    "Objective",
    "OptimizerConfig",
    "Phase",
    "Precision",
    "Reconstruction",
    "RunConfig",
]
