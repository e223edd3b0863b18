"""The page that restores pictures in a browser, ready for any server of files."""

import json
import shutil
from pathlib import Path

from kerasgan.errors import ModelError, OutputError
from kerasgan.store.bundle import MANIFEST, Bundle
from kerasgan.store.files import atomic_folder

# What `npm run build` makes of export/web; a wheel carries it.
_BUILT = Path(__file__).parents[1] / "web"
_INDEX, _WORKER, _BUNDLE = "index.html", "sw.js", "bundle"
# LiteRT.js takes no signed bytes and no shapes that are open, and is slow on the other precisions.
_PRECISIONS, _TYPES = ("int8", "float32"), ("float32", "uint8")


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
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder")
    if folder.resolve() == Path.cwd():
        raise OutputError("the current folder cannot be replaced; name a new one")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not all((folder / part).exists() for part in (_INDEX, _WORKER, _BUNDLE)):
        raise OutputError(f"{folder} holds something else than a page; choose another folder")
    if not overwrite:
        raise OutputError(f"{folder} holds a page already; choose another folder, or --overwrite")


def write_page(bundle: Bundle, folder: Path, *, overwrite: bool = False) -> None:
    """Writes the page, LiteRT's WebAssembly, and what of a bundle browsers can run.

    Args:
        bundle: whose generator the page runs.
        folder: where to.
        overwrite: whether a page that stands there may be replaced.

    Raises:
        ModelError: if no file of the bundle can be run by browsers, or one is damaged.
        OutputError: if the page cannot be written there.
    """
    check_page(folder, overwrite=overwrite)
    entries = {
        name: entry
        for name in _PRECISIONS
        if (entry := bundle.manifest["files"].get(name)) is not None
        and all(entry[side]["dtype"] in _TYPES for side in ("input", "output"))
    }
    if not entries:
        raise ModelError(
            f"{bundle.path} holds nothing that browsers can run: they need float32.tflite, or "
            "int8.tflite made with --io uint8, as kerasgan export does unless told otherwise"
        )
    with atomic_folder(folder) as made:
        shutil.copytree(_BUILT, made, dirs_exist_ok=True)
        (made / _BUNDLE).mkdir()
        for entry in entries.values():
            shutil.copyfile(bundle.checked_file(entry), made / _BUNDLE / entry["file"])
        manifest = json.dumps({**bundle.manifest, "files": entries}, indent=2)
        (made / _BUNDLE / MANIFEST).write_text(manifest + "\n", encoding="utf-8")
