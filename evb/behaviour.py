"""How a bridge answers what stations ask of it by VDP."""

from dataclasses import dataclass

# lldpad (1.1, draft) loses a refusal that comes before its own timer of 1 ms has fired, and then tells of success.
SOONEST_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Accept:
    """Everything is allowed. A station that leaves its VLAN to the bridge is given `vlan`, if there is one (2012)."""

    vlan: int | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Every association is refused with this code, a keepalive too; `is_kept`: what was there stays (2012)."""

    code: int
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """What is asked is acknowledged, and never answered."""


@dataclass(frozen=True, slots=True)
class Deaf:
    """Nothing is acknowledged either."""


Behaviour = Accept | Refuse | Silent | Deaf
