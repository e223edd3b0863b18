"""What pictures of cameras may hold: one of several kinds of noise, nobody says which."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.sensor import Sensor

# Low levels more often: nobody keeps a picture that is all noise.
_SENSOR: dict[str, Any] = {"level": (0.0, 100.0), "exponent": 2.0}


@dataclass(frozen=True)
class Camera(Noise):
    """Gives each image one of several kinds of noise, each as often as the others.

    The level is the same place in the range of each kind: 0 the lowest that it is drawn at, 1 the
    highest. A network that learns from it is blind to kind and strength.

    Attributes:
        parts: the kinds, with their levels; by default Gaussian noise, and that of sensors before
            and after JPEG.
    """

    parts: tuple[Noise, ...] = (
        Gaussian((0.0, 55.0)),
        Sensor(**_SENSOR),
        Sensor(**_SENSOR, jpeg=True),
    )

    kind: ClassVar[str] = "camera"
    title: ClassVar[str] = "camera noise"
    quantity: ClassVar[str] = "place in the range of each kind"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    usual_levels: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75)
    checked_levels: ClassVar[tuple[float, ...]] = (0.1, 0.5, 0.9)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.parts:
            raise ValueError("parts must name a kind of noise")

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of, per_image

        of = arrays_of(clean, seed)
        noisy = clean = of.array(clean)
        level = of.cast(level, "float32")
        # Of another seed than the noise itself, which would depend on the choice.
        drawn = of.uniform(of.shape(clean)[:-3], of.array(seed) + 1) * float(len(self.parts))
        for number, part in enumerate(self.parts):
            low, high = part.level
            chosen = per_image(of, of.cast(drawn, "int32")) == number
            own = part.corrupt(clean, low + (high - low) * level**part.exponent, seed=seed)
            noisy = of.where(chosen, own, noisy)
        return noisy

    def label(self, level: float) -> str:
        return f"level {level:g}"

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "parts": [part.to_dict() for part in self.parts]}
