"""What a training run is made of, as frozen dataclasses that read and write config.json."""

import dataclasses
import json
import math
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kerasgan.errors import ModelError

Architecture = Literal["classic", "selective"]
Activation = Literal["relu", "relu6"]
Reconstruction = Literal["mse", "mae", "charbonnier", "rmse", "psnr"]
Algorithm = Literal["adam", "muon"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "float16", "bfloat16"]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_filters(filters: tuple[int, ...]) -> None:
    _require(
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
        saturate: share of training patches in which a part is driven to white or to black, as by a
            wrong exposure, in [0, 1]; so the network learns of areas in which nothing is certain.
        keep_duplicates: whether exact repetitions stay in.
        limit: keep at most this many images of each split; None keeps all.
    """

    source: str = "bundled"
    channels: int = 1
    patch_size: int = 48
    flip: bool = True
    saturate: float = 0.0
    keep_duplicates: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        _require(self.channels in (1, 3), f"channels must be 1 or 3, got {self.channels}")
        _require(self.patch_size >= 16, f"patch_size must be at least 16, got {self.patch_size}")
        _require(0.0 <= self.saturate <= 1.0, f"saturate must be in [0, 1], got {self.saturate}")
        _require(self.limit is None or self.limit > 0, f"limit must be positive, got {self.limit}")


@dataclass(frozen=True)
class NoiseConfig:
    """The noise that training adds.

    Attributes:
        amount: lowest and highest share of replaced pixels, in [0, 1]; each image draws its own.
        salt_vs_pepper: share of the replaced pixels that turn white, in [0, 1].
        amount_exponent: an image's amount is LOW + (HIGH - LOW) · uᵉ, u uniform in [0, 1): below 1,
            dense noise is drawn more often than sparse.
    """

    amount: tuple[float, float]
    salt_vs_pepper: float = 0.5
    amount_exponent: float = 1.0

    def __post_init__(self) -> None:
        low, high = self.amount
        _require(
            0.0 <= low <= high <= 1.0, f"amount must be LOW:HIGH within [0, 1], got {low}:{high}"
        )
        _require(
            0.0 <= self.salt_vs_pepper <= 1.0,
            f"salt_vs_pepper must be in [0, 1], got {self.salt_vs_pepper}",
        )
        _require(
            0.0 < self.amount_exponent < math.inf,
            f"amount_exponent must be a positive number, got {self.amount_exponent}",
        )


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator.

    Attributes:
        architecture: "classic" or "selective".
        filters: channels of each level, from full resolution down; the last is the bottleneck.
        activation: "relu", or "relu6", which cuts features off at 6, so that 8 bits hold them.
    """

    architecture: Architecture
    filters: tuple[int, ...]
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        _require_filters(self.filters)
        _require(
            self.architecture == "selective" or len(self.filters) == 3,
            f"the classic architecture takes 3 filters, got {self.filters}",
        )


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The discriminator.

    Attributes:
        filters: channels of its convolutions, each of stride 2.
        dropout: share of activations dropped in training, in [0, 1).
    """

    filters: tuple[int, ...]
    dropout: float = 0.25

    def __post_init__(self) -> None:
        _require_filters(self.filters)
        _require(0.0 <= self.dropout < 1.0, f"dropout must be in [0, 1), got {self.dropout}")


@dataclass(frozen=True)
class OptimizerConfig:
    """One optimizer; by default, the Adam of the reference recipe.

    Attributes:
        learning_rate: its rate, the highest where a schedule lowers it.
        beta_1: decay of Adam's first moment.
        algorithm: "adam", or "muon" for the convolutions' kernels and Adam for the rest.
        schedule: "constant", or "cosine": down to zero over the whole run.
        ema_momentum: decay of a moving average of the weights, which then is what is validated and
            saved; None for no average.
    """

    learning_rate: float = 2e-4
    beta_1: float = 0.5
    algorithm: Algorithm = "adam"
    schedule: Schedule = "constant"
    ema_momentum: float | None = None

    def __post_init__(self) -> None:
        _require(
            0.0 < self.learning_rate < float("inf"),
            f"learning_rate must be positive, got {self.learning_rate}",
        )
        _require(
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
        reconstruction: the distance between clean and restored, "mse", "mae", "charbonnier",
            "rmse" or "psnr".
        suspects_only: whether that distance is averaged, in each image, over the pixels that could
            be impulses, instead of over all.
        adversarial_weight: λ in generator loss = reconstruction + λ · adversarial; 0 trains without
            the discriminator.
        g_optimizer: the generator's optimizer.
        d_optimizer: the discriminator's optimizer.
        epochs: passes over the training patches.
        batch_size: patches per step, over all replicas.
        seed: not negative; decides the initial weights, the order, the patches and the noise.
        start: the model whose generator training starts from; None starts from random weights.
        precision: what the networks compute in while they are trained; weights, filling and
            residual stay float32, and so does the generator that is saved.
    """

    data: DataConfig
    noise: NoiseConfig
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    reconstruction: Reconstruction
    suspects_only: bool
    adversarial_weight: float
    g_optimizer: OptimizerConfig
    d_optimizer: OptimizerConfig
    epochs: int
    batch_size: int
    seed: int = 0
    start: str | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        multiple = 2 ** (len(self.generator.filters) - 1)
        _require(
            self.data.patch_size % multiple == 0,
            f"patch_size must be a multiple of {multiple} for this generator, got "
            f"{self.data.patch_size}",
        )
        _require(
            0.0 <= self.adversarial_weight < float("inf"),
            f"adversarial_weight must not be negative, got {self.adversarial_weight}",
        )
        _require(self.epochs > 0, f"epochs must be positive, got {self.epochs}")
        _require(self.seed >= 0, f"seed must not be negative, got {self.seed}")
        _require(self.batch_size > 0, f"batch_size must be positive, got {self.batch_size}")

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

    def to_dict(self) -> dict[str, Any]:
        """Returns the values as JSON-compatible dictionaries."""
        return dataclasses.asdict(self)

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
        return typing.cast(RunConfig, _from_dict(cls, values, "config"))


def read_record(path: Path) -> tuple[RunConfig, str]:
    """Reads a config.json.

    Args:
        path: the file.

    Returns:
        The configuration, and the fingerprint of the data that it was used with.

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"there is no {path}: not the folder of a training run") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is damaged: {error}") from error
    return parse_record(record, path)


def parse_record(record: Any, path: Path) -> tuple[RunConfig, str]:
    """Reads the content of a config.json.

    Args:
        record: dictionaries as JSON gives them.
        path: where they stand, for messages.

    Returns:
        The configuration, and the fingerprint of the data that it was used with.

    Raises:
        ModelError: if it is damaged.
    """
    try:
        return RunConfig.from_dict(record["config"]), record["data"]["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}") from error


def _from_dict(cls: type, values: Any, where: str) -> Any:
    _require(isinstance(values, dict), f"{where} must be an object")
    hints = typing.get_type_hints(cls)
    # What has a default may be missing: older files do not know it.
    needed = {
        field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING
    }
    unknown, missing = sorted(values.keys() - hints.keys()), sorted(needed - values.keys())
    _require(not unknown, f"{where} has an unknown key {', '.join(unknown)}")
    _require(not missing, f"{where} lacks {', '.join(missing)}")
    return cls(
        **{key: _decode(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    )


def _decode(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _from_dict(typing.cast(type, hint), value, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        _require(isinstance(value, list | tuple), f"{where} must be a list")
        if args[-1] is not Ellipsis:
            _require(len(value) == len(args), f"{where} must have {len(args)} values")
        return tuple(_decode(args[0], item, where) for item in value)
    if origin is Literal:
        _require(value in args, f"{where} must be one of {', '.join(args)}, got {value!r}")
        return value
    if origin is types.UnionType:
        return None if value is None else _decode(args[0], value, where)
    accepted = (int, float) if hint is float else hint
    _require(
        isinstance(value, accepted) and (hint is bool or not isinstance(value, bool)),
        f"{where} must be of type {hint.__name__}, got {value!r}",
    )
    return hint(value)
