"""Several kinds of noise, one after the other."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise
from kerasgan.noise.compound import Compound
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor


@dataclass(frozen=True)
class Mixed(Compound):
    """Adds one noise after the other; its level is the strength of all of them together.

    Attributes:
        parts: in the order in which they come: what the light and the sensor do first, what a
            damaged memory or transmission does after it. By default sensor noise, then sparse salt
            and pepper.
    """

    parts: tuple[Noise, ...] = (Sensor((0.0, 80.0)), SaltAndPepper((0.0, 0.1)))

    kind: ClassVar[str] = "mixed"
    title: ClassVar[str] = "mixed noise"
    quantity: ClassVar[str] = "strength"
    between: ClassVar[str] = "then"

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of

        of = arrays_of(clean, seed)
        noisy, strength = of.array(clean), of.cast(level, "float32")
        for number, part in enumerate(self.parts):
            noisy = of.clip(noisy, 0.0, 1.0)
            noisy = part.corrupt(noisy, part.level_at(strength), seed=of.fold_in(seed, number))
        return noisy
