"""The parts of a run's configuration: data, networks, adversary and optimizers."""

from dataclasses import dataclass, replace
from typing import Literal

from kerasgan.decoding import require

Architecture = Literal["classic", "selective", "residual"]
Judge = Literal["classic", "patch"]
Activation = Literal["relu", "relu6"]
Objective = Literal["bce", "hinge", "relativistic"]
Balance = Literal["fixed", "gradient"]
Algorithm = Literal["adam", "muon"]
Schedule = Literal["constant", "cosine"]


def _require_filters(filters: tuple[int, ...]) -> None:
    require(
        len(filters) >= 2 and min(filters) > 0,
        f"filters must be two or more positive numbers, got {filters}",
    )


@dataclass(frozen=True)
class DataConfig:
    """Where clean images come from and how patches are cut from them.

    Attributes:
        source: "bundled", a fer2013.csv, a folder of images, or "tfds:NAME".
        channels: 1 for grey, 3 for colour.
        patch_size: height and width of the training patches, in pixels.
        flip: whether patches are mirrored left to right at random.
        scale: the range of factors by which training patches are resized, small and large ones as
            often, so that the network sees sharper and softer pictures than those it is given.
        saturate: share of training patches in which a part is driven to white or to black, as by a
            wrong exposure, in [0, 1]; so the network learns of areas in which nothing is certain.
        grey: share of training patches in colour that are grey, with grey noise, in [0, 1]; so a
            network for colour restores grey pictures, too.
        pages: share of training patches that show made-up text, screens and drawings, in [0, 1); so
            the network learns what is black and white on purpose.
        keep_duplicates: whether exact repetitions stay in.
        limit: keep at most this many images of each split; None keeps all.
        split_seed: decides which images of a folder without splits are held out, and which ones
            `limit` keeps; None takes the run's seed.
    """

    source: str = "bundled"
    channels: int = 1
    patch_size: int = 48
    flip: bool = True
    scale: tuple[float, float] = (1.0, 1.0)
    saturate: float = 0.0
    grey: float = 0.0
    pages: float = 0.0
    keep_duplicates: bool = False
    limit: int | None = None
    split_seed: int | None = None

    def __post_init__(self) -> None:
        require(self.channels in (1, 3), f"channels must be 1 or 3, got {self.channels}")
        require(self.patch_size >= 16, f"patch_size must be at least 16, got {self.patch_size}")
        low, high = self.scale
        require(0.1 <= low <= high <= 10.0, f"scale must be a range in [0.1, 10], got {low}:{high}")
        require(0.0 <= self.saturate <= 1.0, f"saturate must be in [0, 1], got {self.saturate}")
        require(0.0 <= self.grey <= 1.0, f"grey must be in [0, 1], got {self.grey}")
        require(not self.grey or self.channels == 3, "grey is a share of patches in colour")
        require(0.0 <= self.pages < 1.0, f"pages must be in [0, 1), got {self.pages}")
        require(self.limit is None or self.limit > 0, f"limit must be positive, got {self.limit}")


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator.

    Attributes:
        architecture: "classic"; "selective", for salt and pepper; or "residual", for noise that
            spares no pixel.
        filters: channels of each level, from full resolution down; the last is the bottleneck.
        activation: "relu", or "relu6", which cuts features off at 6, so that 8 bits hold them.
        detail: channels inside the residual block that all but "classic" can have at full
            resolution; 0 for none.
        gated: whether all but "classic" also say how likely each value is noise, and change it by
            that much.
        decoder_blocks: residual blocks at each level on the way up, of all but "classic".
    """

    architecture: Architecture
    filters: tuple[int, ...]
    activation: Activation = "relu"
    detail: int = 0
    gated: bool = False
    decoder_blocks: int = 1

    @property
    def multiple(self) -> int:
        """What height and width of its input must be multiples of."""
        return 2 if self.architecture == "classic" else 2 ** (len(self.filters) - 1)

    def with_room_for(self, other: "GeneratorConfig") -> "GeneratorConfig":
        """Adds what another generator of this architecture has, so that its weights have a place.

        Args:
            other: a generator that this one is to start from.

        Returns:
            This one, gated if the other is, and with at least as many blocks and details.
        """
        if self.architecture != other.architecture:
            return self
        return replace(
            self,
            detail=max(self.detail, other.detail),
            gated=self.gated or other.gated,
            decoder_blocks=max(self.decoder_blocks, other.decoder_blocks),
        )

    def __post_init__(self) -> None:
        _require_filters(self.filters)
        require(
            self.architecture != "classic" or len(self.filters) == 3,
            f"the classic architecture takes 3 filters, got {self.filters}",
        )
        require(self.detail >= 0, f"detail must not be negative, got {self.detail}")
        require(
            self.decoder_blocks >= 1, f"decoder_blocks must be positive, got {self.decoder_blocks}"
        )
        require(
            self.architecture != "classic"
            or (self.detail, self.gated, self.decoder_blocks) == (0, False, 1),
            "detail, gated and decoder_blocks are for the selective and the residual architecture",
        )


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The discriminator.

    Attributes:
        filters: channels of its levels; the resolution is halved from each to the next, and by
            "classic" before the first, too.
        dropout: share of activations that "classic" drops in training, in [0, 1).
        architecture: "classic", one logit for the whole image, or "patch", one for every place; see
            `model.discriminators`.
        spectral_norm: whether "patch" divides kernels by their largest singular value.
    """

    filters: tuple[int, ...]
    dropout: float = 0.0
    architecture: Judge = "classic"
    spectral_norm: bool = False

    def __post_init__(self) -> None:
        _require_filters(self.filters)
        require(0.0 <= self.dropout < 1.0, f"dropout must be in [0, 1), got {self.dropout}")
        require(
            self.architecture == "classic" or not self.dropout,
            "the patch discriminator drops nothing",
        )
        require(
            self.architecture == "patch" or not self.spectral_norm,
            "spectral_norm is for the patch discriminator",
        )


@dataclass(frozen=True)
class AdversaryConfig:
    """What the discriminator's judgement does to the generator.

    Attributes:
        weight: λ in generator loss = reconstruction + λ · adversarial; 0 trains without the
            discriminator.
        objective: what both sides are after; see `model.adversary`.
        penalty: weight of the discriminator's squared gradient at clean images (R1); 0 for none.
        balance: "fixed" takes λ as it is; with "gradient", the adversarial part's gradient at the
            generator's output is λ times as long as that of the reconstruction.
        suspects_only: whether logits of places are weighed by the pixels that the noise may have
            changed there.
        fade: each image counts by its share of such pixels to this power; 0 counts all alike.
        feature_matching: weight, balanced like λ, of the distance between what the discriminator
            sees in the restored and in the clean image; 0 for none.
        clip: how many times the root mean square of an image's adversarial gradients any pixel's
            may be; 0 for no limit.
        frozen_statistics: whether the generator's normalisations keep, against the discriminator,
            the statistics of what they saw before.
        begins: share of the epochs in which the generator learns from the reconstruction alone
            first.
        warmup: share of the epochs, after those, in which the discriminator learns alone.
    """

    weight: float
    objective: Objective = "bce"
    penalty: float = 0.0
    balance: Balance = "fixed"
    suspects_only: bool = False
    fade: float = 0.0
    feature_matching: float = 0.0
    clip: float = 0.0
    frozen_statistics: bool = False
    begins: float = 0.0
    warmup: float = 0.0

    def __post_init__(self) -> None:
        require(self.suspects_only or not self.fade, "fade needs suspects_only")
        for name in ("weight", "penalty", "fade", "feature_matching", "clip", "begins", "warmup"):
            value = getattr(self, name)
            require(
                0.0 <= value < float("inf"), f"{name} must be finite, not negative, got {value}"
            )
        require(
            self.begins + self.warmup < 1.0,
            "begins and warmup must leave a share of the epochs in which both networks learn, got "
            f"{self.begins} and {self.warmup}",
        )


@dataclass(frozen=True)
class OptimizerConfig:
    """One optimizer; by default, the Adam of the reference recipe.

    Attributes:
        learning_rate: its rate, the highest where a schedule lowers it.
        beta_1: decay of Adam's first moment, in [0, 1).
        beta_2: decay of Adam's second moment, in [0, 1).
        algorithm: "adam", or "muon" for the convolutions' kernels and Adam for the rest.
        schedule: "constant", or "cosine": down to zero over the whole run.
        ema_momentum: decay of a moving average of the weights, which then is what is validated and
            saved; None for no average.
    """

    learning_rate: float = 2e-4
    beta_1: float = 0.5
    beta_2: float = 0.999
    algorithm: Algorithm = "adam"
    schedule: Schedule = "constant"
    ema_momentum: float | None = None

    def __post_init__(self) -> None:
        require(
            0.0 < self.learning_rate < float("inf"),
            f"learning_rate must be positive and finite, got {self.learning_rate}",
        )
        for name in ("beta_1", "beta_2"):
            value = getattr(self, name)
            require(0.0 <= value < 1.0, f"{name} must be in [0, 1), got {value}")
        require(
            self.ema_momentum is None or 0.0 < self.ema_momentum < 1.0,
            f"ema_momentum must be between 0 and 1, got {self.ema_momentum}",
        )
