"""Damage to files, decided by a random number generator alone."""

import io
import json
import struct
import zipfile
import zlib

# Numbers at which readers stumble, as they stand in headers.
_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEADER = 256


def truncate(random, content):
    return content[: random.randrange(len(content) or 1)]


def flip_bits(random, content):
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def splice(random, content):
    """Moves, repeats, leaves out or invents a piece."""
    start, end = sorted(random.randrange(len(content) + 1) for _ in range(2))
    end = min(end, start + 4096)
    place = random.randrange(len(content) + 1)
    piece = random.choice((content[start:end], b"", random.randbytes(end - start)))
    return content[:place] + piece + content[random.choice((place, end)) :]


def lie_in_header(random, content):
    """Writes another number over one near the beginning or the end, where formats keep sizes."""
    changed = bytearray(content)
    start = random.choice((0, 0, max(0, len(content) - _HEADER)))
    for _ in range(random.choice((1, 1, 2, 4))):
        form = random.choice("<>") + random.choice("BHI")
        size = struct.calcsize(form)
        place = start + random.randrange(max(1, min(_HEADER, len(content) - start) - size))
        number = random.choice((*_EDGES, random.getrandbits(32))) % 2 ** (8 * size)
        changed[place : place + size] = struct.pack(form, number)
    return bytes(changed)


def change_json(random, content):
    """Puts what is not expected in the place of one value, or leaves a key out."""
    try:
        return _changed(random, json.loads(content))
    except (ValueError, RecursionError):
        return flip_bits(random, content)


def _changed(random, value):
    places = list(_places(value))
    if not places:
        return b"[]"
    for _ in range(random.choice((1, 1, 1, 3))):
        parent, key = random.choice(places)
        if random.random() < 0.2 and isinstance(parent, dict):
            parent.pop(key, None)
        elif isinstance(parent, dict) or key < len(parent):
            parent[key] = random.choice(_VALUES)(random)
    text = json.dumps(value)
    # What json.dumps writes no value for.
    for mark, raw in _RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text.encode()


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


_RAW = {"DEEP": "[" * 100_000 + "]" * 100_000, "LONG": "9" * 5000, "LARGE": "9" * 400}
_VALUES = (
    lambda random: random.choice((None, True, False, [], {}, "", "x", "../x", "\0", "é\ud800")),
    lambda random: random.choice((0, -1, -8, 1, 2, 3, 64, 10**6, 2**31, 2**63, 2**64)),
    lambda random: random.choice((0.5, -0.0, 1e308, float("inf"), float("nan"))),
    lambda random: random.choice(tuple(_RAW)),
    lambda random: random.choice(([1] * 5, {"a": {"b": []}}, [[]], ["x"], [None], "x" * 10_000)),
)


def change_zip(random, content):
    """Changes one member of a zip file, or how it is stored."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old:
            members = {name: old.read(name) for name in old.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError, zlib.error):
        return flip_bits(random, content)
    name = random.choice(list(members))
    what = random.random()
    if what < 0.1:
        del members[name]
    elif what < 0.2:
        members[name] = b"[" * 100_000
    elif what < 0.25:
        members[name] = b" " * 2**26
    elif name.endswith(".json"):
        members[name] = random.choice((change_json, change_json, flip_bits))(random, members[name])
    else:
        members[name] = random.choice((truncate, flip_bits, lie_in_header))(random, members[name])
    new = io.BytesIO()
    with zipfile.ZipFile(new, "w", random.choice((0, zipfile.ZIP_DEFLATED))) as archive:
        for member, inner in members.items():
            archive.writestr(zipfile.ZipInfo(member), inner, archive.compression)
    damaged = bytearray(new.getvalue())
    if random.random() < 0.2:
        # Encrypted, by the flags of the first entry of the directory.
        damaged[damaged.index(b"PK\1\2") + 8] |= 1
    return bytes(damaged)


BYTES = (truncate, flip_bits, splice, lie_in_header)
JSON = (change_json, change_json, change_json, flip_bits, truncate, splice)
ZIP = (change_zip, change_zip, *BYTES)
