"""Speckle: noise in proportion to the light, as of radar, ultrasound and lasers."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise


@dataclass(frozen=True)
class Speckle(Noise):
    """Multiplies every value by 1 + a normal deviate; its level is their standard deviation.

    Source: skimage.util.random_noise, whose `var` is the level's square.
    """

    kind: ClassVar[str] = "speckle"
    title: ClassVar[str] = "speckle"
    quantity: ClassVar[str] = "standard deviation of the factor"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    usual_levels: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.4)
    checked_levels: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.4)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 0.5)

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of, per_image

        of = arrays_of(clean, seed)
        clean = of.array(clean)
        factor = 1.0 + per_image(of, level) * of.normal(of.shape(clean), seed)
        return of.clip(clean * factor, 0.0, 1.0)

    def label(self, level: float) -> str:
        return f"factor 1 ± {level:g}"
