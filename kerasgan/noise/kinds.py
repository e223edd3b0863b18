"""The kinds of noise that there are, by their names."""

from kerasgan.noise.base import Noise
from kerasgan.noise.camera import Camera
from kerasgan.noise.gaussian import Gaussian
from kerasgan.noise.impulses import RandomImpulses
from kerasgan.noise.mixed import Mixed
from kerasgan.noise.resaved import ResavedImpulses
from kerasgan.noise.salt_and_pepper import SaltAndPepper
from kerasgan.noise.sensor import Sensor
from kerasgan.noise.speckle import Speckle
from kerasgan.noise.stray import StrayImpulses

KINDS: dict[str, type[Noise]] = {
    kind.kind: kind
    for kind in (
        SaltAndPepper,
        Gaussian,
        Sensor,
        Camera,
        Speckle,
        RandomImpulses,
        ResavedImpulses,
        StrayImpulses,
        Mixed,
    )
}


def noise_of(kind: str) -> type[Noise]:
    """Finds a kind of noise.

    Args:
        kind: its name.

    Returns:
        The class.

    Raises:
        ValueError: naming the kinds that there are.
    """
    if kind not in KINDS:
        raise ValueError(f"no noise {kind!r}; there are {', '.join(KINDS)}")
    return KINDS[kind]
