"""From texts and JSON to dataclasses, with messages that name what does not fit."""

import contextlib
import dataclasses
import difflib
import re
import types
import typing
from typing import Any, Literal

from kerasgan.noise.base import Noise
from kerasgan.noise.kinds import noise_of


def require(condition: bool, message: str) -> None:
    """Raises a ValueError where a condition does not hold."""
    if not condition:
        raise ValueError(message)


def decode(cls: type, values: Any, where: str) -> Any:
    """Makes a dataclass of what JSON or TOML held.

    Args:
        cls: the dataclass, whose fields are numbers, texts, tuples, choices, other dataclasses, a
            `Noise`, or None.
        values: a dictionary.
        where: what it is called in messages.

    Returns:
        The object.

    Raises:
        ValueError: naming the first key that is missing, unknown or of the wrong type.
    """
    require(isinstance(values, dict), f"{where} must be an object")
    if cls is Noise:
        require(isinstance(values.get("kind"), str), f"{where} lacks its kind")
        cls = noise_of(values["kind"])
        values = {name: value for name, value in values.items() if name != "kind"}
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    # What has a default may be missing: older files do not know it.
    needed = {field.name for field in fields if field.default is dataclasses.MISSING}
    known = [field.name for field in fields]
    unknown = [name for name in values if name not in known]
    missing = sorted(needed - values.keys())
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), known, 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"{where} has an unknown key {unknown[0]}; {hint}")
    require(not missing, f"{where} lacks {', '.join(missing)}")
    return cls(
        **{key: _decode_value(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    )


def _decode_value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(type, hint), value, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if args[-1] is not Ellipsis and isinstance(value, int | float):
            value = (value,) * len(args)
        require(isinstance(value, list | tuple), f"{where} must be a list")
        if args[-1] is not Ellipsis:
            require(len(value) == len(args), f"{where} must have {len(args)} values")
        return tuple(_decode_value(args[0], item, where) for item in value)
    if origin is Literal:
        require(value in args, f"{where} must be one of {', '.join(args)}, got {value!r}")
        return value
    if origin is types.UnionType:
        return None if value is None else _decode_value(args[0], value, where)
    if isinstance(value, int):
        require(abs(value) < 2**53, f"{where} is too large")
    accepted = (int, float) if hint is float else hint
    require(
        isinstance(value, accepted) and (hint is bool or not isinstance(value, bool)),
        f"{where} must be of type {hint.__name__}, got {value!r}",
    )
    return hint(value)


def parse_texts(hint: Any, value: Any) -> Any:
    """Reads what a person typed as the types that belong there, as far as it can be.

    Args:
        hint: the type, as an annotation.
        value: the text; or, for a dataclass, texts by the names of fields.

    Returns:
        What `decode` takes; a text that cannot be read stays one.
    """
    if isinstance(value, dict):
        cls = noise_of(value["kind"]) if hint is Noise else hint
        hints = typing.get_type_hints(cls) if dataclasses.is_dataclass(cls) else {}
        return {name: parse_texts(hints.get(name), text) for name, text in value.items()}
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        pieces = [parse_texts(args[0], piece) for piece in re.split("[,:]", value)]
        return pieces if len(pieces) > 1 else pieces[0]
    if origin is types.UnionType:
        return None if value.lower() == "none" else parse_texts(args[0], value)
    if hint is bool and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if hint in (int, float):
        with contextlib.suppress(ValueError):
            return hint(value)
    return value
