"""control.boundary.PortProfileProvider of a TOML file: what a product has, as somebody or something writes it down.

    kinds = ["802.1Qbh"]            # of these it manages all

    [[port_profile]]
    kind = "802.1Qbh"
    profile_id = "finance"

The file is read at each question, so what is exported anew holds at once. One that cannot be read has no answer: what
the product manages is not guessed. Ethernet's profiles are Fairlead's own, for what they say its hosts do themselves.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

import msgspec

from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.port_profile import KINDS, PortProfileKind, PortProfileSettings, QbgSettings, kind_of

MANAGED = (PortProfileKind.QBH, PortProfileKind.QBG, PortProfileKind.INFINIBAND)
"""Kinds that something outside of Fairlead can manage."""
_KEYS = ("kinds", "port_profile")


@dataclass(frozen=True, slots=True)
class _Contents:
    kinds: frozenset[PortProfileKind]
    profiles: tuple[PortProfileSettings, ...]


class ProfileFile:
    """The profiles that a file lists. Raises InvalidValue at once for one that is wrong from the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _read(path)

    def offered(self, kind: PortProfileKind) -> Sequence[PortProfileSettings] | None:
        """See PortProfileProvider.offered."""
        try:
            found = _read(self._path)
        except InvalidValue as wrong:
            raise Conflict(
                "no_answer", f"The list of port profiles has no answer. {wrong.message}"
            ) from wrong
        return [each for each in found.profiles if kind_of(each) is kind] if kind in found.kinds else None


def _read(path: Path) -> _Contents:
    try:
        contents = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(path, f"a file that can be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"TOML: {error}") from error
    if unknown := sorted(set(contents) - set(_KEYS)):
        raise _wrong(path, f"one with {unknown[0]}: it has {' and '.join(_KEYS)}")
    kinds = frozenset(_kind(path, word) for word in _listed(path, contents, "kinds"))
    profiles = tuple(_settings(path, table) for table in _listed(path, contents, "port_profile"))
    if stray := next((each for each in profiles if kind_of(each) not in kinds), None):
        raise _wrong(path, f"one with a profile of kind {kind_of(stray).value}: its kinds do not name that")
    return _Contents(kinds, profiles)


def _listed(path: Path, contents: Mapping[str, object], key: str) -> list[object]:
    found = contents.get(key, [])
    if not isinstance(found, list):
        raise _wrong(path, f"one with a list of {key}")
    return found


def _kind(path: Path, word: object) -> PortProfileKind:
    found = next((kind for kind in MANAGED if kind.value == word), None)
    if found is None:
        raise _wrong(path, f"one with kind {word!r}: it may be {', '.join(kind.value for kind in MANAGED)}")
    return found


def _settings(path: Path, table: object) -> PortProfileSettings:
    if not isinstance(table, dict):
        raise _wrong(path, "one with tables of [[port_profile]]")
    of_kind = KINDS[_kind(path, table.get("kind"))]
    said = {key: value for key, value in table.items() if key != "kind"}
    known = {field.name: field.default is MISSING for field in fields(of_kind)}
    if issubclass(of_kind, QbgSettings):
        # A product knows types; the instances are ports.
        del known["instance_id"]
    wrong = [key for key in said if key not in known]
    missing = [key for key, is_needed in known.items() if is_needed and key not in said]
    if wrong or missing:
        what = f"with {wrong[0]}" if wrong else f"without {missing[0]}"
        raise _wrong(path, f"one of profiles {what}: those of kind {table['kind']} have {', '.join(known)}")
    try:
        return msgspec.convert(said, type=of_kind)
    except msgspec.ValidationError as error:
        raise _wrong(path, f"one of valid profiles: {error}") from error
    except InvalidValue as error:
        raise _wrong(path, f"one of valid profiles. {error.message.rstrip('.')}") from error


def _wrong(path: Path, expected: str) -> InvalidValue:
    return InvalidValue("port_profile_file", str(path), expected)
