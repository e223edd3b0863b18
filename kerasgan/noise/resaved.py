"""Salt and pepper in pictures that were saved anew: as JPEG, or in another size."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from kerasgan.noise.impulses import Impulses
from kerasgan.noise.salt_and_pepper import salt_and_pepper

if TYPE_CHECKING:
    from kerasgan.noise.arrays import Arrays

_QUALITY = 60, 95
_BLOCK = 8


@dataclass(frozen=True)
class ResavedImpulses(Impulses):
    """Salt and pepper that is pure no longer; its level is the share that there was.

    What the impulses changed is resized bicubically, as in a picture that had another size before,
    while the picture itself stays as it is. JPEG's blocks begin anywhere.

    Attributes:
        scale: the range of factors by which the noise was resized; (1, 1) for none. Like the
            quality, one is drawn for all images of a call.
        jpeg: whether the picture is compressed at last, with a quality drawn from 60 to 95.

    Raises:
        ValueError: also if the factors do not lie within [0.25, 4], the lower first.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    jpeg: bool = True

    kind: ClassVar[str] = "resaved-impulses"
    title: ClassVar[str] = "salt and pepper saved anew"

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.scale
        object.__setattr__(self, "scale", (float(low), float(high)))
        if not 0.25 <= low <= high <= 4.0:
            raise ValueError(f"scale must be a range within [0.25, 4], got {low:g}:{high:g}")

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of

        of = arrays_of(clean, seed)
        clean = of.array(clean)
        drawn = of.uniform((4,), of.fold_in(seed, 1))
        low, high = self.scale
        if low == high == 1.0:
            noisy = salt_and_pepper(clean, level, seed=seed)
        else:
            size = of.shape(clean)[-3:-1]
            factor = low * (high / low) ** drawn[0]
            other = of.cast(of.cast(size, "float32") / factor + 0.5, "int32")
            before = _resized(of, clean, of.clip(other, 1, 2**15))
            hits = salt_and_pepper(before, level, seed=seed) - before
            noisy = of.clip(clean + _resized(of, hits, size), 0.0, 1.0)
        if not self.jpeg:
            return noisy
        lowest, highest = _QUALITY
        quality = of.cast(lowest + drawn[1] * (highest - lowest), "int32")
        return _compressed(of, noisy, quality, of.cast(drawn[2:] * _BLOCK, "int32"))


def _compressed(of: "Arrays", pictures: Any, quality: Any, corner: Any) -> Any:
    """Compresses pictures whose blocks begin at most a block above and to the left of them."""
    from kerasgan.noise.arrays import compressed

    for _ in range(_BLOCK - 1):  # By one each time, which repeats the outermost values.
        edges = [(0, 0)] * (len(pictures.shape) - 3) + [(1, 0), (1, 0), (0, 0)]
        pictures = of.pad(pictures, edges)
    top, left = corner[0], corner[1]
    whole = compressed(of, pictures[..., top:, left:, :], quality)
    return whole[..., _BLOCK - 1 - top :, _BLOCK - 1 - left :, :]


def _resized(of: "Arrays", pictures: Any, size: Any) -> Any:
    """Resizes pictures, (..., H, W, C), to another height and width, as Pillow's BICUBIC does."""
    rows, columns = (
        _weights(of, of.shape(pictures)[axis], size[number]) for number, axis in enumerate((-3, -2))
    )
    down = of.einsum("ih,...hwc->...iwc", rows, pictures)
    return of.einsum("jw,...iwc->...ijc", columns, down)


def _weights(of: "Arrays", given: Any, made: Any) -> Any:
    """By how much each of the given cells counts in each of the made ones, (made, given)."""
    ratio = of.cast(given, "float32") / of.cast(made, "float32")
    centres = (of.cast(of.range(made), "float32") + 0.5) * ratio
    cells = of.cast(of.range(given), "float32") + 0.5
    # Where cells become fewer, each is a mean over more of them.
    distance = of.sqrt((cells[None, :] - centres[:, None]) ** 2) / of.clip(ratio, 1.0, 2.0**15)
    # Keys, Cubic convolution interpolation for digital image processing, 1981, a = -1/2.
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((2.5 - 0.5 * distance) * distance - 4.0) * distance + 2.0
    weights = of.where(distance < 1.0, near, of.where(distance < 2.0, far, 0.0))
    return weights / of.einsum("mg->m", weights)[:, None]
