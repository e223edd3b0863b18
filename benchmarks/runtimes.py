"""The same weights in LiteRT, ONNX Runtime and PyTorch, by turns, in one go.

    kerasgan export selective-fer2013 --tflite --size 48x48 --size 480x640 -o bundle
    python benchmarks/runtimes.py bundle [--rounds 20]

Of a bundle of the architecture `selective`: all its files in all their sizes, one picture at a
time, half of it noise, and beside them the reference's generator, with random weights. Outputs of
floats must agree within 1e-4. Milliseconds are of the processor over how many threads there are,
which another load disturbs less than the wall clock; ratios are medians of those of single rounds,
which end after a minute, or after three of them. ONNX Runtime and PyTorch are of the dependency
group `benchmarks`.
"""

import os
import re
import tempfile
import time
import zipfile
from pathlib import Path

# Reads the weights; TensorFlow and PyTorch do not stand each other in one process.
os.environ["KERAS_BACKEND"] = "torch"

import click
import keras
import numpy as np
import onnxruntime
import torch
from keras import layers
from pytorch_steps import ClassicGenerator, SelectiveGenerator

from kerasgan.restore.files import load_files
from kerasgan.restore.tiling import Window
from kerasgan.store.bundle import Bundle

TOLERANCE = 1e-4
LAST = "residual"
LONGEST_SECONDS, FEWEST_ROUNDS = 60, 3


def in_order(generator, kind):
    """A generator's layers of one kind, in the order in which they were made; not the last one."""
    found = [layer for layer in generator.layers if type(layer) is kind and layer.name != LAST]
    return sorted(found, key=lambda layer: int((re.findall(r"_(\d+)$", layer.name) or [0])[0]))


def read_generator(path, folder):
    """Reads a .keras file as PyTorch's Keras can, which has no synchronized normalisation."""
    copy = folder / path.name
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                content = content.replace(b'"synchronized": true', b'"synchronized": false')
            target.writestr(name, content)
    return keras.models.load_model(copy, compile=False)


def to_pytorch(generator):
    """A network in PyTorch with the weights of a Keras one."""
    kinds = (layers.Conv2D, layers.Conv2DTranspose, layers.BatchNormalization)
    convs, transposed, norms = (iter(in_order(generator, kind)) for kind in kinds)
    residual = generator.get_layer(LAST)
    halving = [layer for layer in in_order(generator, layers.Conv2D) if layer.strides == (2, 2)]
    widths = [layer.filters for layer in halving]
    network = SelectiveGenerator(residual.input.shape[-1], *widths).eval()
    blocks = [*network.before]
    made = [network.stem]
    for level, down in enumerate(network.down):
        made += [blocks[level].first, blocks[level].second, down]
    made += [blocks[-1].first, blocks[-1].second]
    for level in reversed(range(len(network.up))):
        made += [network.up[level], network.after[level].first, network.after[level].second]
    with torch.no_grad():
        for convolution, norm in (*made, network.enlarge, network.inside, network.beside):
            is_transposed = isinstance(convolution, torch.nn.ConvTranspose2d)
            copy_kernel(next(transposed if is_transposed else convs), convolution)
            own = next(norms)
            norm.eps = own.epsilon
            for name, weight in (
                ("weight", own.gamma),
                ("bias", own.beta),
                ("running_mean", own.moving_mean),
                ("running_var", own.moving_variance),
            ):
                getattr(norm, name).copy_(torch.tensor(keras.ops.convert_to_numpy(weight)))
        copy_kernel(residual, network.residual)
        network.residual.bias.copy_(torch.tensor(keras.ops.convert_to_numpy(residual.bias)))
    return network


def copy_kernel(layer, convolution):
    kernel = keras.ops.convert_to_numpy(layer.kernel).transpose(3, 2, 0, 1)
    convolution.weight.copy_(torch.tensor(kernel))


def in_runtimes(network, file, noisy, threads):
    """Functions that run a network of PyTorch on a picture (1, H, W, 1), by runtime; (H, W)."""
    turned = torch.from_numpy(np.moveaxis(noisy, -1, 1).copy())
    if not file.exists():
        torch.onnx.export(network, (turned,), file, input_names=["noisy"], verbose=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def by_pytorch():
        with torch.inference_mode():
            return network(turned)[0, 0].numpy()

    return {
        "ONNX Runtime": lambda: session.run(None, {"noisy": turned.numpy()})[0][0, 0],
        "PyTorch": by_pytorch,
    }


def candidates(bundle, network, reference, folder, noisy, threads):
    """Functions that restore the picture (1, H, W, 1), by name; each gives (H, W)."""
    size = "x".join(map(str, noisy.shape[1:3]))
    functions = in_runtimes(network, folder / f"{size}.onnx", noisy, threads)
    for precision, model in load_files(bundle, threads=threads):
        if noisy.shape[1:3] in model.sizes.values():
            functions[f"LiteRT {precision}"] = by_litert(model, noisy[0])
    others = in_runtimes(reference, folder / f"{size}-reference.onnx", noisy, threads)
    return functions | {f"the reference's in {runtime}": run for runtime, run in others.items()}


def by_litert(model, noisy):
    window = Window(*noisy.shape[:2], 0, 1)
    pixels = np.rint(noisy * 255).astype(np.uint8)
    return lambda: model.run(pixels, window)[..., 0]


def compare(functions, picture, threads, rounds):
    answers = {name: function() for name, function in functions.items()}
    for name in ("PyTorch", "LiteRT float32"):
        apart = np.abs(answers.get(name, 0) - answers["ONNX Runtime"]).max()
        if name in answers and not apart <= TOLERANCE:
            raise SystemExit(f"{name} differs from ONNX Runtime by {apart:.1e}")
    times = {name: [] for name in functions}
    began = time.perf_counter()
    for number in range(rounds):
        if number >= FEWEST_ROUNDS and time.perf_counter() - began > LONGEST_SECONDS:
            break
        for name, function in functions.items():
            started = time.process_time()
            function()
            times[name].append((time.process_time() - started) * 1000 / threads)
    reference = np.array(times["ONNX Runtime"])
    for name, own in times.items():
        low, high = np.percentile(own, (10, 90))
        print(
            f"| {picture} | {threads} | {name} | {np.median(own):.1f} | {low:.1f}–{high:.1f} | "
            f"{np.median(own / reference):.2f} |",
            flush=True,
        )


@click.command()
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", default=20, show_default=True)
def main(bundle, rounds):
    bundle = Bundle.read(bundle)
    print("| picture | threads | runtime | ms | 10–90 % | of ONNX Runtime's |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        network = to_pytorch(read_generator(bundle.generator, Path(folder)))
        reference = ClassicGenerator().eval()
        for height, width in bundle.manifest["signatures"].values():
            random = np.random.default_rng(0)
            noisy = random.integers(1, 255, (1, height, width, 1)) / 255
            draw = random.random(noisy.shape)
            noisy = np.where(draw < 0.5, draw < 0.25, noisy).astype(np.float32)
            for threads in (1, 2):
                torch.set_num_threads(threads)
                functions = candidates(bundle, network, reference, Path(folder), noisy, threads)
                compare(functions, f"{width}×{height}", threads, rounds)


if __name__ == "__main__":
    main()
