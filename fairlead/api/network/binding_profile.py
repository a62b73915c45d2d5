"""binding:profile: the keys that an operator may write, and those that only the system writes."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.api.bodies import InvalidField
from fairlead.model.port import Port

_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a whole profile says: a key that is absent asks for nothing."""

    trusted: bool = False
    vlan_priority: int = 0


def read(profile: Mapping[str, object], written: Mapping[str, str]) -> Wishes:
    """The wishes in a profile that a client sent. `written` is what the system wrote: it may come back as it
    is. Raises InvalidField that names the key.
    """
    for key, value in profile.items():
        if key not in ("trusted", "vlan_priority") and written.get(key) != value:
            raise InvalidField(
                f"Invalid input for binding:profile. Reason: '{key[:80]}' is not a key that can be set here; "
                "these are: trusted, vlan_priority. Fairlead chooses the VF; a server's host or an alias says "
                "which may do.",
                field="binding:profile",
            )
    return Wishes(_trusted(profile.get("trusted", False)), _vlan_priority(profile.get("vlan_priority", 0)))


def shown(port: Port, written: Mapping[str, str]) -> dict[str, object]:
    """The profile as clients see it."""
    profile: dict[str, object] = dict(written)
    if port.trusted:
        profile["trusted"] = True
    if port.vlan_priority:
        profile["vlan_priority"] = port.vlan_priority
    return profile


def _trusted(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUTHS:
        return _TRUTHS[value.lower()]
    raise InvalidField("Invalid input for binding:profile. Reason: trusted is true or false.")


def _vlan_priority(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31:
        return value
    if isinstance(value, str) and len(value) == 1 and value.isascii() and value.isdigit():
        return int(value)
    raise InvalidField("Invalid input for binding:profile. Reason: vlan_priority is a number of 0 to 7.")
