"""All that a training run is made of, which reads and writes config.json."""

import dataclasses
import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kerasgan.config.parts import (
    AdversaryConfig,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    OptimizerConfig,
)
from kerasgan.decoding import decode, parse_texts, require
from kerasgan.noise.base import Noise
from kerasgan.noise.salt_and_pepper import SaltAndPepper

Reconstruction = Literal["mse", "mae", "charbonnier", "rmse", "psnr"]
Phase = Literal["reconstruction", "discriminator", "both"]
Precision = Literal["float32", "float16", "bfloat16"]
# Far more than what a share of some epochs is off by, and far less than an epoch.
_ROUNDING = 1e-6


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
        start: the model whose generator training starts from, and the discriminator, too, where it
            is a run's and the same network; None starts from random weights.
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

        A phase that has a share of the epochs has one at least, where there are enough for all:
        first those in which the generator learns have theirs, and then the discriminator alone.

        Args:
            epoch: from 0 to epochs - 1.

        Returns:
            "reconstruction", the generator without the discriminator; "discriminator", that alone;
            or "both".
        """
        reconstruction, discriminator = self._epochs_apart()
        if epoch < reconstruction:
            return "reconstruction"
        return "discriminator" if epoch < reconstruction + discriminator else "both"

    def epochs_of(self, phase: Phase) -> int:
        """Counts the epochs of a phase."""
        return sum(self.phase(epoch) == phase for epoch in range(self.epochs))

    def _epochs_apart(self) -> tuple[int, int]:
        """How many epochs the generator learns alone in, and how many the discriminator."""
        own = self.adversary
        if not own.weight:
            return self.epochs, 0
        first = self._whole(own.begins)
        second = max(self._whole(own.begins + own.warmup) - first, math.ceil(own.warmup))
        # One is left for both.
        second = min(second, max(0, self.epochs - 1 - math.ceil(own.begins)))
        first = max(math.ceil(own.begins), min(first, self.epochs - 1 - second))
        return first, second

    def _whole(self, share: float) -> int:
        """How many whole epochs a share of the run is."""
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
        parts: dict[str, dict[str, Any]] = {}
        for key, value in changes.items():
            part, _, name = key.partition("__")
            if name:
                parts.setdefault(part, {})[name] = value
            else:
                own[key] = value
        for part, fields in parts.items():
            own[part] = dataclasses.replace(own.get(part, getattr(self, part)), **fields)
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
        values = _merged(self.to_dict(), changes)
        return typing.cast(RunConfig, decode(RunConfig, values, "config"))

    def with_settings(
        self, settings: Sequence[str], changes: Mapping[str, Any] | None = None
    ) -> "RunConfig":
        """Returns a copy with some values changed, as a person types them.

        Args:
            settings: "epochs=3", "generator.filters=24,48,96", "noise.level=0.1:0.9",
                "g_optimizer.ema_momentum=none", "data.flip=false".
            changes: others, as `changed` takes them; settings come after them.

        Returns:
            The changed copy.

        Raises:
            ValueError: as `changed` does, or if a text is no such setting.
        """
        changes = changes or {}
        texts: dict[str, Any] = {}
        for setting in settings:
            name, equals, text = setting.partition("=")
            part, dot, field = name.strip().rpartition(".")
            require(bool(equals), f"{setting!r} is no setting; write NAME=VALUE")
            owner = texts.setdefault(part, {}) if dot else texts
            require(isinstance(owner, dict), f"{part} is set as a whole, and then in parts")
            owner[field] = text.strip()
        if isinstance(texts.get("noise"), dict):
            kind = changes.get("noise", {}).get("kind", self.noise.kind)
            texts["noise"] = {"kind": kind, **texts["noise"]}
        return self.changed(_merged(changes, parse_texts(RunConfig, texts)))

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
        return typing.cast(RunConfig, decode(cls, values, "config"))


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Puts values in the place of others; another kind of noise takes nothing over."""
    merged = dict(values)
    for key, value in changes.items():
        known = merged.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            same = value.get("kind", known.get("kind")) == known.get("kind")
            value = {**(known if same else {}), **value}
        merged[key] = value
    return merged
