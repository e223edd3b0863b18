"""Which of a bundle's files restores a picture."""

from kerasgan.store.bundle import Bundle

# What a bundle's Keras model is called beside the names of its files.
IN_KERAS = "keras"
# Which file of a bundle restores pictures of 8 bits, and of more: the first of these that it has.
# Of one network and size, dynamic takes as long as int8 and is nearer to Keras; floats take twice
# as long (docs/decisions.md).
_OF_8_BITS = ("dynamic", "int8", "float16", "float32", "any-size")
_DEEPER = ("float32", "float16", "dynamic", "any-size")
PRECISIONS = (IN_KERAS, *_DEEPER, "int8")


def preferred(bundle: Bundle) -> tuple[str, str]:
    """Chooses who restores pictures.

    Args:
        bundle: what there is to choose among.

    Returns:
        The precisions for pictures of 8 bits, where speed comes first, and for others, where
        exactness does; Keras where there is no file that takes them.
    """
    files = bundle.manifest["files"]
    return (
        next((name for name in _OF_8_BITS if name in files), IN_KERAS),
        next((name for name in _DEEPER if name in files), IN_KERAS),
    )
