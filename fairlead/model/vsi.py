"""A virtual station interface (VSI) of 802.1Qbg: what the bridge next to the host is asked for, and what it answers.

The station (lldpad, for the host) and the bridge speak VDP. Sources: IEEE 802.1Qbg-2012, clause 41; its values as the
kernel has them: include/uapi/linux/if_link.h, `struct ifla_port_vsi`, PORT_REQUEST_*, PORT_VDP_RESPONSE_*.
"""

from dataclasses import dataclass
from enum import Enum

from fairlead.model.count import Count
from fairlead.model.pci import MacAddress


class VdpRequest(Enum):
    """What a station may ask of its bridge (PORT_REQUEST_*)."""

    PREASSOCIATE = 0
    """Is the type known? Nothing is held for it."""
    PREASSOCIATE_RR = 1
    """And what it needs is reserved."""
    ASSOCIATE = 2
    DISASSOCIATE = 3


class VdpResponse(Enum):
    """What the bridge said, in the order of the codes (PORT_VDP_RESPONSE_*)."""

    SUCCESS = "success"
    INVALID_FORMAT = "invalid format"
    INSUFFICIENT_RESOURCES = "insufficient resources"
    UNUSED_VTID = "unused VTID"
    VTID_VIOLATION = "VTID violation"
    VTID_VERSION_VIOLATION = "VTID version violation"
    OUT_OF_SYNC = "out of sync"

    @property
    def code(self) -> int:
        """The number that stands for it."""
        return tuple(type(self)).index(self)


@dataclass(frozen=True, slots=True)
class VsiSettings:
    """What is asked for: the type of VSI under which manager, and for which frames. `vlan` None: untagged."""

    instance_id: str
    manager_id: Count
    type_id: Count
    type_id_version: Count
    mac: MacAddress
    vlan: Count | None = None


class VsiState(Enum):
    """What the station tells of a VSI. ABSENT: it does not have it. PENDING: the bridge has not answered yet.
    UNKNOWN: the station did not tell.
    """

    ABSENT = "absent"
    PENDING = "pending"
    ASSOCIATED = "associated"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VsiReading:
    """One VSI as the station has it; `response` is the bridge's refusal where it is REFUSED, and None otherwise. One
    that this kernel's header does not name is None, too.
    """

    state: VsiState
    response: VdpResponse | None = None


ABSENT = VsiReading(VsiState.ABSENT)
