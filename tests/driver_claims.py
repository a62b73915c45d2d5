"""What each mechanism driver of the registry claims to serve, and ports of it: for the suite that all of them pass."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product

from hypothesis import assume
from hypothesis import strategies as st

from fairlead.drivers.base import BoundPort, Driver
from fairlead.drivers.registry import DRIVERS
from fairlead.hoststate.build import desired_state
from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.facts import HostFacts
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Allocation, Binding, BindingRole, VifType, Wiring
from fairlead.model.errors import Conflict, InvalidValue
from fairlead.model.ids import RequestId
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.port import VnicType
from fairlead.model.port_profile import PortProfileKind
from fairlead.model.request import Nic, ServerRequest, server_request
from fairlead.model.vf import VfSettings, differences
from fairlead.sim.hardware import infiniband_server
from fairlead.sim.machine import Machine, PfState
from tests import port_wishes, rows

MOST_U32 = 2**32 - 1

ADDRESSES = {"allowed_addresses": "nobody looks at IP addresses at a VF: port_filter is False"}
MTU = {"mtu": "the guest reads it of its config drive"}
ELSEWHERE: dict[VifType, dict[str, str]] = {
    VifType.HW_VEB: ADDRESSES | MTU | {"allowed_vlans": "a VF without a port VLAN takes all tags"},
    VifType.QBH: ADDRESSES | MTU | {"vlan": "the switch's profile says which VLAN it is"},
    VifType.QBG: ADDRESSES | MTU,
    VifType.BRIDGE: {"link_state": "a tap follows no PF: it is up, and down where that is wished"},
    VifType.HOSTDEV_PHYSICAL: ADDRESSES
    | MTU
    | {
        "trusted": "nobody limits the guest of a whole device",
        "min_kbps": "placement chooses a PF with as much of its link",
        "vlan": "the guest tags its frames, and reads the tag of its config drive",
        "allowed_vlans": "nobody limits the guest of a whole device",
    },
    VifType.IB_HOSTDEV: ADDRESSES
    | MTU
    | {
        "vlan": "the partition follows from it, or from the profile",
        "partition": "the subnet manager holds a port to it, whatever its host can be told",
        "beyond_ethernet": "the same, by a profile",
        "spoof_check": "the fabric knows a port by its GUID, which no guest can change",
    },
}
"""By mechanism: what a port may ask for though its host is not told, and who sees to it."""

OF_VF = {"pci_slot", "pci_vendor_info", "physical_network", "vf_num"}
KEYS: dict[VifType, tuple[set[str], set[str]]] = {
    VifType.HW_VEB: ({"connectivity", "vlan"}, OF_VF | {"pf_mac_address"}),
    VifType.QBH: ({"connectivity", "profileid"}, OF_VF | {"pf_mac_address"}),
    VifType.QBG: ({"connectivity", "managerid", "typeid", "typeidversion", "instanceid"}, OF_VF),
    VifType.BRIDGE: ({"connectivity", "bridge_name"}, set()),
    VifType.HOSTDEV_PHYSICAL: ({"connectivity", "vlan"}, OF_VF - {"vf_num"} | {"device_mac_address"}),
    VifType.IB_HOSTDEV: ({"physical_network"}, OF_VF | {"guid"}),
}
"""By mechanism: what Neutron's and Nova's own users read of vif_details and binding:profile, beside what all have."""


@dataclass(frozen=True)
class Claim:
    """What a driver says that it serves."""

    driver: Driver
    vnic_type: VnicType
    link_layer: LinkLayer
    kind: PortProfileKind

    def __str__(self) -> str:
        parts = (self.driver.vif_type, self.vnic_type, self.link_layer, self.kind)
        return "-".join(part.value for part in parts)


def claims_of(driver: Driver) -> Iterator[Claim]:
    for parts in product(VnicType, LinkLayer, PortProfileKind):
        vnic_type, link_layer, kind = parts
        if (
            vnic_type in driver.vnic_types
            and link_layer in driver.link_layers
            and kind in driver.profile_kinds
        ):
            yield Claim(driver, *parts)


CLAIMS = [claim for driver in DRIVERS for claim in claims_of(driver)]
ON_DEVICES = [claim for claim in CLAIMS if port_wishes.device_kind(claim.vnic_type)]
ON_VFS = [claim for claim in ON_DEVICES if port_wishes.device_kind(claim.vnic_type) is DeviceKind.VF]


def refusal_of(ask, bound: BoundPort) -> Conflict | None:
    """What the driver says to it, None for yes. Anything else that is raised is a fault of the driver's."""
    try:
        ask(bound)
    except Conflict as refusal:
        return refusal
    return None


def is_possible(bound: BoundPort) -> bool:
    """Whether the API lets there be such a port."""
    try:
        _ = bound.in_force
    except InvalidValue:
        return False
    return True


def wishes_of(claim: Claim) -> st.SearchStrategy[port_wishes.Wish]:
    """One thing more that may be asked of such a port."""
    return st.sampled_from(port_wishes.all_wishes(claim.kind))


@st.composite
def ports_of(draw: st.DrawFn, claim: Claim) -> BoundPort:
    """A port of the claim, with up to four wishes."""
    bound = draw(port_wishes.plain(claim.vnic_type, claim.link_layer, claim.kind))
    for wish in draw(st.lists(wishes_of(claim), max_size=4)):
        bound = wish.grant(bound)
    assume(is_possible(bound))
    return bound


@st.composite
def served_ports_of(draw: st.DrawFn, claim: Claim) -> BoundPort:
    """Of those, one that its driver binds."""
    bound = draw(ports_of(claim))
    assume(refusal_of(claim.driver.bind, bound) is None)
    return bound


def asked(bound: BoundPort) -> ServerRequest | None:
    """What a server with that port needs of a host; None for one that is refused as it is booted."""
    try:
        return server_request(
            rows.server().flavor, (Nic(bound.port, bound.network, bound.qos, bound.profile),), {}
        )
    except InvalidValue:
        return None


def names_in(told: Settings) -> list[str]:
    """Names of network devices in any part of it."""
    parts = (getattr(told, field.name) for field in fields(told))
    found = ((getattr(part, "name", None), getattr(part, "bridge", None)) for part in parts if part)
    return [name for pair in found for name in pair if name is not None]


def document_of(bound: BoundPort, told: Settings) -> DesiredState:
    """Of a host that has a server with that port alone."""
    server = rows.server(ports=(bound.port.id,))
    held = bound.device
    devices = {device.id: device for device in (bound.device, bound.pf) if device}
    binding = Binding(
        bound.port.id,
        rows.HOST,
        BindingRole.ACTIVE,
        Wiring.PENDING,
        VifType.UNBOUND,
        held.id if held else None,
    )
    allocation = held and Allocation(
        held.id, held.family_id, rows.HOST, server.id, RequestId("r"), bound.port.id
    )
    return desired_state(
        HostFacts(
            host=rows.host(),
            devices=devices or {"pf": rows.pf()},
            policies={},
            servers={server.id: server},
            allocations=(allocation,) if allocation else (),
            bindings=(binding,),
            ports={bound.port.id: bound.port},
            networks={bound.port.network_id: bound.network},
            subnets={"subnet-4": rows.subnet()},
            images={"image": rows.image()},
            wirings={bound.port.id: told},
            in_force={bound.port.id: bound.in_force},
        )
    )


def machine_for(claim: Claim, told: VfSettings) -> tuple[Machine, PfState]:
    """A simulated machine, and a PF of it whose driver has all that can be asked of a VF."""
    machine = Machine(infiniband_server(1))
    of_layer = [pf for pf in machine.pfs.values() if pf.nic.link_layer is claim.link_layer]
    needs_files = told.partition_key is not None
    pf = next(pf for pf in of_layer if not pf.nic.is_management and (pf.nic.has_files or not needs_files))
    pf.nic = replace(pf.nic, takes_associations=claim.link_layer is LinkLayer.ETHERNET, speed_mbps=MOST_U32)
    pf.is_up = True
    if told.partition_key is not None:
        pf.partitions = (told.partition_key,)
    machine.set_num_vfs(pf.nic.key, 2)
    return machine, pf


def seen(machine: Machine, pf: PfState) -> VfSettings:
    return machine.tell_vfs(pf.nic.key)[1]


def write(machine: Machine, pf: PfState, wanted: VfSettings) -> None:
    machine.write_vf(pf.nic.key, 1, wanted, differences(wanted, seen(machine, pf)))
