"""Several kinds of noise, one after the other."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor


@dataclass(frozen=True)
class Mixed(Noise):
    """Adds one noise after the other; its level is the strength of all of them together.

    At a strength u a part has the level low + (high − low) · uᵉ of its own range and exponent: at 0
    its lowest, at 1 its highest.

    Attributes:
        parts: the kinds with the ranges of their levels, in the order in which they come: what the
            light and the sensor do first, what a damaged memory or transmission does after it. None
            is mixed itself. By default sensor noise, then sparse salt and pepper.
    """

    parts: tuple[Noise, ...] = (Sensor((0.0, 80.0)), SaltAndPepper((0.0, 0.1)))

    kind: ClassVar[str] = "mixed"
    title: ClassVar[str] = "mixed noise"
    quantity: ClassVar[str] = "strength"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    usual_levels: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0)
    checked_levels: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "parts", tuple(self.parts))
        others = [isinstance(part, Noise) and not isinstance(part, Mixed) for part in self.parts]
        if not all(others) or not others:
            raise ValueError(f"parts of {self.title} must be one or more other kinds of noise")

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of

        of = arrays_of(clean, seed)
        noisy, strength = of.array(clean), of.cast(level, "float32")
        for number, part in enumerate(self.parts):
            noisy = of.clip(noisy, 0.0, 1.0)
            noisy = part.corrupt(noisy, part.level_at(strength), seed=of.fold_in(seed, number))
        return noisy

    def label(self, level: float) -> str:
        parts = (part.label(float(f"{part.level_at(level):.3g}")) for part in self.parts)
        return f"{level:g} ({', then '.join(parts)})"

    @property
    def description(self) -> str:
        return f"{self.title}: {', then '.join(part.description for part in self.parts)}"

    @property
    def kinds(self) -> frozenset[str]:
        return super().kinds | {part.kind for part in self.parts}

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "parts": [part.to_dict() for part in self.parts]}
