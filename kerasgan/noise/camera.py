"""What pictures of cameras may hold: one of several kinds of noise, nobody says which."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.base import Noise
from kerasgan.noise.compound import OneOf
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.sensor import Sensor

# Low levels more often: nobody keeps a picture that is all noise.
_SENSOR: dict[str, Any] = {"level": (0.0, 100.0), "exponent": 2.0, "smoothing": 1.5}


@dataclass(frozen=True)
class Camera(OneOf):
    """Gives each image one of several kinds of noise, each as often as the others.

    A network that learns from it is blind to kind and strength.

    Attributes:
        parts: the kinds; by default Gaussian noise, and that of sensors, smoothed by up to 1.5
            pixels, before and after JPEG.
    """

    parts: tuple[Noise, ...] = (
        Gaussian((0.0, 55.0)),
        Sensor(**_SENSOR),
        Sensor(**_SENSOR, jpeg=True),
    )

    kind: ClassVar[str] = "camera"
    title: ClassVar[str] = "camera noise"
