"""What kinds of noise that are made of others have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise


@dataclass(frozen=True)
class Compound(Noise):
    """Noise made of other kinds, whose level is a place in the range of each of them.

    At a level u a part has the level low + (high − low) · uᵉ of its own range and exponent: at 0
    its lowest, at 1 its highest.

    Attributes:
        parts: the kinds with the ranges of their levels; none is made of others itself.
        between: what stands between them in a sentence.

    Raises:
        ValueError: if there are no parts, or one is no noise or made of others.
    """

    parts: tuple[Noise, ...] = ()

    between: ClassVar[str]
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    usual_levels: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0)
    checked_levels: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "parts", tuple(self.parts))
        simple = [isinstance(part, Noise) and not isinstance(part, Compound) for part in self.parts]
        if not simple or not all(simple):
            raise ValueError(f"parts of {self.title} must be one or more simple kinds of noise")

    def label(self, level: float) -> str:
        labels = (part.label(float(f"{part.level_at(level):.3g}")) for part in self.parts)
        return f"{level:g} ({self._joined(labels)})"

    @property
    def description(self) -> str:
        return f"{self.title}: {self._joined(part.description for part in self.parts)}"

    def _joined(self, texts: Iterable[str]) -> str:
        return f", {self.between} ".join(dict.fromkeys(texts))

    @property
    def kinds(self) -> frozenset[str]:
        return super().kinds | {part.kind for part in self.parts}

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "parts": [part.to_dict() for part in self.parts]}


@dataclass(frozen=True)
class OneOf(Compound):
    """Gives each image one of several kinds of noise, each as often as the others."""

    quantity: ClassVar[str] = "place in the range of each kind"
    between: ClassVar[str] = "or"

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of, per_image

        of = arrays_of(clean, seed)
        noisy = clean = of.array(clean)
        place = of.cast(level, "float32")
        drawn = of.uniform(of.shape(clean)[:-3], of.fold_in(seed, len(self.parts)))
        chosen = per_image(of, of.cast(drawn * float(len(self.parts)), "int32"))
        for number, part in enumerate(self.parts):
            own = part.corrupt(clean, part.level_at(place), seed=of.fold_in(seed, number))
            noisy = of.where(chosen == number, own, noisy)
        return noisy
