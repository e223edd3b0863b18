"""How the numbers in a .tflite file's tensors stand for values."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasgan.images.pixels import Pixels


@dataclass(frozen=True)
class Quantization:
    """How a tensor's numbers stand for values: value = scale · (number - zero_point).

    Attributes:
        dtype: "float32", "uint8" or "int8".
        scale: 0 for float tensors, whose numbers are the values.
        zero_point: 0 for float tensors.
    """

    dtype: str
    scale: float
    zero_point: int

    def quantize(self, values: Pixels) -> Pixels:
        """Turns values in [0, 1] into the tensor's numbers."""
        if not self.scale:
            return values.astype(np.float32)
        limits = np.iinfo(self.dtype)
        numbers = np.rint(values / self.scale) + self.zero_point
        return np.clip(numbers, limits.min, limits.max).astype(self.dtype)

    def dequantize(self, numbers: Pixels) -> Pixels:
        """Turns the tensor's numbers into values, float32."""
        if not self.scale:
            return numbers
        return (numbers.astype(np.float32) - self.zero_point) * np.float32(self.scale)


def quantization_of(detail: dict[str, Any]) -> Quantization:
    """Reads how a tensor is quantised.

    Args:
        detail: LiteRT's description of the tensor.

    Returns:
        The quantisation.
    """
    scale, zero_point = detail["quantization"]
    return Quantization(np.dtype(detail["dtype"]).name, float(scale), int(zero_point))
