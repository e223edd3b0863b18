"""Impulses as files hold them: one of several kinds that are not pure black and white."""

from dataclasses import dataclass
from typing import ClassVar

from kerasgan.noise.base import Noise
from kerasgan.noise.compound import OneOf
from kerasgan.noise.impulses import RandomImpulses
from kerasgan.noise.resaved import ResavedImpulses

# The ranges of shares, of which sparse ones are drawn more often; and of factors.
_SHARES, _MORE_SPARSE, _FACTORS = (0.0, 0.5), 1.5, (0.5, 2.0)


@dataclass(frozen=True)
class StrayImpulses(OneOf):
    """Gives each image impulses of one kind that is not pure black and white.

    A network that learns from it is blind to kind and share.

    Attributes:
        parts: the kinds; by default values of any brightness, as of hot and dead pixels, and salt
            and pepper saved as JPEG or in another size.
    """

    parts: tuple[Noise, ...] = (
        RandomImpulses(_SHARES, _MORE_SPARSE),
        ResavedImpulses(_SHARES, _MORE_SPARSE),
        ResavedImpulses(_SHARES, _MORE_SPARSE, scale=_FACTORS, jpeg=False),
    )

    kind: ClassVar[str] = "stray-impulses"
    title: ClassVar[str] = "impulses that are not pure black and white"
