"""What is trained: networks, losses, optimizers, and the GAN of them."""

import os
import sys

from kerasgan.errors import ModelError

_backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if "keras" in sys.modules:
    _backend = sys.modules["keras"].backend.backend()
if _backend != "tensorflow":
    raise ModelError(
        f"Keras runs on {_backend}, and kerasgan trains on TensorFlow: set KERAS_BACKEND to "
        "tensorflow, or unset it"
    )
