"""Gaussian noise: what denoisers are compared by."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise


@dataclass(frozen=True)
class Gaussian(Noise):
    """Adds a normal deviate to every value, independent of all others; its level is their σ.

    Attributes:
        clipped: whether results are cut off at black and white, as a picture file does; without,
            they may leave [0, 1].

    Source: σ counts levels of 255, as in Zhang et al., Beyond a Gaussian denoiser, TIP 2017.
    """

    clipped: bool = True

    kind: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "Gaussian noise"
    quantity: ClassVar[str] = "σ in levels of 255"
    bounds: ClassVar[tuple[float, float]] = (0.0, 55.0)
    usual_levels: ClassVar[tuple[float, ...]] = (15.0, 25.0, 50.0)
    checked_levels: ClassVar[tuple[float, ...]] = (15.0, 25.0, 50.0)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 55.0)

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of, per_image

        of = arrays_of(clean, seed)
        clean = of.array(clean)
        sigma = per_image(of, level) / 255.0
        noisy = clean + sigma * of.normal(of.shape(clean), seed)
        return of.clip(noisy, 0.0, 1.0) if self.clipped else noisy

    def label(self, level: float) -> str:
        return f"σ {level:g}"
