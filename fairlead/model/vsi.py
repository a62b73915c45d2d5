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
    """What the bridge said (PORT_VDP_RESPONSE_*)."""

    SUCCESS = 0
    INVALID_FORMAT = 1
    INSUFFICIENT_RESOURCES = 2
    UNUSED_VTID = 3
    VTID_VIOLATION = 4
    VTID_VERSION_VIOLATION = 5
    OUT_OF_SYNC = 6


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
