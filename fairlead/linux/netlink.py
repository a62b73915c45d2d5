"""rtnetlink as Fairlead needs it: plain values in and out. `rtnetlink.RtNetlink` speaks it to the kernel,
the simulator answers it from memory.

Sources: include/uapi/linux/if_link.h, if_bridge.h, neighbour.h, pkt_sched.h; net/core/rtnetlink.c.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from fairlead.model.diagnostics import NicCounters
from fairlead.model.infiniband import Guid
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress
from fairlead.model.vf import VfSettings


class NetlinkRefusal(OSError):
    """The kernel's no: `errno`, and `strerror` with its extended answer (extack) where it gave one."""


@dataclass(frozen=True, slots=True)
class Link:
    """A network device. `carrier` None while it is down. `kind` None: hardware. `master`: ifindex of its bridge.

    `permanent_mac` None: the driver does not say (IFLA_PERM_ADDRESS, Linux 5.6).
    `filters_vlans` None: not a bridge.
    """

    index: int
    name: str
    mac: MacAddress | None = None
    permanent_mac: MacAddress | None = None
    mtu: int | None = None
    is_up: bool = False
    carrier: bool | None = None
    kind: str | None = None
    master: int | None = None
    alias: str | None = None
    """Free text that the device carries (IFLA_IFALIAS); a tap's is its port's id."""
    filters_vlans: bool | None = None
    port: "BridgePort | None" = None
    """How it takes part in its bridge; None when it is on none."""
    takes_associations: bool = False
    """Its driver has 802.1Qbh's operations for VFs (IFLA_VF_PORTS), and VFs: told with them alone."""
    guid: Guid | None = None
    """Of its port, where it is one of InfiniBand: such a device has no MAC address."""
    lower: int | None = None
    """Ifindex of what it is on (IFLA_LINK): of a macvtap or VLAN."""
    is_passthru: bool = False
    """It is a macvtap that has what it is on for itself, and does not make that promiscuous."""
    is_allmulti: bool = False
    """Somebody wants it to take in all multicast groups (IFF_ALLMULTI)."""


@dataclass(frozen=True, slots=True)
class BridgePort:
    """A bridge port's switches. `locked`: a frame whose source is not in the forwarding table is dropped."""

    learning: bool = True
    flood: bool = True
    locked: bool = False


@dataclass(frozen=True, slots=True)
class PortVlan:
    """A VLAN that a bridge port carries; `untagged`: it is the port's own (PVID) and leaves without a tag."""

    vlan: int
    untagged: bool


@dataclass(frozen=True, slots=True)
class ForwardingEntry:
    """Frames for `mac` (in `vlan`) leave through the device. `vlan` None: in none.

    `on_bridge`: a static, sticky entry of the bridge's table (a static one that is not sticky moves to any
    port where a frame from that MAC comes in: net/bridge/br_fdb.c, br_fdb_update); else an address in the
    device's own unicast filter (bridge fdb ... self).
    """

    index: int
    mac: MacAddress
    vlan: int | None
    on_bridge: bool


UNKNOWN_SOURCE = "?"
"""A prefix that nobody asks for: stands for filters that somebody has changed."""


@dataclass(frozen=True, slots=True)
class Ingress:
    """What may come in at a device: so much, kbit/s (None: no limit), and what a guest of that MAC may say (None:
    anything), with IP and ARP from these prefixes alone (empty: any address). See guest_program.
    """

    rate_kbps: int | None = None
    sources: tuple[str, ...] = ()
    mac: MacAddress | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A way out through a device, IPv4 or IPv6, of the main table. `destination` is "default" or a network."""

    index: int
    destination: str

    @property
    def is_default(self) -> bool:
        """Whether all that has no better way goes there."""
        return self.destination == "default"


class LinkChanges(Protocol):
    """What happens to network devices since it was opened."""

    def wait(self, seconds: float) -> bool:
        """Until something has happened to one of them; False when the time is up."""
        ...


class Netlink(Protocol):
    """Network devices by ifindex. A refusal is NetlinkRefusal; a device that is gone, one with ENODEV."""

    def links(self) -> tuple[Link, ...]:
        """All network devices of this namespace, without VFs and statistics."""
        ...

    def link(self, index: int) -> tuple[Link, Mapping[int, VfSettings]]:
        """One device with its VFs by index, in one request. A VF's association is what was asked last and answered."""
        ...

    def plain_link(self, index: int) -> Link:
        """One device without its VFs: to ask for those makes a driver gather them all."""
        ...

    def vf_counters(self, index: int) -> Mapping[int, NicCounters]:
        """What each VF of the device has received and sent; without those of which its driver counts nothing."""
        ...

    def set_vf(self, index: int, vf: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """Write the named fields in one message. The kernel stops at the first it refuses. An association is asked for,
        and answered later.
        """
        ...

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
        """None leaves a thing as it is. It is up before it takes in all groups."""
        ...

    def link_changes(self) -> AbstractContextManager[LinkChanges]:
        """Open it before what shall be waited for, or that is missed."""
        ...

    def routes(self) -> tuple[Route, ...]:
        """Default routes, and those that somebody made: not what follows from an address or a router's word."""
        ...

    def addresses(self) -> tuple[tuple[int, str], ...]:
        """Ifindex and address with prefix length, but for link-local ones, the loopback's, and those that the
        kernel made itself of a router's word.
        """
        ...

    def make_bridge(self, name: str) -> None:
        """Create it, or change the one there is: filters VLANs, gives new ports none, has no addresses."""
        ...

    def make_tap(self, name: str) -> None:
        """A persistent tap with virtio-net headers and no addresses; nothing when it is there."""
        ...

    def make_macvtap(self, name: str, lower: int) -> None:
        """Create it on that device, in mode passthru, without addresses; EEXIST when the name is taken. What it is on
        takes in what is for its MAC and groups alone, unless somebody else asks for more.
        """
        ...

    def without_addresses(self, index: int) -> None:
        """No IPv6 address of its own when it comes up: the host shall not speak on a guest's network."""
        ...

    def delete_link(self, index: int) -> None:
        """Remove a virtual device; a persistent tap goes with it."""
        ...

    def join(self, index: int, bridge: int, port: BridgePort) -> None:
        """Put it on the bridge, or keep it there, with these switches."""
        ...

    def leave(self, index: int) -> None:
        """Take it off its bridge."""
        ...

    def vlans(self) -> Mapping[int, tuple[PortVlan, ...]]:
        """VLANs of all bridge ports, by ifindex."""
        ...

    def set_vlan(self, index: int, vlan: PortVlan) -> None:
        """Let the port carry it."""
        ...

    def delete_vlan(self, index: int, vlan: int) -> None:
        """No longer carry it; nothing when it does not."""
        ...

    def entries(self, index: int) -> tuple[ForwardingEntry, ...]:
        """Those of one bridge port, without learnt ones and the host's own addresses."""
        ...

    def add_entry(self, entry: ForwardingEntry) -> None:
        """Make it; nothing when it is there."""
        ...

    def delete_entry(self, entry: ForwardingEntry) -> None:
        """Take it away; nothing when it is not there."""
        ...

    def groups(self, index: int) -> tuple[Group, ...]:
        """Multicast groups that the device takes in, in order: those of `join_group`, and of the host's own stack."""
        ...

    def join_group(self, index: int, group: Group) -> None:
        """Have it take in the group's frames; nothing when it does."""
        ...

    def ingress(self, index: int) -> Ingress:
        """What may come in at the device (at a tap: what the guest may send)."""
        ...

    def set_ingress(self, index: int, wanted: Ingress) -> None:
        """Drop what comes in otherwise. While it changes, what passes is what the old or the new one lets."""
        ...
