"""A row of the table of drivers' quirks (model.quirks): what there is to say of one."""

from dataclasses import dataclass
from enum import Enum


class Deed(Enum):
    """What a driver was asked, where its answer has a row. The value is for people."""

    SET_VF = "setting a VF"
    READ_VF = "reading a VF"
    SET_NUM_VFS = "setting the number of VFs"
    SET_UP = "bringing a PF up, or its MTU"


class Trait(Enum):
    """What code asks of a driver."""

    BUSY = "busy"
    """It says so for a moment, and then takes the same."""
    RATE_NEEDS_LINK = "rate_needs_link"
    """It takes a VF's rate only while the PF has a link."""
    MAC_READ_AT_PROBE = "mac_read_at_probe"
    """A VF's own driver learns MAC and GUID as it takes the VF, and not later."""
    NO_DOT1AD = "no_802.1ad"
    """It gives a VF tags of 802.1Q alone."""
    NO_MIN_RATE = "no_min_rate"
    """It cannot promise a VF a rate."""
    NO_LINK_STATE = "no_link_state"
    """It cannot hold a VF's link up or down: that is always as the PF's."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """`drivers`: the PF's kernel drivers; () every driver. `response`: what Fairlead does. `source`: where the fact
    comes from. `deed` and `errno`: the answer it shows by, () where it shows otherwise. `advice`: what the host's
    operator can do; "" nothing. `traits`: what code goes by.
    """

    drivers: tuple[str, ...]
    symptom: str
    cause: str
    response: str
    source: str
    deed: Deed | None = None
    errno: tuple[str, ...] = ()
    advice: str = ""
    traits: frozenset[Trait] = frozenset()

    def fits(self, driver: str | None) -> bool:
        """Whether it is the driver's."""
        return not self.drivers or driver in self.drivers
