"""`extra_dhcp_opts` of a port: what may be said, and how what is said anew changes what was.

Neutron's rules (neutron_lib.api.definitions.extra_dhcp_opt): a change names options one by one and leaves the others; a
value of null takes one away.
"""

from dataclasses import dataclass

from fairlead.model.dhcp_option import MAY_BE_BLANK, DhcpOption, check
from fairlead.model.errors import InvalidValue

FIELD = "extra_dhcp_opts"
MOST_OPTIONS = 64
_LONGEST_NAME, _LONGEST_VALUE = 64, 255


@dataclass(frozen=True, slots=True)
class DhcpOptionChange:
    """One option that is set, or with None as value taken away."""

    name: str
    value: str | None
    ip_version: int = 4


def changed(have: tuple[DhcpOption, ...], changes: tuple[DhcpOptionChange, ...]) -> tuple[DhcpOption, ...]:
    """The options after the changes; raises InvalidValue."""
    found = {(option.name, option.ip_version): option for option in have}
    if len({(change.name, change.ip_version) for change in changes}) < len(changes):
        raise InvalidValue(FIELD, [change.name for change in changes], "naming each option once")
    for change in changes:
        _check_form(change)
        key = (change.name, change.ip_version)
        if change.value is None:
            found.pop(key, None)
            continue
        found[key] = DhcpOption(change.name, change.value, change.ip_version)
        check(found[key])
    if len(found) > MOST_OPTIONS:
        raise InvalidValue(FIELD, len(found), f"at most {MOST_OPTIONS} options")
    return tuple(found.values())


def _check_form(change: DhcpOptionChange) -> None:
    if change.ip_version not in (4, 6):
        raise InvalidValue("ip_version", change.ip_version, "4 or 6")
    if not _is_line(change.name, _LONGEST_NAME):
        raise InvalidValue("opt_name", change.name, f"one line of 1 to {_LONGEST_NAME} characters")
    if change.value is None or (not change.value and change.name in MAY_BE_BLANK):
        return
    if not _is_line(change.value, _LONGEST_VALUE):
        raise InvalidValue("opt_value", change.value, f"one line of 1 to {_LONGEST_VALUE} characters")


def _is_line(text: str, longest: int) -> bool:
    return bool(text.strip()) and len(text) <= longest and len(text.splitlines()) == 1
