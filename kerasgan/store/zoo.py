"""The models that come with kerasgan: bundles in saved_models/, known by their names."""

from pathlib import Path

from kerasgan.errors import ModelError
from kerasgan.store.bundle import Bundle, is_bundle

# Inside the package where it was installed from a wheel, beside it in a clone.
_PACKAGE = Path(__file__).parents[1]
# For salt and pepper on photographs, the same on pages, screens and drawings, impulses that are not
# pure black and white, Gaussian noise, and that of cameras: between them, for pictures of any
# subject.
GENERAL_MODELS = (
    "selective-photos",
    "selective-pages",
    "impulses-photos",
    "gaussian-photos",
    "camera-photos",
)
DEFAULT_MODEL, PAGES_MODEL, IMPULSES_MODEL, GAUSSIAN_MODEL, CAMERA_MODEL = GENERAL_MODELS
_FOLDERS = (_PACKAGE / "saved_models", _PACKAGE.parent / "saved_models")


def saved_models() -> dict[str, Path]:
    """Lists the models that come with kerasgan.

    Returns:
        The folder of each bundle by its name, sorted.
    """
    folders = (path for root in _FOLDERS if root.is_dir() for path in root.iterdir())
    return {path.name: path for path in sorted(folders) if is_bundle(path)}


def find_model(model: str | Path) -> Path:
    """Turns what a user calls a model into a path.

    Args:
        model: a path, or the name of a saved model; a path that exists comes first.

    Returns:
        The path, which may not exist where `model` is no name.
    """
    path = Path(model)
    return path if path.exists() else saved_models().get(str(model), path)


def saved_name(path: Path) -> str | None:
    """Returns the name of the saved model that stands at a path; None if that is none of them."""
    names = (name for name, folder in saved_models().items() if folder.samefile(path))
    return next(names, None) if path.exists() else None


def read_saved_model(name: str) -> Bundle:
    """Reads a saved model's manifest.

    Args:
        name: its name.

    Returns:
        The bundle.

    Raises:
        ModelError: if there is no such model; the message names those that there are.
    """
    models = saved_models()
    if name not in models:
        raise ModelError(f"no saved model {name!r}; there are {', '.join(models) or 'none'}")
    return Bundle.read(models[name])
