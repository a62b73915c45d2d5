"""From what control has on a host to the document that its agent obeys. Pure, and in a lasting order.

Equal rows give equal documents, so an agent is never disturbed by the order in which a database answers.
"""

from collections.abc import Iterator

from fairlead.hoststate.desired import (
    DesiredBridge,
    DesiredFamily,
    DesiredState,
    DesiredTap,
    DesiredVf,
    DesiredVsi,
)
from fairlead.hoststate.facts import HostFacts, keeping, kept, staying
from fairlead.hoststate.guest_build import desired_guest
from fairlead.hoststate.macvtap import DesiredMacvtap, LowerDevice
from fairlead.hoststate.settings import MacvtapSettings, Settings, TapSettings
from fairlead.model.binding import VifType
from fairlead.model.device import Device
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import DeviceKind
from fairlead.model.port import Port
from fairlead.model.server import Server
from fairlead.model.uplink import uplinks
from fairlead.model.vf import baseline_of


def desired_state(facts: HostFacts) -> DesiredState:
    """What the host shall look like. A server that is being deleted is among the removals: its guest goes, and
    its VFs have no owner. One that is left out is in no list: its host leaves it as it is.
    """
    taps = tuple(_taps(facts))
    return DesiredState(
        host_id=facts.host.id,
        generation=facts.host.generation,
        families=tuple(_families(facts)),
        vfs=tuple(_vfs(facts)),
        bridges=tuple(_bridges(facts, taps)),
        taps=taps,
        vsis=tuple(_vsis(facts)),
        guests=tuple(desired_guest(facts, server) for server in staying(facts)),
        removals=_removals(facts),
        pcis=tuple(sorted(device.key for device in facts.devices.values() if _is_offered_plain(device))),
        macvtaps=tuple(_macvtaps(facts)),
    )


def _removals(facts: HostFacts) -> tuple[ServerId, ...]:
    """Servers that are being deleted, until their rows are gone; and what the operator wants gone."""
    names = {server.id for server in keeping(facts)}
    return tuple(sorted({*facts.servers, *facts.host.removals} - names))


def _is_offered_plain(device: Device) -> bool:
    return device.kind is DeviceKind.PCI and device.policy_id is not None


def _families(facts: HostFacts) -> Iterator[DesiredFamily]:
    """The PFs that a policy matches, by key. Plain devices need no preparation. One that was given whole is
    prepared again as soon as its server is to go.
    """
    names = {server.id for server in keeping(facts)}
    heads = (d for d in facts.devices.values() if d.kind is DeviceKind.PF and d.policy_id is not None)
    for head in sorted(heads, key=lambda device: device.key):
        policy = facts.policies.get(head.policy_id) if head.policy_id is not None else None
        held = [allocation for allocation in facts.allocations if allocation.family_id == head.id]
        yield DesiredFamily(
            pf=PfKey(head.key),
            num_vfs=policy.num_vfs if policy else None,
            mtu=policy.mtu if policy else None,
            is_given_whole=any(a.device_id == head.id and a.server_id in names for a in held),
            holders=tuple(sorted({allocation.server_id for allocation in held})),
        )


def _vfs(facts: HostFacts) -> Iterator[DesiredVf]:
    names = {server.id for server in staying(facts)}
    held = [(facts.devices[allocation.device_id], allocation) for allocation in kept(facts)]
    for device, allocation in sorted(held, key=lambda pair: (pair[0].pf or "", pair[0].vf_index or 0)):
        if allocation.server_id not in names or device.pf is None or device.vf_index is None:
            continue
        settings = (
            baseline_of(device.link_layer)
            if allocation.port_id is None
            else facts.wirings[allocation.port_id].vf
        )
        if settings is not None:
            yield DesiredVf(
                device_id=device.id,
                pf=device.pf,
                index=device.vf_index,
                server_id=allocation.server_id,
                port_id=allocation.port_id,
                settings=settings,
                is_withheld=allocation.port_id in facts.withheld,
            )


def _taps(facts: HostFacts) -> Iterator[DesiredTap]:
    for server in staying(facts):
        for port_id in server.ports:
            told = facts.wirings.get(port_id, Settings()).tap
            if told is not None:
                yield _tap(facts.ports[port_id], server, told)


def _tap(port: Port, server: Server, told: TapSettings) -> DesiredTap:
    return DesiredTap(
        name=told.name,
        bridge=told.bridge,
        port_id=port.id,
        server_id=server.id,
        mac=port.mac,
        vlan=told.vlan,
        mtu=told.mtu,
        max_rate_kbps=told.max_rate_kbps,
        spoof_check=told.spoof_check,
        is_up=told.is_up,
        sources=told.sources,
    )


def _vsis(facts: HostFacts) -> Iterator[DesiredVsi]:
    """On the VF that the port has; of one that has no device, on its network's uplink."""
    held = {each.port_id: facts.devices[each.device_id] for each in kept(facts) if each.port_id is not None}
    ways = uplinks(facts.devices.values())
    for server in staying(facts):
        for port_id in server.ports:
            told = facts.wirings.get(port_id, Settings()).vsi
            if told is None:
                continue
            device, network = held.get(port_id), facts.networks[facts.ports[port_id].network_id]
            uplink = ways.get(network.physical_network)
            if device is not None and device.pf is not None:
                yield DesiredVsi(port_id, server.id, device.pf, device.vf_index, told)
            elif uplink is not None:
                yield DesiredVsi(port_id, server.id, PfKey(uplink.key), None, told)


def _macvtaps(facts: HostFacts) -> Iterator[DesiredMacvtap]:
    held = {each.port_id: facts.devices[each.device_id] for each in kept(facts)}
    for server in staying(facts):
        for port_id in server.ports:
            told, vf = facts.wirings.get(port_id, Settings()).macvtap, held.get(port_id)
            if told is not None and vf is not None and vf.pf is not None and vf.vf_index is not None:
                yield _macvtap(facts.ports[port_id], server, told, LowerDevice(vf.pf, vf.vf_index))


def _macvtap(port: Port, server: Server, told: MacvtapSettings, lower: LowerDevice) -> DesiredMacvtap:
    return DesiredMacvtap(
        name=told.name,
        lower=lower,
        port_id=port.id,
        server_id=server.id,
        mac=port.mac,
        mtu=told.mtu,
        groups=told.groups,
        all_groups=told.all_groups,
    )


def _bridges(facts: HostFacts, taps: tuple[DesiredTap, ...]) -> Iterator[DesiredBridge]:
    """One for each physical network that a tap is on; as large as the largest of its networks, those of guests that are
    to lose nothing among them.
    """
    widest: dict[str, DesiredTap] = {}
    for tap in taps:
        network = facts.networks[facts.ports[tap.port_id].network_id]
        known = widest.get(network.physical_network)
        if known is None or tap.mtu > known.mtu:
            widest[network.physical_network] = tap
    ways = uplinks(facts.devices.values())
    for physical_network, tap in sorted(widest.items()):
        if physical_network in ways:
            uplink = PfKey(ways[physical_network].key)
            mtu = max([tap.mtu, *_mtus_left_out(facts, physical_network)])
            yield DesiredBridge(tap.bridge, physical_network, uplink, mtu)


def _mtus_left_out(facts: HostFacts, physical_network: str) -> Iterator[int]:
    """Of networks that taps are on of which nothing can be said: what a port profile says is less."""
    ports = {port_id for server_id in facts.left_out for port_id in facts.servers[server_id].ports}
    for binding in facts.bindings:
        if binding.port_id in ports and binding.vif_type is VifType.BRIDGE:
            network = facts.networks[facts.ports[binding.port_id].network_id]
            if network.physical_network == physical_network:
                yield network.mtu
