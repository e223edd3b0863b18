"""What a training run is made of, as frozen dataclasses that read and write config.json."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kerasgan.decoding import decode, parse_texts, require
from kerasgan.noise.base import Noise
from kerasgan.noise.salt_and_pepper import SaltAndPepper

Architecture = Literal["classic", "selective", "residual"]
Judge = Literal["classic", "patch"]
Activation = Literal["relu", "relu6"]
Reconstruction = Literal["mse", "mae", "charbonnier", "rmse", "psnr"]
Objective = Literal["bce", "hinge", "relativistic"]
Balance = Literal["fixed", "gradient"]
Phase = Literal["reconstruction", "discriminator", "both"]
Algorithm = Literal["adam", "muon"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "float16", "bfloat16"]
# Far more than what a share of some epochs is off by, and far less than an epoch.
_ROUNDING = 1e-6


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
        split_seed: decides which images of a folder without splits are held out; None takes the
            run's seed.
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
    """

    architecture: Architecture
    filters: tuple[int, ...]
    activation: Activation = "relu"
    detail: int = 0
    gated: bool = False

    @property
    def multiple(self) -> int:
        """What height and width of its input must be multiples of."""
        return 2 if self.architecture == "classic" else 2 ** (len(self.filters) - 1)

    def __post_init__(self) -> None:
        _require_filters(self.filters)
        require(
            self.architecture != "classic" or len(self.filters) == 3,
            f"the classic architecture takes 3 filters, got {self.filters}",
        )
        require(self.detail >= 0, f"detail must not be negative, got {self.detail}")
        require(
            self.architecture != "classic" or not (self.detail or self.gated),
            "detail and gated are for the selective and the residual architecture",
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
            require(0.0 <= value < float("inf"), f"{name} must not be negative, got {value}")
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
        beta_1: decay of Adam's first moment.
        beta_2: decay of Adam's second moment.
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
            f"learning_rate must be positive, got {self.learning_rate}",
        )
        require(
            self.ema_momentum is None or 0.0 < self.ema_momentum < 1.0,
            f"ema_momentum must be between 0 and 1, got {self.ema_momentum}",
        )


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the outcome of a training run, besides the data itself.

    Attributes:
        data: the clean images.
        noise: what is added to them.
        generator: the network that restores.
        discriminator: the network that judges.
        adversary: what its judgement is worth.
        reconstruction: the distance between clean and restored, "mse", "mae", "charbonnier",
            "rmse" or "psnr".
        suspects_only: whether that distance is averaged, in each image, over the pixels that the
            noise may have changed, instead of over all.
        g_optimizer: the generator's optimizer.
        d_optimizer: the discriminator's optimizer.
        epochs: passes over the training patches.
        batch_size: patches per step, over all replicas.
        seed: from 0 to 2**32 - 1; decides initial weights, order, patches and noise.
        start: the model whose generator training starts from; None starts from random weights.
        precision: what the networks compute in while they are trained; weights, filling and
            residual stay float32, and so does the generator that is saved.
        frozen_statistics: whether the generator's normalisations keep the statistics of the model
            that training starts from, which those of small batches only disturb.
    """

    data: DataConfig
    noise: Noise
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    adversary: AdversaryConfig
    reconstruction: Reconstruction
    suspects_only: bool
    g_optimizer: OptimizerConfig
    d_optimizer: OptimizerConfig
    epochs: int
    batch_size: int
    seed: int = 0
    start: str | None = None
    precision: Precision = "float32"
    frozen_statistics: bool = False

    def __post_init__(self) -> None:
        multiple = self.generator.multiple
        require(
            self.data.patch_size % multiple == 0,
            f"patch_size must be a multiple of {multiple} for this generator, got "
            f"{self.data.patch_size}",
        )
        cell = 2 ** (len(self.discriminator.filters) - 1)
        require(
            not self.adversary.weight
            or not self.adversary.suspects_only
            or self.discriminator.architecture != "patch"
            or self.data.patch_size % cell == 0,
            f"patch_size must be a multiple of {cell} for this discriminator, got "
            f"{self.data.patch_size}",
        )
        require(
            self.generator.architecture != "selective" or isinstance(self.noise, SaltAndPepper),
            "the selective architecture restores salt and pepper alone; the preset residual is "
            f"for {self.noise.title}",
        )
        require(
            not self.frozen_statistics or self.start is not None,
            "frozen_statistics needs a model to start from",
        )
        require(self.epochs > 0, f"epochs must be positive, got {self.epochs}")
        require(0 <= self.seed < 2**32, f"seed must be from 0 to 2**32 - 1, got {self.seed}")
        require(self.batch_size > 0, f"batch_size must be positive, got {self.batch_size}")

    @property
    def split_seed(self) -> int:
        """What decides which images are held out, where the data do not say."""
        return self.seed if self.data.split_seed is None else self.data.split_seed

    def phase(self, epoch: int) -> Phase:
        """Tells what learns in an epoch.

        Args:
            epoch: from 0 to epochs - 1.

        Returns:
            "reconstruction", the generator without the discriminator; "discriminator", that alone;
            or "both".
        """
        if not self.adversary.weight or epoch < self._epochs_before(self.adversary.begins):
            return "reconstruction"
        warm = self._epochs_before(self.adversary.begins + self.adversary.warmup)
        return "discriminator" if epoch < warm else "both"

    def epochs_of(self, phase: Phase) -> int:
        """Counts the epochs of a phase."""
        return sum(self.phase(epoch) == phase for epoch in range(self.epochs))

    def _epochs_before(self, share: float) -> int:
        """How many whole epochs lie before a share of the run."""
        return int(share * self.epochs + _ROUNDING)

    def replace(self, **changes: Any) -> "RunConfig":
        """Returns a copy with some values changed.

        Args:
            **changes: fields of this class, or "part__field" for a field of one of its parts.

        Returns:
            The changed copy.

        Example:
            >>> preset("selective").replace(epochs=3, data__source="photos/")
        """
        own: dict[str, Any] = {}
        for key, value in changes.items():
            part, _, name = key.partition("__")
            if name:
                own[part] = dataclasses.replace(own.get(part, getattr(self, part)), **{name: value})
            else:
                own[key] = value
        return dataclasses.replace(self, **own)

    def changed(self, changes: Mapping[str, Any]) -> "RunConfig":
        """Returns a copy with some values changed.

        Args:
            changes: values that differ, nested as in config.json; another kind of noise takes
                nothing over from the present one.

        Returns:
            The changed copy.

        Raises:
            ValueError: naming the first key that is unknown, and the nearest known one, or a value
                that is of the wrong type or out of its range.

        Example:
            >>> preset("selective").changed({"epochs": 3, "generator": {"filters": [24, 48, 96]}})
        """
        values = self.to_dict()
        for key, value in changes.items():
            known = values.get(key)
            if isinstance(known, dict) and isinstance(value, Mapping):
                same = value.get("kind", known.get("kind")) == known.get("kind")
                value = {**(known if same else {}), **value}
            values[key] = value
        return typing.cast(RunConfig, decode(RunConfig, values, "config"))

    def with_settings(self, settings: Sequence[str]) -> "RunConfig":
        """Returns a copy with some values changed, as a person types them.

        Args:
            settings: "epochs=3", "generator.filters=24,48,96", "noise.level=0.1:0.9",
                "g_optimizer.ema_momentum=none", "data.flip=false".

        Returns:
            The changed copy.

        Raises:
            ValueError: as `changed` does, or if a text is no such setting.
        """
        texts: dict[str, Any] = {}
        for setting in settings:
            name, equals, text = setting.partition("=")
            part, dot, field = name.strip().rpartition(".")
            require(bool(equals), f"{setting!r} is no setting; write NAME=VALUE")
            owner = texts.setdefault(part, {}) if dot else texts
            require(isinstance(owner, dict), f"{part} is set as a whole, and then in parts")
            owner[field] = text.strip()
        if isinstance(texts.get("noise"), dict):
            texts["noise"] = {"kind": self.noise.kind, **texts["noise"]}
        return self.changed(parse_texts(RunConfig, texts))

    def to_dict(self) -> dict[str, Any]:
        """Returns the values as JSON-compatible dictionaries."""
        return dataclasses.asdict(self) | {"noise": self.noise.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RunConfig":
        """Reads what `to_dict` wrote.

        Args:
            values: dictionaries as JSON gives them.

        Returns:
            The configuration.

        Raises:
            ValueError: naming the first key that is missing, unknown or of the wrong type.
        """
        return typing.cast(RunConfig, decode(cls, _renewed(values), "config"))


def _renewed(values: Any) -> Any:
    """Turns what the first version wrote into what this one reads."""
    if not isinstance(values, dict):
        return values
    values = dict(values)
    if "adversarial_weight" in values:
        values["adversary"] = {"weight": values.pop("adversarial_weight")}
    noise = values.get("noise")
    if isinstance(noise, dict) and "kind" not in noise:
        names = {"amount": "level", "amount_exponent": "exponent"}
        named = {names.get(name, name): value for name, value in noise.items()}
        values["noise"] = {"kind": SaltAndPepper.kind, **named}
    return values
