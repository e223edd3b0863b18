"""What every kind of noise can do, whatever it is."""

import abc
import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class Noise(abc.ABC):
    """A kind of noise, and the levels at which it is drawn.

    A new kind is a subclass in a file of its own, a line in `noise.kinds`, and what it looks
    like in `restore.inspection`.

    Attributes:
        level: the lowest and the highest level; each image draws its own. One number stands for
            both.
        exponent: a drawn level is low + (high - low) · uᵉ, u uniform in [0, 1): below 1, high
            levels are drawn more often than low ones.
        kind: the name of the kind in configurations and on the command line.
        title: its name in a sentence.
        quantity: what a level is, with its unit.
        bounds: the lowest and the highest level that mean anything.
        usual_levels: what is reported where training saw a range of levels.
        checked_levels: at which an exported file is compared with Keras.
        calibration_range: the lowest and the highest level of the pictures that 8-bit ranges are
            chosen by.

    Raises:
        ValueError: if the levels do not lie within the bounds, the lower first, or the exponent is
            not positive.
    """

    level: tuple[float, float]
    exponent: float = 1.0

    kind: ClassVar[str]
    title: ClassVar[str]
    quantity: ClassVar[str]
    bounds: ClassVar[tuple[float, float]]
    usual_levels: ClassVar[tuple[float, ...]]
    checked_levels: ClassVar[tuple[float, ...]]
    calibration_range: ClassVar[tuple[float, float]]

    def __post_init__(self) -> None:
        level: Any = self.level
        single = isinstance(level, int | float)
        low, high = (level, level) if single else level
        object.__setattr__(self, "level", (float(low), float(high)))
        least, most = self.bounds
        if not least <= low <= high <= most:
            wanted, got = ("", f"{low:g}") if single else ("LOW:HIGH ", f"{low:g}:{high:g}")
            raise ValueError(
                f"the level of {self.title} ({self.quantity}) must be {wanted}within "
                f"[{least:g}, {most:g}], got {got}"
            )
        if not 0.0 < self.exponent < math.inf:
            raise ValueError(f"exponent must be a positive number, got {self.exponent}")

    @abc.abstractmethod
    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        """Adds noise; pure, and the same eagerly, in graphs and in tf.data.

        What it computes with comes from `arrays_of(clean, seed)`.

        Args:
            clean: float tensor or array (..., H, W, C) in [0, 1].
            level: a scalar, or one per image, of shape (...).
            seed: int tensor or array (2,); the same seed gives the same noise.

        Returns:
            Float tensor of the same shape, in [0, 1] unless the noise is not clipped; of two NumPy
            arrays a NumPy array, the same bits without TensorFlow.
        """

    @abc.abstractmethod
    def label(self, level: float) -> str:
        """Writes a level for people, with its unit."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that whoever learns from this noise has seen: its own, and those in it."""
        return frozenset({self.kind})

    @property
    def description(self) -> str:
        """The noise apart from its level, in words."""
        return self.title

    def suspects(self, noisy: Any) -> Any:
        """Tells which values the noise may have changed: all, where a kind does not know better.

        Args:
            noisy: float tensor of any shape, in [0, 1].

        Returns:
            Boolean tensor of the same shape.
        """
        from keras import ops

        return ops.ones_like(noisy, dtype="bool")

    def draw_level(self, seed: Any) -> Any:
        """Draws a level.

        Args:
            seed: int tensor or array (2,); the same seed draws the same.

        Returns:
            float32 tensor (), or NumPy's, like the seed.
        """
        from kerasgan.noise.arrays import arrays_of

        return self.level_at(arrays_of(seed).uniform((), seed))

    def level_at(self, place: Any) -> Any:
        """Finds the level at a place in the range.

        Args:
            place: a number, array or tensor in [0, 1].

        Returns:
            The level, of the same type: the lowest at 0, the highest at 1, between them bent by the
            exponent.
        """
        low, high = self.level
        return low + (high - low) * place**self.exponent

    @property
    def reported_levels(self) -> tuple[float, ...]:
        """The level itself where there is one, else the usual ones in the range, or its middle."""
        low, high = self.level
        inside = tuple(level for level in self.usual_levels if low <= level <= high)
        return (low,) if low == high else inside or ((low + high) / 2,)

    def at(self, level: float | tuple[float, float]) -> Self:
        """Returns the same noise at another level.

        Args:
            level: a number, or the lowest and the highest.

        Returns:
            The changed copy.
        """
        values: dict[str, Any] = {"level": level}
        return dataclasses.replace(self, **values)

    def to_dict(self) -> dict[str, Any]:
        """Returns kind and values as a JSON-compatible dictionary."""
        return {"kind": self.kind, **dataclasses.asdict(self)}
