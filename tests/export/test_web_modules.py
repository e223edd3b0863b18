"""What the page's modules say and compute is what Python does; no browser is needed."""

import json
import subprocess

import numpy as np
import pytest
from skimage import data

from kerasgan.noise.kinds import KINDS
from kerasgan.noise.noisy import noisy_image
from kerasgan.restore.inspection import inspect
from kerasgan.restore.litert import overlap
from tests.export.test_web import SOURCE, missing, skip_unless_in_ci
from tests.helpers import smooth_image
from tests.restore.test_inspection import CLEAN, letters, page, with_impulses


def pictures():
    """Pictures of all kinds, by names that say what to look at where one differs."""
    for name, clean in CLEAN.items():
        yield name, clean
        for share in (0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 0.95, 1.0):
            yield f"{name}, {share}", with_impulses(clean, share)
    for salt in (0.0, 0.25, 1.0):
        yield f"colour, salt {salt}", with_impulses(CLEAN["colour"], 0.2, salt=salt)
    for share in (0.02, 0.2, 0.8):
        yield f"apart {share}", with_impulses(CLEAN["colour"], share, together=False)
    for size in (9, 12, 20, 40):
        for share in (0.0, 0.01, 0.05, 0.2, 0.4):
            yield f"page of {size}, {share}", with_impulses(page(size=size), share)
    for height, width in [(1, 1), (1, 300), (300, 1), (7, 9), (8, 8), (15, 16), (20, 30), (64, 48)]:
        for channels in (1, 3):
            name = f"{height}×{width}×{channels}"
            clean = smooth_image(2, height, width, channels)
            yield name, clean
            for share in (0.1, 0.5, 0.9):
                yield f"{name}, {share}", with_impulses(clean, share)
    # Above what is looked at as a whole, in all formats.
    for height, width in [(725, 724), (100, 6000), (6000, 100), (1500, 2000), (513, 1025)]:
        for channels in (1, 3):
            clean, name = smooth_image(3, height, width, channels), f"{height}×{width}×{channels}"
            yield f"large {name}", clean
            yield f"large {name}, 0.02", with_impulses(clean, 0.02)
    rocket = data.rocket()
    for share in (0.0, 0.005, 0.3):
        yield f"rocket, {share}", with_impulses(rocket, share)
    for kind, noise in KINDS.items():
        for level in noise.usual_levels:
            for name in ("colour", "grey", "dark"):
                noisy = noisy_image(CLEAN[name] / np.float32(255), noise(level))
                yield f"{kind} {level}, {name}", np.rint(255 * noisy).astype(np.uint8)
    for paper, ink, size in ((235, 30, 11), (245, 20, 11), (220, 50, 11), (250, 10, 18)):
        yield f"letters, {paper}", letters(paper, ink, size)
    random = np.random.default_rng(0)
    for value in (0, 1, 127, 254, 255):
        yield f"all {value}", np.full((40, 50, 1), value, np.uint8)
    for most in (2, 3, 256):
        values = random.integers(0, most, (90, 80, 1)) * (255 // (most - 1))
        yield f"{most} values", values.astype(np.uint8)
    # Shares that lie between two that are written.
    for black in (1, 3, 5):
        eighths = np.full((8, 50, 1), 100, np.uint8)
        eighths[:black] = 0
        yield f"{black} of 8", eighths


def node(*arguments):
    """What a script prints that Node.js runs, as JSON."""
    if (reason := missing()) is not None:
        skip_unless_in_ci(reason)
    command = ["node", *arguments]
    result = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the page's TypeScript says of each picture."""
    folder, named = tmp_path_factory.mktemp("pictures"), dict(pictures())
    kinds = list(KINDS)
    asked = [
        {
            **dict(zip(("height", "width", "channels"), map(int, pixels.shape), strict=True)),
            # Every kind of model is asked about every kind of picture, by turns.
            "noise": "salt-and-pepper" if i % 2 else kinds[i // 2 % len(kinds)],
            "knowsPages": i % 4 == 1,
        }
        for i, pixels in enumerate(named.values())
    ]
    (folder / "pictures.json").write_text(json.dumps(asked))
    (folder / "pixels.raw").write_bytes(b"".join(pixels.tobytes() for pixels in named.values()))
    answers = node("tests/inspect.mjs", folder)
    assert len(answers) == len(named) > 300
    return [
        (name, pixels, (asked["noise"], asked["knowsPages"]), answer)
        for (name, pixels), asked, answer in zip(named.items(), asked, answers, strict=True)
    ]


def test_the_page_says_of_every_picture_what_python_says(told):
    kinds, objections = set(), set()
    for name, pixels, asked, answer in told:
        found = inspect(pixels)
        shares = {key: getattr(found.impulses, key) for key in answer["impulses"]}
        assert answer["impulses"] == pytest.approx(shares, rel=1e-12, abs=0), name
        assert answer["look"] == found.kind, name
        # Python adds up float32 there.
        assert answer["sigma"] == pytest.approx(found.sigma, rel=1e-5), name
        assert answer["sentence"] == found.sentence, name
        assert answer["objection"] == found.objection(*asked), name
        kinds.add(found.kind)
        objections.add((asked[0], answer["objection"] is None))
    assert kinds == {
        "clean",
        "salt-and-pepper",
        "impulses",
        "gaussian",
        "signal-dependent",
        "unknown",
    }
    # A mixture may look like anything.
    answers = {(kind, answer) for kind in KINDS for answer in (True, False)}
    assert objections == answers - {("mixed", False)}


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (48, 64), (256, 256), (1024, 512)])
@pytest.mark.parametrize("multiple", [1, 4, 8])
def test_tiles_overlap_as_the_manifest_tells_or_as_bundles_of_before_do(size, multiple):
    manifests = [
        {"signatures": {"denoise": size}, "multiple": multiple, **told}
        for told in (
            {},
            {"reach": 14},
            {"reach": 14, "overlap": {"denoise": overlap(size, multiple, 14)}},
            {"reach": 14, "overlap": {"denoise": 6}},
        )
    ]
    script = """
        const { module } = await import("vite").then(({ runnerImport }) =>
            runnerImport("./src/tiling.ts", { configFile: false, logLevel: "error" }));
        const manifests = JSON.parse(process.argv[1]);
        console.log(JSON.stringify(manifests.map((each) => module.windowFor(2000, 2000, each))));
    """
    windows = node("--input-type=module", "-e", script, json.dumps(manifests))
    assert {(window["height"], window["width"]) for window in windows} == {size}
    unknown, known = (overlap(size, multiple, reach) / 2 for reach in (None, 14))
    assert [window["margin"] for window in windows] == [unknown, known, known, 3]
