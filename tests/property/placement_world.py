"""A small cloud in rows, for property tests: drawn at random, claimed and released as control would.

`could_fit` is the definition of a fit read from the rows by trying everything, without placement's own code.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

from hypothesis import strategies as st

from fairlead.model.binding import Allocation, Binding, BindingRole, VifType, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host
from fairlead.model.ids import HostId, PortId, ServerId
from fairlead.model.invariants import Facts
from fairlead.model.lifecycle import DEVICE, after
from fairlead.model.numa import NumaPolicy
from fairlead.model.pci import DeviceKind, LinkLayer
from fairlead.model.request import PciRequest, ServerRequest
from fairlead.model.server import Server
from fairlead.model.uplink import uplinks
from fairlead.placement.boundary import HostView, Placed
from fairlead.placement.snapshot import Fleet, host_view
from tests.property import iommu_groups
from tests.unit.placement.rows import (
    family,
    flavor,
    host,
    macs,
    nodes,
    plain,
    port,
    request,
    server,
    vf,
    whole,
)

NETWORKS = ("physnet1", "physnet2")
RATES_MBPS = (0, 0, 4, 6, 10)
TOPOLOGIES = (
    nodes(0, 1, cpus=6, memory_mib=6_144),
    nodes(0, 0, cpus=4, memory_mib=4_096),
    nodes(0, 0, 1, cpus=4, memory_mib=4_096),
    (),
)


link_layers = st.sampled_from([LinkLayer.ETHERNET] * 4 + [LinkLayer.INFINIBAND])


@st.composite
def families(draw, host_name, slot):
    """One family at the slot: mostly a managed PF with a few VFs."""
    if draw(st.integers(0, 9)) == 9:
        return (plain(host_name, slot, numa_node=draw(st.sampled_from([0, 1]))),)
    return family(
        host_name,
        slot,
        num_vfs=draw(st.sampled_from([2, 3, 1, 0])),
        physical_network=draw(st.sampled_from(["physnet1", "physnet1", "physnet2"])),
        numa_node=draw(st.sampled_from([0, 1, 0, None])),
        tags=draw(st.sampled_from([(), (), ("trusted",), ("fast",), ("fast", "trusted")])),
        capabilities=draw(st.sampled_from([(), ("802.1qbh",), ("sriov", "802.1qbh")])),
        egress_mbps=draw(st.sampled_from([10, 20, 14, 0])),
        link_up=draw(st.sampled_from([True, True, False])),
        link_layer=draw(link_layers),
        policy_id=draw(st.sampled_from(["policy"] * 6 + [None])),
    )


@st.composite
def worlds(draw, hosts=3, slots=(0, 3)):
    """A world with up to so many hosts, each with so many families."""
    made = World()
    for number in range(draw(st.integers(1, hosts))):
        name = f"h{number}"
        numa = draw(st.sampled_from(TOPOLOGIES))
        devices = [draw(families(name, slot)) for slot in range(1, 1 + draw(st.integers(*slots)))]
        made.add(host(name, numa), [device for each in devices for device in each])
    return made


@st.composite
def grouped_worlds(draw):
    """One host whose devices share IOMMU groups at random, and of which drivers of the host have some."""
    made, devices = World(), []
    for slot in range(1, 1 + draw(st.integers(1, 4))):
        if draw(st.integers(0, 2)) == 2:
            devices.append(plain("h0", slot, kernel_driver=draw(st.sampled_from([None, "nouveau"]))))
        else:
            devices += family("h0", slot, num_vfs=draw(st.sampled_from([2, 3, 0])), egress_mbps=20)
    made.add(
        host("h0"),
        [
            replace(
                device,
                iommu_group=draw(st.sampled_from([1, 2, 3, None, 10 + at])),
                kernel_driver=draw(st.sampled_from([None] * 9 + ["iavf"]))
                if device.kind is DeviceKind.VF
                else device.kernel_driver,
                policy_id=draw(st.sampled_from(["policy"] * 7 + [None]))
                if device.kind is DeviceKind.PCI
                else device.policy_id,
            )
            for at, device in enumerate(devices)
        ],
    )
    return made


@st.composite
def mixed_requests(draw):
    """A server that wants VFs by vfio and below macvtaps, and devices that are given whole."""
    wanted = []
    for at in range(draw(st.integers(1, 4))):
        name, kind = f"r{at}", draw(st.sampled_from(["vf", "vf", "macvtap", DeviceKind.PF, DeviceKind.PCI]))
        if kind in ("vf", "macvtap"):
            rate = 1_000 * draw(st.sampled_from([0, 0, 6]))
            wanted.append(vf(name, is_host_driven=kind == "macvtap", egress_kbps=rate))
        else:
            wanted.append(whole(name, kind=kind))
    return request(*wanted)


@st.composite
def requests(draw, devices=(0, 4)):
    """A server with so many devices of any kind."""
    wanted = [draw(pci_requests(f"r{at}")) for at in range(draw(st.integers(*devices)))]
    return request(
        *wanted,
        vcpus=draw(st.sampled_from([2, 4])),
        memory_mib=draw(st.sampled_from([1_024, 2_048])),
        bridged_networks=draw(st.sampled_from([(), (), (), ("physnet1",), NETWORKS])),
        numa_nodes=draw(st.sampled_from([0, 0, 0, 1, 2])),
    )


@st.composite
def pci_requests(draw, name):
    """Mostly a port's VF; sometimes a whole PF or a plain device."""
    policy = draw(st.sampled_from([NumaPolicy.LEGACY, NumaPolicy.LEGACY, *NumaPolicy]))
    kind = draw(st.sampled_from([DeviceKind.VF] * 8 + [DeviceKind.PF, DeviceKind.PF, DeviceKind.PCI]))
    if kind is not DeviceKind.VF:
        return whole(name, kind=kind, numa_policy=policy)
    return vf(
        name,
        draw(st.sampled_from(["physnet1", "physnet1", "physnet2", None])),
        numa_policy=policy,
        trusted=draw(st.sampled_from([False] * 5 + [True])),
        tags=draw(st.sampled_from([()] * 5 + [("fast",)])),
        capabilities=draw(st.sampled_from([()] * 4 + [("802.1qbh",)])),
        egress_kbps=1_000 * draw(st.sampled_from(RATES_MBPS)),
        link_layer=draw(link_layers),
    )


class World:
    """Rows by id, and a fleet kept fresh from them host by host."""

    def __init__(self) -> None:
        self.hosts: dict[HostId, Host] = {}
        self.devices: dict[str, Device] = {}
        self.allocations: dict[str, Allocation] = {}
        self.servers: dict[str, Server] = {}
        self.bindings: dict[str, list[Binding]] = defaultdict(list)
        self.requests: dict[str, ServerRequest] = {}
        self.fleet = Fleet()
        self._macs = macs()
        self._ports = {}

    def __repr__(self) -> str:
        return f"World({list(self.hosts.values())}, {list(self.devices.values())}, {list(self.allocations.values())})"

    def add(self, made: Host, devices: list[Device]) -> None:
        self.hosts[made.id] = made
        self.devices.update((device.id, device) for device in devices)
        self.refresh(made.id)

    def refresh(self, host_id: HostId) -> None:
        bridged = {
            net
            for name, wanted in self.requests.items()
            for net in wanted.bridged_networks
            if self.on(name, host_id)
        }
        allocations = [row for row in self.allocations.values() if row.host_id == host_id]
        servers = [row for row in self.servers.values() if row.host_id == host_id]
        self.fleet.replace(
            [host_view(self.hosts[host_id], self.devices_of(host_id), allocations, servers, bridged)]
        )

    def view_for(self, name: str, host_id: HostId) -> HostView:
        """The host as a server that has devices there already sees it."""
        allocations = [row for row in self.allocations.values() if row.host_id == host_id]
        servers = [row for row in self.servers.values() if row.host_id == host_id]
        devices = self.devices_of(host_id)
        return host_view(self.hosts[host_id], devices, allocations, servers, own=ServerId(name))

    def on(self, name: str, host_id: HostId) -> bool:
        return name in self.servers and self.servers[name].host_id == host_id

    def devices_of(self, host_id: HostId) -> list[Device]:
        return [device for device in self.devices.values() if device.host_id == host_id]

    def claim(self, name: str, wanted: ServerRequest, placed: Placed) -> None:
        """Take what was decided, without asking whether it may be taken."""
        size = flavor(wanted.vcpus, wanted.memory_mib, wanted.disk_gib)
        self.requests[name] = wanted
        self.servers[name] = server(name, placed.host_id, placed.fit.cells, flavor=size)
        asked = {each.id: each for each in wanted.pci}
        for grant in placed.fit.grants:
            device = next(
                device
                for device in self.devices.values()
                if device.family_id == grant.family_id and device.vf_index == grant.vf_index
            )
            assert device.id not in self.allocations, f"{device} is given twice"
            self.devices[device.id] = replace(device, status=after(DEVICE, device.status, "claim"))
            self.allocate(device, name, asked.pop(grant.request_id), grant.egress_kbps)
        assert not asked, f"{asked} got nothing"
        self.refresh(placed.host_id)

    def allocate(self, device: Device, name: str, wanted: PciRequest, egress_kbps: int) -> None:
        port_id = PortId(f"{name}-{wanted.id}") if wanted.port_id else None
        self.allocations[device.id] = Allocation(
            device.id,
            device.family_id,
            device.host_id,
            ServerId(name),
            wanted.id,
            port_id,
            egress_kbps,
            wanted.is_host_driven,
        )
        if port_id:
            self._ports[port_id] = port(port_id, mac=next(self._macs), server_id=ServerId(name))
            self.bindings[name].append(
                Binding(
                    port_id,
                    device.host_id,
                    BindingRole.ACTIVE,
                    Wiring.PENDING,
                    VifType.HW_VEB,
                    device_id=device.id,
                )
            )

    def release(self, name: str) -> None:
        """The server begins to go: its devices wait for their scrub."""
        for row in self.allocations.values():
            if row.server_id == name:
                self.step(self.devices[row.device_id], "release")
        self.bindings[name] = [replace(row, wiring=Wiring.UNWIRING) for row in self.bindings[name]]
        self.refresh(self.servers[name].host_id)

    def scrubbed(self, name: str) -> None:
        """The server is gone and its devices are clean."""
        host_id = self.servers.pop(name).host_id
        for row in [row for row in self.allocations.values() if row.server_id == name]:
            self.step(self.devices[row.device_id], "scrubbed")
            del self.allocations[row.device_id]
        for binding in self.bindings.pop(name):
            del self._ports[binding.port_id]
        del self.requests[name]
        self.refresh(host_id)

    def step(self, device: Device, event: str) -> None:
        self.devices[device.id] = replace(device, status=after(DEVICE, device.status, event))

    def facts(self) -> Facts:
        bindings = tuple(row for rows in self.bindings.values() for row in rows)
        return Facts(
            tuple(self.hosts.values()),
            tuple(self.devices.values()),
            tuple(self.allocations.values()),
            bindings,
            tuple(self._ports.values()),
            tuple(self.servers.values()),
        )


def overbooked(world: World) -> Iterator[str]:
    """What is promised and not there: bandwidth, NUMA nodes, hosts, uplinks; and devices far from a guest."""
    for family_id in {row.family_id for row in world.allocations.values()}:
        promised = sum(row.egress_kbps for row in world.allocations.values() if row.family_id == family_id)
        if promised > capacity_kbps(world.devices[family_id]):
            yield f"{promised} kbit/s of {family_id}"
    for made in world.hosts.values():
        servers = [row for row in world.servers.values() if row.host_id == made.id]
        if sum(row.flavor.vcpus for row in servers) > made.capacity.vcpus:
            yield f"vCPUs of {made.name}"
        for numa in made.capacity.numa:
            cells = [cell for row in servers for cell in row.cells if cell.host_node == numa.node]
            if sum(cell.memory_mib for cell in cells) > numa.memory_mib or sum(c.vcpus for c in cells) > len(
                numa.cpus
            ):
                yield f"node {numa.node} of {made.name}"
        bridged = {net for row in servers for net in world.requests[row.id].bridged_networks}
        for net, device in uplinks(world.devices_of(made.id)).items():
            if net in bridged and device.id in world.allocations:
                yield f"uplink of {net} on {made.name}"
    for row in world.allocations.values():
        wanted = next(each for each in world.requests[row.server_id].pci if each.id == row.request_id)
        cells = {cell.host_node for cell in world.servers[row.server_id].cells}
        if wanted.numa_policy is NumaPolicy.REQUIRED and world.devices[row.device_id].numa_node not in cells:
            yield f"{row.device_id} is far from {row.server_id}"


def could_fit(world: World, host_id: HostId, wanted: ServerRequest, own: str = "") -> bool:
    """Whether there is any way at all, found by trying each; for the server `own` beside what it has."""
    made = world.hosts[host_id]
    servers = [row for row in world.servers.values() if row.host_id == host_id]
    if sum(row.flavor.vcpus for row in servers) + wanted.vcpus > made.capacity.vcpus:
        return False
    if sum(row.flavor.memory_mib for row in servers) + wanted.memory_mib > made.capacity.memory_mib:
        return False
    edges = uplinks(world.devices_of(host_id))
    if any(net not in edges or not free(world, edges[net]) for net in wanted.bridged_networks):
        return False
    choices = node_choices(made, servers, wanted)
    return any(devices_fit(world, host_id, wanted, chosen, own) for chosen in choices)


def node_choices(made: Host, servers: list[Server], wanted: ServerRequest) -> Iterator[frozenset[int]]:
    """Each way to choose nodes for the guest's cells; one empty choice for a guest without."""
    strict = any(each.numa_policy in (NumaPolicy.REQUIRED, NumaPolicy.SOCKET) for each in wanted.pci)
    cells = wanted.numa_nodes or (1 if strict else 0)
    if not cells:
        yield frozenset()
        return
    roomy = []
    for numa in made.capacity.numa:
        used = [cell for row in servers for cell in row.cells if cell.host_node == numa.node]
        has_cpus = sum(cell.vcpus for cell in used) + wanted.vcpus // cells <= len(numa.cpus)
        if has_cpus and sum(cell.memory_mib for cell in used) + wanted.memory_mib // cells <= numa.memory_mib:
            roomy.append(numa.node)
    yield from map(frozenset, combinations(roomy, cells))


def devices_fit(
    world: World, host_id: HostId, wanted: ServerRequest, chosen: frozenset[int], own: str
) -> bool:
    """Whether some choice of a family for each request holds together."""
    heads = [device for device in world.devices_of(host_id) if device.id == device.family_id]
    options = [[head for head in heads if suits(world, head, each, chosen)] for each in wanted.pci]
    return any(
        holds_together(world, host_id, wanted, choice) and groups_allow(world, host_id, wanted, choice, own)
        for choice in product(*options)
    )


def suits(world: World, head: Device, wanted: PciRequest, chosen: frozenset[int]) -> bool:
    """Whether the family is one for the request, alone."""
    if head.policy_id is None or not free(world, head):
        return False
    if (head.kind is DeviceKind.PCI) != (wanted.kind is DeviceKind.PCI):
        return False
    if wanted.physical_network not in (None, head.physical_network):
        return False
    on_fabric = head.link_layer is LinkLayer.INFINIBAND
    if wanted.link_layer is not None and (wanted.link_layer is LinkLayer.INFINIBAND) is not on_fabric:
        return False
    if not set(wanted.capabilities) <= set(head.capabilities):
        return False
    if not set(wanted.tags) <= set(head.tags) or (wanted.trusted and "trusted" not in head.tags):
        return False
    sockets = {numa.node: numa.socket for numa in world.hosts[head.host_id].capacity.numa}
    allowed = {
        NumaPolicy.REQUIRED: head.numa_node in chosen,
        NumaPolicy.LEGACY: head.numa_node is None or head.numa_node in chosen,
        NumaPolicy.PREFERRED: True,
        NumaPolicy.SOCKET: head.numa_node in sockets
        and sockets[head.numa_node] in {sockets[node] for node in chosen},
    }
    return not chosen or allowed[wanted.numa_policy]


def holds_together(world: World, host_id: HostId, wanted: ServerRequest, choice: tuple[Device, ...]) -> bool:
    """Whether the families have what all requests together take of them."""
    edges = uplinks(world.devices_of(host_id))
    bridged = {
        net
        for name, each in world.requests.items()
        if world.on(name, host_id)
        for net in each.bridged_networks
    }
    for head in set(choice):
        takers = [each for each, given in zip(wanted.pci, choice, strict=True) if given == head]
        if sum(each.egress_kbps for each in takers) > capacity_kbps(head) - promised_kbps(world, head):
            return False
        vfs = [d for d in world.devices.values() if d.family_id == head.id and d.kind is DeviceKind.VF]
        if any(each.kind is not DeviceKind.VF for each in takers):
            is_edge = any(edges.get(net) == head for net in (*bridged, *wanted.bridged_networks))
            if len(takers) > 1 or is_edge or not all(free(world, each) for each in vfs):
                return False
        elif len(takers) > sum(free(world, each) for each in vfs):
            return False
    return True


def groups_allow(
    world: World, host_id: HostId, wanted: ServerRequest, choice: tuple[Device, ...], own: str
) -> bool:
    """Whether single devices of the families can be given as far as their IOMMU groups go."""
    devices = world.devices_of(host_id)
    if all(device.iommu_group is None for device in devices):
        return True
    rows = [row for row in world.allocations.values() if row.host_id == host_id]
    held = {row.device_id: row.is_host_driven for row in rows}
    passed = frozenset(row.device_id for row in rows if row.server_id == own and not row.is_host_driven)
    pairs = list(zip(wanted.pci, choice, strict=True))
    return any(
        iommu_groups.is_allowed(devices, held, given, passed)
        for given in iommu_groups.ways(devices, frozenset(held), pairs, {})
    )


def free(world: World, device: Device) -> bool:
    return device.status is DeviceStatus.AVAILABLE and device.id not in world.allocations


def capacity_kbps(head: Device) -> int:
    return 1_000 * (head.egress_mbps if head.egress_mbps is not None else head.speed_mbps or 0)


def promised_kbps(world: World, head: Device) -> int:
    return sum(row.egress_kbps for row in world.allocations.values() if row.family_id == head.id)


@st.composite
def crowded_hosts(draw):
    """One host of PFs that differ in tags and bandwidth alone, with hardly enough of anything."""
    made = World()
    devices: list[Device] = []
    for slot in range(1, 1 + draw(st.integers(1, 4))):
        tags = draw(st.sampled_from([("a",), ("b",), ("a", "b"), ()]))
        rate = draw(st.sampled_from([10, 20]))
        devices += family("h0", slot, draw(st.integers(1, 3)), tags=tags, egress_mbps=rate)
    made.add(host("h0"), devices)
    return made


@st.composite
def greedy_requests(draw, devices=(2, 5)):
    """A server that wants many VFs, or PFs, of a crowded host."""
    wanted = []
    for at in range(draw(st.integers(*devices))):
        name, tags = f"r{at}", draw(st.sampled_from([(), ("a",), ("b",)]))
        if draw(st.integers(0, 5)) == 0:
            wanted.append(whole(name, tags=tags))
        else:
            wanted.append(vf(name, tags=tags, egress_kbps=1_000 * draw(st.sampled_from(RATES_MBPS))))
    return request(*wanted, bridged_networks=draw(st.sampled_from([(), ("physnet1",)])))
