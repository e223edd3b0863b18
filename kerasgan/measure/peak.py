"""How fast this machine multiplies: what the speed of a network is a share of."""

import os
import subprocess
import sys

# What limits the threads of NumPy's BLAS, whichever that is; it is read when NumPy is imported.
_LIMITS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_PROGRAM = """
import time
import numpy as np

extent = 512
matrix = np.ones((extent, extent), np.float32)
product = matrix @ matrix
times = []
for _ in range(100):
    started = time.perf_counter()
    np.matmul(matrix, matrix, out=product)
    times.append(time.perf_counter() - started)
print(2 * extent**3 / min(times) / 1e9)
"""


def peak_gflops(threads: int) -> float:
    """Measures the fastest product of matrices that NumPy makes, in a process of its own.

    Args:
        threads: how many threads it may use.

    Returns:
        10⁹ operations a second, float32: the best of 100 products of 512 × 512, each so short that
        one has the processors to itself on a machine that has other work, too. A
        multiply-accumulate is two operations.
    """
    limits = dict.fromkeys(_LIMITS, str(threads))
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(
        command, env={**os.environ, **limits}, check=True, capture_output=True, text=True
    )
    return float(done.stdout)
