"""Salt and pepper: pixels replaced by black or white."""

from dataclasses import dataclass
from typing import Any, ClassVar

from kerasgan.noise.impulses import Impulses


@dataclass(frozen=True)
class SaltAndPepper(Impulses):
    """Replaces a random share of the pixels by black or white; its level is that share.

    Attributes:
        salt_vs_pepper: share of the replaced pixels that turn white, in [0, 1].
    """

    salt_vs_pepper: float = 0.5

    kind: ClassVar[str] = "salt-and-pepper"
    title: ClassVar[str] = "salt and pepper"
    usual_levels: ClassVar[tuple[float, ...]] = (0.15, 0.5, 0.9)
    checked_levels: ClassVar[tuple[float, ...]] = (0.1, 0.5, 0.9)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share("salt_vs_pepper", self.salt_vs_pepper)

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        return salt_and_pepper(clean, level, salt_vs_pepper=self.salt_vs_pepper, seed=seed)

    @property
    def description(self) -> str:
        return f"{self.title}, {self.salt_vs_pepper:.0%} of it white"

    def suspects(self, noisy: Any) -> Any:
        return (noisy <= 0.0) | (noisy >= 1.0)


def salt_and_pepper(images: Any, amount: Any, *, salt_vs_pepper: float = 0.5, seed: Any) -> Any:
    """Replaces a random share of the pixels by black or white.

    Every pixel is drawn on its own; all channels of a pixel change together.

    Args:
        images: float tensor or array (..., H, W, C) in [0, 1].
        amount: share of pixels replaced, in [0, 1]; a scalar, or one per image, of shape (...).
        salt_vs_pepper: share of the replaced pixels that turn white, in [0, 1].
        seed: int tensor or array (2,); the same seed gives the same noise.

    Returns:
        Float tensor of the same shape, in [0, 1]; of two NumPy arrays a NumPy array, the same bits
        without TensorFlow.

    Raises:
        ValueError: if `amount` or `salt_vs_pepper` is a number outside [0, 1], or the images are
            no floats.

    Source: Gonzalez & Woods, Digital Image Processing, section 5.2.

    Example:
        >>> noisy = salt_and_pepper(clean, 0.15, seed=(1, 2))
    """
    from kerasgan.noise.arrays import arrays_of

    _check_share("amount", amount)
    _check_share("salt_vs_pepper", salt_vs_pepper)
    of = arrays_of(images, seed)
    images = of.array(images)
    if "float" not in images.dtype.name:
        raise ValueError(f"images must be float in [0, 1], got {images.dtype.name}")
    # One draw decides both: below `amount` the pixel is replaced, and where below says by what.
    draw = of.uniform(of.shape(images)[:-1], seed)[..., None]
    amount = of.cast(amount, draw.dtype)[..., None, None, None]
    impulse = of.cast(draw < amount * salt_vs_pepper, images.dtype)
    return of.where(draw < amount, impulse, images)


def _check_share(name: str, value: Any) -> None:
    if isinstance(value, int | float) and not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be in [0, 1], got {value}")
