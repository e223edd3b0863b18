"""What a picture looks like before it is touched: which noise there is, and how much of it.

Salt and pepper is told by `find_impulses`, other noise by what decision trees make of what is
measured. `benchmarks/inspection.py` measures how often that is right.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from kerasgan.images.pixels import Pixels
from kerasgan.restore.impulses import Impulses, find_impulses, sample
from kerasgan.restore.looks import Measures, measure, unevenness, weigh

# The fewest values that tell anything.
_FEWEST = 64
# Restoring what is clean does harm, so noise must be likelier than none by this logit: of 200 clean
# crops of 128×128, of photographs that the trees know nothing of, 1 is touched then instead of 3,
# and of as many with Gaussian noise of σ 8, 3 left alone instead of 1.
_SURE = 1.5
# Few values tell less: of crops of 64×64, none is touched then instead of 12, and 13 left alone
# instead of 4.
_FEW, _SURE_OF_FEW = 2**14, 2.0
# What pictures with noise of a kind look like. That of sensors correlates from pixel to pixel, so
# that a clean look tells nothing; neither does any look of several kinds, one over the other.
# Impulses that were resized can look like grain.
_LOOKS = {
    "salt-and-pepper": {"salt-and-pepper"},
    "random-impulses": {"impulses"},
    "resaved-impulses": {"impulses", "gaussian", "signal-dependent"},
    "stray-impulses": {"impulses", "gaussian", "signal-dependent"},
    "gaussian": {"gaussian", "signal-dependent"},
    "speckle": {"gaussian", "signal-dependent"},
    "sensor": {"gaussian", "signal-dependent", "clean"},
    "camera": {"gaussian", "signal-dependent", "clean"},
    "mixed": {"clean", "salt-and-pepper", "impulses", "gaussian", "signal-dependent", "unknown"},
}
# Of these kinds, what is drawn is not told apart: edges and letters suffer.
_STRAY = frozenset({"random-impulses", "resaved-impulses", "stray-impulses"})
# A picture is taken for a page from these shares on, of what noise left: of pure black and white,
# or of values that equal their neighbour, where noise is no denser than the last. No photograph of
# Set12, McMaster and ten of BSD500 has so many of the latter, also in the dark; drawings do.
_PURE, _FLAT, _KNOWN = 0.3, 0.7, 0.6
# Pictures of so many pure values, such as halftones, have no grain.
_ALL_PURE = 0.98
# Lines of letters in grey ink, with grain, look like impulses after JPEG, but lie in rows: by more
# than 1.0 in those tried, and impulses on photographs by 0.9 at most.
_UNEVEN = 0.95
# Of all values, since dense noise is not known so well.
_PURE_OF_ALL = 0.04


@dataclass(frozen=True)
class Inspection:
    """What a picture looks like.

    Attributes:
        kind: "clean", "salt-and-pepper", "impulses" (that are not pure black and white),
            "gaussian", "signal-dependent" (noise that grows with brightness) or "unknown".
        impulses: shares of salt and pepper, other impulses, pure black and pure white.
        sigma: estimated standard deviation of other noise where it is least, in 8-bit levels; it
            means nothing beside dense impulses.
        flat: share of values that equal their neighbour to the right, in [0, 1].
        blocking: steps between JPEG's blocks, relative to those within; 1 where there are none.
    """

    kind: str
    impulses: Impulses
    sigma: float = 0.0
    flat: float = 0.0
    blocking: float = 1.0

    @property
    def level(self) -> float | None:
        """Share of impulses in [0, 1], or `sigma`; None where neither is known."""
        return {
            "salt-and-pepper": self.impulses.share,
            "impulses": self.impulses.others or None,
            "gaussian": self.sigma,
            "signal-dependent": self.sigma,
        }.get(self.kind)

    @property
    def sentence(self) -> str:
        """What there is to say of it, for people."""
        sigma = f"{self.sigma:.0f}" if self.sigma >= 0.5 else ""
        about, least_of = (
            f", sigma {told} {sigma}" if sigma else "" for told in ("about", "at least")
        )
        least = f", at least {self.impulses.others:.1%}" if self.impulses.others else ""
        return {
            "clean": "no noise is seen",
            "impulses": "looks like impulses that are not pure black and white, as JPEG and "
            f"resizing leave them{least}",
            "gaussian": f"looks like Gaussian noise{about}",
            "signal-dependent": f"looks like noise that grows with brightness{least_of}",
            "unknown": self.impulses.verdict
            if self.impulses.share
            else "there is too little to tell noise by",
        }.get(self.kind, self.impulses.verdict)

    @property
    def is_drawn(self) -> bool:
        """Whether it is pure black or white, or flat, by itself, as pages, screens and drawings."""
        share, black, white = self.impulses.share, self.impulses.black, self.impulses.white
        if black + white - share > max(_PURE * (1.0 - share), _PURE_OF_ALL):
            return True
        # Impulses beside each other are equal by chance.
        equal = share**2 * (black**2 + white**2) / max(black + white, share) ** 2 if share else 0.0
        return share < _KNOWN and self.flat - equal > _FLAT * (1.0 - share) ** 2

    def is_of(self, noise: str) -> bool:
        """Whether pictures with noise of a kind, as configurations name it, look so."""
        return self.kind in _LOOKS[noise]

    def objection(self, noise: str, knows_pages: bool = False) -> str | None:
        """Why a model had better leave the picture alone.

        Args:
            noise: the kind that the model removes.
            knows_pages: whether it learnt what is black and white on purpose.

        Returns:
            The reason, for people; None where there is none.
        """
        if not self.is_of(noise):
            is_noise = self.kind not in ("clean", "unknown")
            return self.sentence + (", which this model does not remove" if is_noise else "")
        if noise in _STRAY and self.is_drawn and not knows_pages:
            return f"{self.sentence}, but restoring would change what was drawn, too"
        return self.impulses.objection(knows_pages) if noise == "salt-and-pepper" else None

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as a JSON-compatible dictionary."""
        values = {**asdict(self), "impulses": self.impulses._asdict()}
        return {**values, "level": self.level, "sentence": self.sentence}


def inspect(pixels: Pixels) -> Inspection:
    """Looks at a picture; takes milliseconds, however large it is.

    Args:
        pixels: (H, W), (H, W, 1) or (H, W, 3): uint8, uint16, or float in [0, 1].

    Returns:
        What it looks like.

    Raises:
        ValueError: for other shapes and types.
    """
    pixels = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise ValueError(f"an image must be (H, W), (H, W, 1) or (H, W, 3), got {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16) and pixels.dtype.kind != "f":
        raise ValueError(f"an image must be uint8, uint16 or float, got {pixels.dtype}")
    planes = sample(pixels)
    impulses, measures = find_impulses(pixels), measure(planes)
    likeliest, *others = _kinds(impulses, measures, pixels.size)
    if measures is None:
        return Inspection(likeliest, impulses)
    found = Inspection(likeliest, impulses, measures.sigma, measures.flat, measures.blocking)
    # What is drawn anyway is left alone, whatever strikes it.
    if likeliest == "impulses" and not found.is_drawn and unevenness(planes) > _UNEVEN:
        return replace(found, kind=others[0])
    return found


def _kinds(impulses: Impulses, measures: Measures | None, size: int) -> list[str]:
    """What it may look like, the likeliest first."""
    if impulses.is_salt_and_pepper:
        return ["salt-and-pepper"]
    if size < _FEWEST or measures is None:
        return ["unknown"]
    logits = weigh(measures, impulses)
    if impulses.share:
        # Of a page, too, dense noise leaves black and white alone.
        salted = max(logits, key=logits.__getitem__) == "salt-and-pepper"
        return ["salt-and-pepper" if salted else "unknown"]
    del logits["salt-and-pepper"]
    if impulses.black + impulses.white > _ALL_PURE:
        # Grain would have made greys of them.
        del logits["gaussian"], logits["signal-dependent"]
    logits["clean"] += _SURE if size >= _FEW else _SURE_OF_FEW
    return sorted(logits, key=logits.__getitem__, reverse=True)
