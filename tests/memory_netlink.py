"""netlink.Netlink from memory, as far as kernels do the same: what a test declares, and what it refuses."""

import errno
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from fairlead.linux.netlink import BridgePort, ForwardingEntry, Ingress, Link, NetlinkRefusal, PortVlan, Route
from fairlead.linux.vfinfo import APPLIED
from fairlead.model.diagnostics import NicCounters
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress
from fairlead.model.vf import VfSettings


def refusal(number: int) -> NetlinkRefusal:
    return NetlinkRefusal(number, os.strerror(number))


@dataclass(slots=True)
class MemoryNetlink:
    """`refused`: errno by VF field. `default_routes`: ifindexes. `changes` counts what was written. `coming` are
    links as they will be, one at each wait; `waits` counts those. `drops_on_mtu`: a new MTU costs the carrier.
    `busy`: for how many waits a driver says EAGAIN after the first field that it takes, and, if `is_silent`, tells
    nothing of its VFs. `sent`: the fields of each message. `vf_reads` counts how often VFs were asked for.
    """

    devices: dict[int, Link] = field(default_factory=dict)
    vfs: dict[int, dict[int, VfSettings]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    default_routes: tuple[int, ...] = ()
    other_routes: tuple[Route, ...] = ()
    own_addresses: tuple[tuple[int, str], ...] = ()
    port_vlans: dict[int, tuple[PortVlan, ...]] = field(default_factory=dict)
    table: set[ForwardingEntry] = field(default_factory=set)
    ingresses: dict[int, Ingress] = field(default_factory=dict)
    changes: int = 0
    coming: list[Link] = field(default_factory=list)
    waits: int = 0
    drops_on_mtu: bool = False
    own_macs: dict[int, MacAddress] = field(default_factory=dict)
    """By ifindex of a VF's device, the only MAC that it takes."""
    deaf: frozenset[int] = frozenset()
    """Ifindexes of devices that accept any MAC and keep their own."""
    addressless: set[int] = field(default_factory=set)
    busy: int = 0
    is_silent: bool = False
    joined: dict[int, tuple[Group, ...]] = field(default_factory=dict)
    sent: list[tuple[str, ...]] = field(default_factory=list)
    vf_reads: int = 0

    def links(self) -> tuple[Link, ...]:
        return tuple(self.devices.values())

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        self.vf_reads += 1
        return self._device(index), {} if self.is_silent else dict(self.vfs.get(index, {}))

    def plain_link(self, index: int) -> Link:
        return self._device(index)

    def vf_counters(self, index: int) -> Mapping[int, NicCounters]:
        self._device(index)
        return {vf: NicCounters(10, 1, 20, 2) for vf in self.vfs.get(index, {})}

    def set_vf(self, index: int, vf: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        self.changes += 1
        self.sent.append(fields)
        if vf not in self.vfs.get(index, {}):
            raise refusal(errno.EINVAL)
        for name in APPLIED:
            if name not in fields:
                continue
            if name in self.refused:
                raise refusal(self.refused[name])
            value = {name: getattr(settings, name)}
            self.vfs[index][vf] = replace(self.vfs[index][vf], **value)
            if self.busy:
                raise refusal(errno.EAGAIN)

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
        self.changes += 1
        device = self._device(index)
        device = replace(device, is_up=device.is_up if up is None else up)
        device = replace(device, is_allmulti=device.is_allmulti if allmulti is None else allmulti)
        device = replace(device, mtu=device.mtu if mtu is None else mtu)
        device = replace(device, carrier=device.carrier and not (self.drops_on_mtu and mtu is not None))
        device = replace(device, alias=device.alias if alias is None else alias)
        if mac is not None and index in self.own_macs and mac != self.own_macs[index]:
            raise refusal(errno.EADDRNOTAVAIL)
        self.devices[index] = replace(device, mac=device.mac if mac is None or index in self.deaf else mac)

    def link_changes(self) -> AbstractContextManager["MemoryNetlink"]:
        return nullcontext(self)

    def wait(self, seconds: float) -> bool:
        assert 0 < seconds <= 5
        self.waits += 1
        self.busy, self.is_silent = max(self.busy - 1, 0), self.is_silent and self.busy > 1
        if not self.coming:
            return False
        link = self.coming.pop(0)
        self.devices[link.index] = link
        return True

    def routes(self) -> tuple[Route, ...]:
        return (*(Route(index, "default") for index in self.default_routes), *self.other_routes)

    def addresses(self) -> tuple[tuple[int, str], ...]:
        return self.own_addresses

    def make_bridge(self, name: str) -> None:
        self._make(Link(0, name, mtu=1500, kind="bridge", filters_vlans=True))

    def make_tap(self, name: str) -> None:
        self._make(Link(0, name, mtu=1500, kind="tun"))

    def make_macvtap(self, name: str, lower: int) -> None:
        below = self._device(lower)
        if any(known.name == name for known in self.devices.values()):
            raise refusal(errno.EEXIST)
        if any(known.lower == lower for known in self.devices.values()):
            raise refusal(errno.EINVAL)
        self._make(Link(0, name, below.mac, mtu=below.mtu, kind="macvtap", lower=lower, is_passthru=True))

    def without_addresses(self, index: int) -> None:
        self.changes += 1
        self.addressless.add(index)

    def delete_link(self, index: int) -> None:
        self.changes += 1
        self._device(index)
        del self.devices[index]
        self.joined.pop(index, None)
        self._forget(index)
        for port in [link for link in self.devices.values() if link.master == index]:
            self.leave(port.index)

    def join(self, index: int, bridge: int, port: BridgePort) -> None:
        self.changes += 1
        self.devices[index] = replace(self._device(index), master=bridge, port=port)

    def leave(self, index: int) -> None:
        self.changes += 1
        self.devices[index] = replace(self._device(index), master=None, port=None)
        self._forget(index)

    def vlans(self) -> Mapping[int, tuple[PortVlan, ...]]:
        return dict(self.port_vlans)

    def set_vlan(self, index: int, vlan: PortVlan) -> None:
        self.changes += 1
        others = tuple(known for known in self.port_vlans.get(index, ()) if known.vlan != vlan.vlan)
        self.port_vlans[index] = (*others, vlan)

    def delete_vlan(self, index: int, vlan: int) -> None:
        self.changes += 1
        kept = tuple(known for known in self.port_vlans.get(index, ()) if known.vlan != vlan)
        self.port_vlans[index] = kept

    def entries(self, index: int) -> tuple[ForwardingEntry, ...]:
        return tuple(entry for entry in self.table if entry.index == index)

    def add_entry(self, entry: ForwardingEntry) -> None:
        self.changes += 1
        self.table.add(entry)

    def delete_entry(self, entry: ForwardingEntry) -> None:
        self.changes += 1
        self.table.discard(entry)

    def groups(self, index: int) -> tuple[Group, ...]:
        return self.joined.get(index, ())

    def join_group(self, index: int, group: Group) -> None:
        self.changes += 1
        self.joined[index] = tuple(sorted({*self.groups(index), group}))

    def ingress(self, index: int) -> Ingress:
        return self.ingresses.get(index, Ingress())

    def set_ingress(self, index: int, wanted: Ingress) -> None:
        self.changes += 1
        self.ingresses[index] = wanted

    def _device(self, index: int) -> Link:
        if index not in self.devices:
            raise refusal(errno.ENODEV)
        return self.devices[index]

    def _make(self, link: Link) -> None:
        self.changes += 1
        if all(known.name != link.name for known in self.devices.values()):
            index = max(self.devices, default=0) + 1
            self.devices[index] = replace(link, index=index)

    def _forget(self, index: int) -> None:
        """What a port loses when it leaves its bridge; its own filter stays its own."""
        self.port_vlans.pop(index, None)
        self.table = {entry for entry in self.table if entry.index != index or not entry.on_bridge}
