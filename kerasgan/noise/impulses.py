"""Impulses: values replaced by others; and those that are replaced by any value."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise


@dataclass(frozen=True)
class Impulses(Noise):
    """Replaces a share of the values, whatever happens to them later; its level is that share."""

    quantity: ClassVar[str] = "share of noise"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    usual_levels: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.4)
    checked_levels: ClassVar[tuple[float, ...]] = (0.05, 0.2, 0.4)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 0.5)

    def label(self, level: float) -> str:
        return f"{100 * level:g}%"


@dataclass(frozen=True)
class RandomImpulses(Impulses):
    """Replaces a random share of the values by others, uniform in [0, 1]; its level is that share.

    Each channel of a pixel is hit by itself, as by dead and hot photosites.

    Source: Gonzalez & Woods, Digital Image Processing, section 5.2, whose impulses have fixed
    values.
    """

    kind: ClassVar[str] = "random-impulses"
    title: ClassVar[str] = "random-valued impulses"

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of, per_image

        of = arrays_of(clean, seed)
        clean, share = of.array(clean), per_image(of, level)
        # One draw decides both: below the share a value is replaced, and where below says by what.
        draw = of.uniform(of.shape(clean), seed)
        hit = draw < share
        return of.where(hit, draw / of.where(hit, share, 1.0), clean)
