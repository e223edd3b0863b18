"""What pages of results share."""

from collections.abc import Iterator, Mapping
from typing import Any

import jinja2


def render(template: str, **context: Any) -> str:
    """Fills a template of this package, escaping what is put in."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kerasgan.measure"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**context)


def flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Lists nested values by their dotted names."""
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
