"""What a camera's sensor adds, as it looks after the camera has made a picture of it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from kerasgan.noise.base import Noise

if TYPE_CHECKING:
    from kerasgan.noise.arrays import Arrays

_GAMMA = 2.2
# How much a camera brightens red and blue to make grey of grey.
_RED_GAIN, _BLUE_GAIN = (1.9, 2.4), (1.5, 1.9)
# log of the variance of read noise, from log of that of shot noise: slope and intercept.
_READ_NOISE = 2.18, 1.20
_QUALITY = 60, 98
# By which missing values are averages of their neighbours, in fourths: of red, green and blue.
_CORNER, _SIDE, _CENTRE = (1, 0, 1), (2, 1, 2), (4, 4, 4)
_BILINEAR = (
    (_CORNER, _SIDE, _CORNER),
    (_SIDE, _CENTRE, _SIDE),
    (_CORNER, _SIDE, _CORNER),
)
# Of smoothing, in pixels: how far it reaches, its largest standard deviation, and a variance that
# changes nothing.
_REACH, _LARGEST_SMOOTHING, _LEAST_VARIANCE = 4, 2.0, 0.01


@dataclass(frozen=True)
class Sensor(Noise):
    """Adds shot and read noise to the light, and develops it: white balance, gamma, perhaps JPEG.

    The light is the picture to the power of 2.2, divided by the gains of red and blue, which are
    drawn. To light x a normal deviate of variance a · x + b is added. a is the level, in
    ten-thousandths; b follows from it as in the cameras that Brooks et al. measured. In colour, the
    noise, not the picture, then goes through a Bayer mosaic and is interpolated: it correlates from
    pixel to pixel, which is why networks that learnt independent noise fail on photographs. What
    counts as the truth about a photograph is the mean of many, and gamma makes that darker than the
    light by itself: so half the difference is taken between what the noise and its negative make,
    whose mean is none. What cameras do against noise leaves less of it, and coarser: smoothing
    stands for that.

    Attributes:
        mosaic: whether noise in colour goes through a mosaic.
        jpeg: whether the picture is compressed at last, with a quality drawn from 60 to 98.
        smoothing: the largest standard deviation, in pixels up to 2, of the Gaussian that smooths
            the noise, not the picture; what is taken is drawn from 0 to it. Like gains and quality,
            one is drawn for all images of a call.

    Source: Foi et al., Practical Poissonian-Gaussian noise modeling, TIP 2008, for the variance;
    Brooks et al., Unprocessing images for learned raw denoising, CVPR 2019, for gains, gamma and
    the read noise.
    """

    mosaic: bool = True
    jpeg: bool = False
    smoothing: float = 0.0

    kind: ClassVar[str] = "sensor"
    title: ClassVar[str] = "sensor noise"
    quantity: ClassVar[str] = "variance of white light, in ten-thousandths"
    bounds: ClassVar[tuple[float, float]] = (0.0, 200.0)
    usual_levels: ClassVar[tuple[float, ...]] = (5.0, 20.0, 80.0)
    checked_levels: ClassVar[tuple[float, ...]] = (5.0, 20.0, 80.0)
    calibration_range: ClassVar[tuple[float, float]] = (0.0, 120.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.smoothing <= _LARGEST_SMOOTHING:
            raise ValueError(
                f"smoothing must lie within [0, {_LARGEST_SMOOTHING:g}] pixels, "
                f"got {self.smoothing}"
            )

    def corrupt(self, clean: Any, level: Any, *, seed: Any) -> Any:
        from kerasgan.noise.arrays import arrays_of, compressed, per_image

        of = arrays_of(clean, seed)
        clean = of.array(clean)
        images, channels = len(clean.shape) - 3, clean.shape[-1]
        drawn = of.uniform((4,), seed)
        gains = _gains(of, drawn) if channels == 3 else 1.0
        light = clean**_GAMMA / gains
        shot = per_image(of, level) / 1e4
        slope, intercept = _READ_NOISE
        read = math.exp(intercept) * shot**slope
        noise = of.sqrt(shot * light + read) * of.normal(of.shape(clean), seed)
        if self.mosaic and channels == 3:
            noise = _interpolated(of, noise, images)
        if self.smoothing:
            noise = _smoothed(of, noise, drawn[3] * self.smoothing, images)
        brighter, darker = (
            of.clip(changed * gains, 0.0, 1.0) ** (1 / _GAMMA)
            for changed in (light + noise, light - noise)
        )
        noisy = of.clip(clean + (brighter - darker) / 2.0, 0.0, 1.0)
        if not self.jpeg:
            return noisy
        lowest, highest = _QUALITY
        quality = of.cast(lowest + drawn[2] * (highest - lowest), "int32")
        return compressed(of, noisy, quality)

    def label(self, level: float) -> str:
        return f"{level:g}/10,000"


def _gains(of: "Arrays", drawn: Any) -> Any:
    red, blue = (
        low + (high - low) * drawn[number]
        for number, (low, high) in enumerate((_RED_GAIN, _BLUE_GAIN))
    )
    return of.stack([red, of.cast(1.0, "float32"), blue])


def _smoothed(of: "Arrays", noise: Any, sigma: Any, images: int) -> Any:
    """Convolves each channel with a Gaussian, down and across, continued beyond its edges."""
    height, width = of.shape(noise)[-3], of.shape(noise)[-2]
    variance = sigma**2 + _LEAST_VARIANCE
    weights = [of.exp(-0.5 * step**2 / variance) for step in range(-_REACH, _REACH + 1)]
    total = sum(weights)
    # By one each time, which repeats the outermost values: a single pixel has no more to mirror.
    for _ in range(_REACH):
        noise = of.pad(noise, [(0, 0)] * images + [(1, 1), (1, 1), (0, 0)])
    down = sum(
        weight / total * noise[..., top : top + height, :, :] for top, weight in enumerate(weights)
    )
    return sum(
        weight / total * down[..., left : left + width, :] for left, weight in enumerate(weights)
    )


def _interpolated(of: "Arrays", noise: Any, images: int) -> Any:
    """Takes noise through a mosaic of red, green, green and blue, interpolated bilinearly."""
    height, width = of.shape(noise)[-3], of.shape(noise)[-2]
    rows, columns = of.range(height)[:, None] % 2, of.range(width)[None, :] % 2
    red, blue = (rows + columns == 0), (rows + columns == 2)
    seen = of.cast(of.stack([red, rows + columns == 1, blue]), "float32")
    padded = of.pad(noise * seen, [(0, 0)] * images + [(1, 1), (1, 1), (0, 0)])
    return sum(
        of.cast(weights, "float32") / 4.0 * padded[..., top : top + height, left : left + width, :]
        for top, line in enumerate(_BILINEAR)
        for left, weights in enumerate(line)
    )
