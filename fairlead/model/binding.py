"""Bindings: a port on a host, by a mechanism driver; and allocations: a device held for a request."""

from dataclasses import dataclass, field, replace
from enum import Enum

from fairlead.model.errors import Failure
from fairlead.model.ids import DeviceId, HostId, PortId, RequestId, ServerId


class VifType(Enum):
    """binding:vif_type as the field knows it."""

    UNBOUND = "unbound"
    BINDING_FAILED = "binding_failed"
    BRIDGE = "bridge"
    HW_VEB = "hw_veb"
    QBH = "802.1qbh"
    QBG = "802.1qbg"
    HOSTDEV_PHYSICAL = "hostdev_physical"
    IB_HOSTDEV = "ib_hostdev"


class BindingRole(Enum):
    """ACTIVE is where the server is. INACTIVE waits on another host: its device is held there, and the host is told
    nothing of it.
    """

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Wiring(Enum):
    """Whether the host has made the binding true: see lifecycle.WIRING."""

    PENDING = "PENDING"
    WIRED = "WIRED"
    UNWIRING = "UNWIRING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Binding:
    """A port on a host. `device_id` None: an ordinary vNIC, no device is held.

    `vif_details` and `profile` are what the driver gave: flat text, Neutron's keys. `failure` says why
    wiring FAILED, or why one that is UNWIRING is not gone; None otherwise.
    """

    port_id: PortId
    host_id: HostId
    role: BindingRole
    wiring: Wiring
    vif_type: VifType
    device_id: DeviceId | None = None
    vif_details: dict[str, str] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    generation: int = 0
    """The host's desired generation that carries it: an older report says nothing about its wiring."""
    vsi_instance: str | None = None
    """By what the bridge knows the port, with 802.1Qbg; of the bindings in force no two have the same."""

    def with_details(self, vif_details: dict[str, str]) -> "Binding":
        """With those VIF details, and what follows from them."""
        return replace(self, vif_details=vif_details, vsi_instance=vif_details.get("instanceid"))


@dataclass(frozen=True, slots=True)
class Allocation:
    """A device held: the row exists exactly while the device is held, one at most for a device.

    `port_id` None: held for a flavor's alias. `egress_kbps` is promised on the PF `family_id`.
    `is_host_driven`: a driver of the host has it, for a macvtap, and not vfio.
    """

    device_id: DeviceId
    family_id: DeviceId
    host_id: HostId
    server_id: ServerId
    request_id: RequestId
    port_id: PortId | None = None
    egress_kbps: int = 0
    is_host_driven: bool = False
