"""The page that restores pictures in a browser, ready for any server of files."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasgan.errors import ModelError, OutputError
from kerasgan.store.bundle import MANIFEST, Bundle
from kerasgan.store.files import atomic_folder, check_folder
from kerasgan.store.purpose import description

# What `npm run build` makes of export/web; a wheel carries it.
_BUILT = Path(__file__).parents[1] / "web"
_INDEX, _WORKER, _BUNDLE = "index.html", "sw.js", "bundle"
_OF_BUNDLES = re.compile(rf"{_BUNDLE}(-\d+)?")
# What lists the bundles of a page: their folders, and what they are for.
_LIST = "bundles.json"
# What LiteRT.js takes: no shapes that are open, and no signed bytes.
_PRECISIONS, _TYPES = ("int8", "dynamic", "float16", "float32"), ("float32", "uint8")


def check_page(folder: Path, *, overwrite: bool = False) -> None:
    """Checks that the page can be written, before what goes into it is made.

    Args:
        folder: where to.
        overwrite: whether a page that stands there may be replaced.

    Raises:
        OutputError: if this kerasgan comes without the page, or something else stands there.
    """
    if not (_BUILT / _INDEX).is_file():
        raise OutputError(
            "this kerasgan was installed without the page, which a wheel carries; build it in a "
            "clone, by Node.js, and install that: npm ci --prefix export/web && "
            "npm run build --prefix export/web && pip install ."
        )

    def own() -> set[str]:
        if not all((folder / part).exists() for part in (_INDEX, _WORKER, _BUNDLE)):
            return set()
        parts = {part.name for part in folder.iterdir()}
        bundles = set(filter(_OF_BUNDLES.fullmatch, parts))
        return {_LIST, *bundles, *(part.name for part in _BUILT.iterdir())}

    check_folder(folder, own, "page", overwrite=overwrite)


def write_page(bundles: Sequence[Bundle], folder: Path, *, overwrite: bool = False) -> None:
    """Writes the page, LiteRT's WebAssembly, and what of bundles browsers can run.

    Args:
        bundles: whose generators the page offers; it begins with the first.
        folder: where to.
        overwrite: whether a page that stands there may be replaced.

    Raises:
        ModelError: if no file of a bundle can be run by browsers, or one is damaged.
        OutputError: if the page cannot be written there.
    """
    check_page(folder, overwrite=overwrite)
    entries_of = [runnable(bundle) for bundle in bundles]
    with atomic_folder(folder) as made:
        shutil.copytree(_BUILT, made, dirs_exist_ok=True)
        listed = []
        for count, (bundle, entries) in enumerate(zip(bundles, entries_of, strict=True), start=1):
            place = made / (_BUNDLE if count == 1 else f"{_BUNDLE}-{count}")
            place.mkdir()
            for entry in entries.values():
                shutil.copyfile(bundle.checked_file(entry), place / entry["file"])
            _write_json(place / MANIFEST, {**bundle.manifest, "files": entries})
            title = f"{description(bundle)} ({bundle.path.resolve().name})"
            listed.append({"folder": place.name, "title": title})
        _write_json(made / _LIST, listed)


def runnable(bundle: Bundle) -> dict[str, Any]:
    """Finds those files of a bundle that browsers can run.

    Args:
        bundle: the bundle.

    Returns:
        Their entries in its manifest, by precision.

    Raises:
        ModelError: if there is none.
    """
    entries = {
        name: entry
        for name in _PRECISIONS
        if (entry := bundle.manifest["files"].get(name)) is not None
        and all(entry[side]["dtype"] in _TYPES for side in ("input", "output"))
    }
    if not entries:
        raise ModelError(
            f"{bundle.path} holds nothing that browsers can run: they need a file for fixed sizes "
            "that takes floats or, made with --io uint8 as by default, bytes"
        )
    return entries


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
