"""`key=value,key=value` texts of options, checked against the keys that are known."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

import click

_NONE: Mapping[str, str] = MappingProxyType({})


def parse_pairs(
    option: str, text: str, known: Collection[str] | None = None, synonyms: Mapping[str, str] = _NONE
) -> dict[str, str]:
    """The pairs of one option, keys with underscores; raises click's usage error that names the wrong key.

    `known` None: any key is taken as it stands. `synonyms` are other words for known keys.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        name = key.strip() if known is None else key.strip().replace("-", "_")
        name = synonyms.get(name, name)
        if not equals or not name or not value.strip():
            raise click.UsageError(f"{option}: '{part}' is not key=value.")
        if known is not None and name not in known:
            words = ", ".join(word.replace("_", "-") for word in sorted(known))
            raise click.UsageError(f"{option}: '{key}' is not a key. Known are: {words}.")
        if name in found:
            raise click.UsageError(f"{option}: '{key}' is given twice.")
        found[name] = value.strip()
    return found


def parse_labels(option: str, texts: Collection[str]) -> dict[str, str]:
    """The pairs of an option that is given once for each pair."""
    found: dict[str, str] = {}
    for text in texts:
        found |= parse_pairs(option, text)
    return found
