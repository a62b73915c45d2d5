"""rtnetlink answered from memory: PFs with their VFs, bridges, taps, VLANs, forwarding entries, rates."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from fairlead.linux.netlink import (
    BridgePort,
    ForwardingEntry,
    Ingress,
    Link,
    LinkChanges,
    NetlinkRefusal,
    PortVlan,
    Route,
)
from fairlead.model.diagnostics import NicCounters
from fairlead.model.ids import PfKey
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vf import VfSettings
from fairlead.sim.host_links import VfName
from fairlead.sim.machine import Machine, PfState

_FIRST_HARDWARE = 2
_MOST_HARDWARE = 64
_FIRST_VF = 1 << 16
_MOST_VFS = 256
_FIRST_VIRTUAL = 1 << 20


def link_index(machine: Machine, key: PfKey) -> int:
    """The ifindex of a PF: 1 is the loopback device's. A network device that is made anew has one of its own."""
    return _FIRST_HARDWARE + list(machine.pfs).index(key) + _MOST_HARDWARE * machine.pfs[key].births


def vf_link_index(machine: Machine, vf: VfName) -> int:
    """The ifindex of the network device that a driver of the host made of a VF."""
    return _FIRST_VF + _MOST_VFS * list(machine.pfs).index(vf[0]) + vf[1]


def vf_at_index(machine: Machine, index: int) -> VfName | None:
    """The VF whose network device it is; None for another one's."""
    return next((vf for vf in machine.links.vfs if vf_link_index(machine, vf) == index), None)


def host_addresses(machine: Machine) -> dict[PciAddress, str]:
    """Those of the host, by the device that has one."""
    own = {
        machine.pfs[vf[0]].nic.vf_address(vf[1]): device.address for vf, device in machine.links.vfs.items()
    }
    return machine.host_addresses | {place: address for place, address in own.items() if address is not None}


@dataclass(slots=True)
class _Tables:
    """What the kernel of one boot keeps of network devices that are no hardware, and of bridge ports."""

    boot_id: str
    virtual: dict[int, Link] = field(default_factory=dict)
    masters: dict[int, tuple[int, BridgePort]] = field(default_factory=dict)
    vlans: dict[int, dict[int, PortVlan]] = field(default_factory=dict)
    entries: set[ForwardingEntry] = field(default_factory=set)
    ingress: dict[int, Ingress] = field(default_factory=dict)
    next_index: int = _FIRST_VIRTUAL


class _Silence:
    """linux.netlink.LinkChanges that never come."""

    def wait(self, seconds: float) -> bool:
        """The time is up."""
        return False


class SimNetlink:
    """linux.netlink.Netlink."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._kept = _Tables(machine.boot_id)

    def links(self) -> tuple[Link, ...]:
        """All network devices."""
        return self._all()

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        """One device with its VFs."""
        link = self._plain(index)
        pf = self._pf(index)
        if pf is None or pf.nic.has_files:
            return link, {}
        try:
            told = self._machine.tell_vfs(pf.nic.key)
        except OSError as error:
            raise NetlinkRefusal(error.errno, error.strerror) from error
        return replace(link, takes_associations=pf.nic.takes_associations and bool(told)), told

    def plain_link(self, index: int) -> Link:
        """One device without its VFs."""
        return self._plain(index)

    def vf_counters(self, index: int) -> Mapping[int, NicCounters]:
        """A simulated guest sends nothing, which is counted."""
        _, vfs = self.link(index)
        return {vf: NicCounters(0, 0, 0, 0) for vf in vfs}

    def set_vf(self, index: int, vf: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """Up to the first field that is refused."""
        self._machine.called("set_vf")
        pf = self._pf(index)
        if pf is None or vf not in pf.vfs:
            self._plain(index)
            raise NetlinkRefusal(errno.EINVAL, "Invalid argument")
        self._guard(pf)
        try:
            self._machine.write_vf(pf.nic.key, vf, settings, fields)
        except OSError as error:
            raise NetlinkRefusal(error.errno, error.strerror) from error

    def set_link(
        self,
        index: int,
        *,
        up: bool | None = None,
        mtu: int | None = None,
        alias: str | None = None,
        mac: MacAddress | None = None,
        allmulti: bool | None = None,
    ) -> None:
        """What is not None."""
        link = self._plain(index)
        pf = self._pf(index)
        if pf is not None:
            self._guard(pf)
            pf.is_up = link.is_up if up is None else up
            pf.mtu = pf.mtu if mtu is None else mtu
            return
        vf = vf_at_index(self._machine, index)
        if vf is not None:
            self._set_vf_device(vf, up=up, mtu=mtu, mac=mac)
            return
        kept = self._tables().virtual[index]
        if allmulti is not None:
            self._machine.links.hear(kept.name, allmulti=allmulti)
        self._tables().virtual[index] = replace(
            kept,
            is_up=kept.is_up if up is None else up,
            carrier=True if up else None,
            mtu=kept.mtu if mtu is None else mtu,
            alias=kept.alias if alias is None else alias,
            mac=kept.mac if mac is None else mac,
        )

    def link_changes(self) -> AbstractContextManager[LinkChanges]:
        """Nothing happens while somebody waits: a simulated link is back at once, or not at all."""
        return nullcontext(_Silence())

    def routes(self) -> tuple[Route, ...]:
        """The default route, through the management NIC."""
        machine = self._machine
        ways = (link_index(machine, key) for key, pf in machine.pfs.items() if pf.nic.is_management)
        return tuple(Route(index, "default") for index in ways)

    def addresses(self) -> tuple[tuple[int, str], ...]:
        """Of PFs, and of VFs that a driver of the host has."""
        machine = self._machine
        places = {pf.nic.pci_address: link_index(machine, key) for key, pf in machine.pfs.items()}
        for vf in machine.links.vfs:
            places[machine.pfs[vf[0]].nic.vf_address(vf[1])] = vf_link_index(machine, vf)
        has = host_addresses(machine)
        return tuple((index, has[place]) for place, index in places.items() if place in has)

    def make_bridge(self, name: str) -> None:
        """A bridge that filters VLANs."""
        self._make(name, "bridge", filters_vlans=True)

    def make_tap(self, name: str) -> None:
        """A persistent tap."""
        self._make(name, "tun", filters_vlans=None)

    def make_macvtap(self, name: str, lower: int) -> None:
        """With the MAC of what it is on, where it has that for itself."""
        below = self._plain(lower)
        links, vf = self._machine.links, vf_at_index(self._machine, lower)
        if name in links.virtual:
            raise NetlinkRefusal(errno.EEXIST, "File exists")
        if vf is not None and links.on(vf):
            raise NetlinkRefusal(errno.EINVAL, "Invalid argument")
        self._make(name, "macvtap", filters_vlans=None, vf=vf)
        (index,) = [index for index, link in self._tables().virtual.items() if link.name == name]
        made = replace(self._tables().virtual[index], lower=lower, is_passthru=True, mtu=below.mtu)
        self._tables().virtual[index] = replace(made, mac=below.mac)

    def without_addresses(self, index: int) -> None:
        """Nobody has one any more."""
        vf = vf_at_index(self._machine, index)
        if vf is not None:
            address = self._machine.pfs[vf[0]].nic.vf_address(vf[1])
            self._machine.host_addresses.pop(address, None)
            self._machine.links.vfs[vf].address = None

    def delete_link(self, index: int) -> None:
        """It, and what hung on it."""
        tables = self._tables()
        link = tables.virtual.pop(index, None)
        if link is None:
            raise NetlinkRefusal(errno.EOPNOTSUPP, "Operation not supported")
        self._machine.virtual_links.discard(link.name)
        tables.ingress.pop(index, None)
        for member in [member for member, (master, _) in tables.masters.items() if index in (member, master)]:
            self.leave(member)

    def join(self, index: int, bridge: int, port: BridgePort) -> None:
        """A port of the bridge."""
        self._plain(index)
        self._tables().masters[index] = (bridge, port)

    def leave(self, index: int) -> None:
        """No port any more: its VLANs and entries go."""
        tables = self._tables()
        tables.masters.pop(index, None)
        tables.vlans.pop(index, None)
        tables.entries = {entry for entry in tables.entries if entry.index != index or not entry.on_bridge}

    def vlans(self) -> Mapping[int, tuple[PortVlan, ...]]:
        """By ifindex."""
        return {index: tuple(found.values()) for index, found in self._tables().vlans.items()}

    def set_vlan(self, index: int, vlan: PortVlan) -> None:
        """Carried from now on."""
        self._tables().vlans.setdefault(index, {})[vlan.vlan] = vlan

    def delete_vlan(self, index: int, vlan: int) -> None:
        """Carried no more."""
        self._tables().vlans.get(index, {}).pop(vlan, None)

    def entries(self, index: int) -> tuple[ForwardingEntry, ...]:
        """Of one port."""
        found = (entry for entry in self._tables().entries if entry.index == index)
        return tuple(sorted(found, key=lambda entry: (entry.mac, entry.vlan or 0)))

    def add_entry(self, entry: ForwardingEntry) -> None:
        """Made."""
        self._tables().entries.add(entry)

    def delete_entry(self, entry: ForwardingEntry) -> None:
        """Gone."""
        self._tables().entries.discard(entry)

    def groups(self, index: int) -> tuple[Group, ...]:
        """Those that it joined."""
        return tuple(sorted(self._machine.links.groups.get(self._plain(index).name, ())))

    def join_group(self, index: int, group: Group) -> None:
        """Joined."""
        self._machine.links.hear(self._plain(index).name, (group,))

    def ingress(self, index: int) -> Ingress:
        """What was set."""
        return self._tables().ingress.get(index, Ingress())

    def set_ingress(self, index: int, wanted: Ingress) -> None:
        """Keep it."""
        self._tables().ingress[index] = wanted

    def _all(self) -> tuple[Link, ...]:
        machine, all_heard = self._machine, self._machine.links.allmulti
        virtual = (
            replace(link, is_allmulti=link.name in all_heard) for link in self._tables().virtual.values()
        )
        hardware = [self._hardware(pf) for pf in machine.pfs.values() if machine.has_network_device(pf)]
        return tuple(self._with_port(link) for link in (*hardware, *self._vf_devices(), *virtual))

    def _plain(self, index: int) -> Link:
        link = next((link for link in self._all() if link.index == index), None)
        if link is None:
            raise NetlinkRefusal(errno.ENODEV, "No such device")
        return link

    def _tables(self) -> _Tables:
        """Those of this boot; a device that somebody took away is not in them any more."""
        if self._kept.boot_id != self._machine.boot_id:
            self._kept = _Tables(self._machine.boot_id)
        for index, link in list(self._kept.virtual.items()):
            if link.name not in self._machine.virtual_links:
                del self._kept.virtual[index]
                self._kept.masters.pop(index, None)
        here = {link_index(self._machine, key) for key in self._machine.pfs} | self._kept.virtual.keys()
        for index in self._kept.masters.keys() - here:
            del self._kept.masters[index]
        return self._kept

    def _vf_devices(self) -> Iterator[Link]:
        machine = self._machine
        for vf, device in machine.links.vfs.items():
            nic = machine.pfs[vf[0]].nic
            yield Link(
                index=vf_link_index(machine, vf),
                name=f"{nic.name}v{vf[1]}",
                mac=device.mac,
                mtu=device.mtu,
                is_up=device.is_up,
                carrier=machine.pfs[vf[0]].link_up if device.is_up else None,
            )

    def _set_vf_device(self, vf: VfName, *, up: bool | None, mtu: int | None, mac: MacAddress | None) -> None:
        """A VF that is not trusted has the MAC that its PF told it (igb: EADDRNOTAVAIL)."""
        device, told = self._machine.links.vfs[vf], self._machine.pfs[vf[0]].vfs[vf[1]].mac
        if mac is not None and mac != device.mac and told is not None:
            raise NetlinkRefusal(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        device.mac = device.mac if mac is None else mac
        device.is_up = device.is_up if up is None else up
        device.mtu = device.mtu if mtu is None else mtu

    def _make(self, name: str, kind: str, *, filters_vlans: bool | None, vf: VfName | None = None) -> None:
        tables = self._tables()
        if any(link.name == name for link in tables.virtual.values()):
            return
        index, tables.next_index = tables.next_index, tables.next_index + 1
        self._machine.links.make(name, vf)
        tables.virtual[index] = Link(index, name, mtu=1500, kind=kind, filters_vlans=filters_vlans)

    def _hardware(self, pf: PfState) -> Link:
        return Link(
            index=link_index(self._machine, pf.nic.key),
            name=pf.nic.name,
            mac=pf.nic.mac if pf.nic.guid is None else None,
            permanent_mac=pf.nic.mac if pf.nic.guid is None else None,
            guid=pf.nic.guid,
            mtu=pf.mtu,
            is_up=pf.is_up,
            carrier=pf.link_up,
        )

    def _with_port(self, link: Link) -> Link:
        master = self._tables().masters.get(link.index)
        return replace(link, master=master[0], port=master[1]) if master else link

    def _pf(self, index: int) -> PfState | None:
        return next(
            (pf for key, pf in self._machine.pfs.items() if link_index(self._machine, key) == index), None
        )

    def _guard(self, pf: PfState) -> None:
        if pf.nic.is_management:
            self._machine.mishaps.append(f"{pf.nic.name} was changed, which carries the default route")
