"""Macvtaps: on the network devices of VFs that drivers of the host have.

A VF's device is set first: its MAC as its PF told it (the VF's own driver reads that as it takes the VF, and most
refuse another one), its MTU, no addresses, up. In mode passthru a macvtap has its lower device for itself.

Of multicast a macvtap passes the groups in its own list, and asks its lower device for those; what its guest joins
comes to nobody's ear here. So the groups that the port's addresses need are put there: a PF gives any VF a few. Others
pass a macvtap that takes in all of them (IFF_ALLMULTI), where its VF does: a PF grants that to one that is trusted.

Sources: Linux drivers/net/macvlan.c (macvlan_common_newlink, macvlan_set_mac_lists, macvlan_change_rx_flags),
drivers/net/macvtap.c.
"""

from collections.abc import Iterable

from fairlead.hoststate.desired import TAP_PREFIX
from fairlead.hoststate.macvtap import DesiredMacvtap, LowerDevice, ObservedMacvtap
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.faults import Act, fault, refusal
from fairlead.linux.netlink import Link, Netlink
from fairlead.linux.sysfs import PciFunction, Sysfs
from fairlead.linux.vf_binding import VfBinding
from fairlead.model.errors import Fault
from fairlead.model.ids import PortId
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress, PciAddress


def observe_macvtaps(
    netlink: Netlink, links: Iterable[Link], functions: Iterable[PciFunction], pfs: Iterable[ObservedPf]
) -> tuple[ObservedMacvtap, ...]:
    """Macvtaps of ours, by name; one message for each. Raises NetlinkRefusal."""
    by_index = {link.index: link for link in links}
    places = _places(functions, pfs)
    ours = (link for link in by_index.values() if _is_macvtap(link))
    return tuple(
        _observed(
            link, by_index.get(link.lower or 0), places.get(link.lower or 0), netlink.groups(link.index)
        )
        for link in sorted(ours, key=lambda link: link.name)
    )


def _places(functions: Iterable[PciFunction], pfs: Iterable[ObservedPf]) -> dict[int, LowerDevice]:
    """VFs by the ifindex of their network device."""
    by_address: dict[PciAddress, LowerDevice] = {}
    for pf in pfs:
        by_address |= {vf.pci_address: LowerDevice(pf.key, vf.index) for vf in pf.vfs}
    return {
        function.net.index: by_address[function.address]
        for function in functions
        if function.net is not None and function.address in by_address
    }


def _observed(
    link: Link, below: Link | None, lower: LowerDevice | None, groups: tuple[Group, ...]
) -> ObservedMacvtap:
    others = [below] if below is not None else []
    return ObservedMacvtap(
        name=link.name,
        lower=lower,
        is_passthru=link.is_passthru,
        mac=link.mac if all(other.mac == link.mac for other in others) else None,
        mtu=min(each.mtu or 0 for each in (link, *others)),
        is_up=link.is_up and below is not None and below.is_up,
        port_id=PortId(link.alias) if link.alias else None,
        groups=groups,
        all_groups=link.is_allmulti,
    )


def _missing(name: str) -> Fault:
    return fault(
        "macvtap_missing",
        Act.MAKE_MACVTAP,
        name,
        "the one that its guest has open is not there any more, and the guest would have nothing of another",
        "Its guest is asked to let go of it, and gets a new one.",
    )


def _is_macvtap(link: Link) -> bool:
    return link.kind == "macvtap" and link.name.startswith(TAP_PREFIX)


class Macvtaps:
    """Makes and removes them. Raises Fault."""

    def __init__(self, netlink: Netlink, sysfs: Sysfs, binding: VfBinding) -> None:
        self._netlink = netlink
        self._sysfs = sysfs
        self._binding = binding

    def make(self, wanted: DesiredMacvtap, pf: ObservedPf, vf_driver: str, *, is_repair: bool) -> bool:
        """See Kernel.make_macvtap."""
        try:
            return self._make(wanted, pf, vf_driver, is_repair=is_repair)
        except OSError as error:
            raise refusal(Act.MAKE_MACVTAP, wanted.name, error) from error

    def remove(self, name: str) -> None:
        """See Kernel.remove_macvtap."""
        link = self._find(name)
        try:
            if link is not None and _is_macvtap(link):
                self._netlink.delete_link(link.index)
        except OSError as error:
            raise refusal(Act.REMOVE_MACVTAP, name, error) from error

    def _make(self, wanted: DesiredMacvtap, pf: ObservedPf, vf_driver: str, *, is_repair: bool) -> bool:
        there = self._find(wanted.name)
        if is_repair and (there is None or there.alias != wanted.port_id):
            raise _missing(wanted.name)
        address = self._vf_address(wanted, pf)
        net = self._binding.give(address, vf_driver)
        if not self._has_mac(net.index, wanted.mac):
            self._binding.take(address)
            if there is not None and there.lower == net.index:
                return False
            net = self._binding.give(address, vf_driver)
        self._netlink.without_addresses(net.index)
        self._set(net.index, wanted)
        if there is not None and not (there.is_passthru and there.lower == net.index):
            if is_repair:
                raise _missing(wanted.name)
            self._netlink.delete_link(there.index)
            there = None
        if there is None:
            self._netlink.make_macvtap(wanted.name, net.index)
            there = self._expect(wanted.name)
        self._netlink.set_link(there.index, alias=wanted.port_id)
        for group in sorted({*wanted.groups} - {*self._netlink.groups(there.index)}):
            self._netlink.join_group(there.index, group)
        self._set(there.index, wanted, all_groups=wanted.all_groups)
        return True

    def _has_mac(self, index: int, mac: MacAddress) -> bool:
        """Whether the VF's device has it, or takes it. That it says no (EADDRNOTAVAIL, EPERM) is no failure yet."""
        if self._netlink.plain_link(index).mac == mac:
            return True
        try:
            self._netlink.set_link(index, mac=mac)
        except OSError:
            return False
        return self._netlink.plain_link(index).mac == mac

    def _set(self, index: int, wanted: DesiredMacvtap, *, all_groups: bool | None = None) -> None:
        """Up, with the MAC and MTU; what it is told already it is not told again."""
        link = self._netlink.plain_link(index)
        mac = None if link.mac == wanted.mac else wanted.mac
        mtu = None if link.mtu == wanted.mtu else wanted.mtu
        self._netlink.set_link(index, up=True, mac=mac, mtu=mtu, allmulti=all_groups)

    def _vf_address(self, wanted: DesiredMacvtap, pf: ObservedPf) -> PciAddress:
        function = self._sysfs.function(pf.pci_address)
        address = dict(function.virtual).get(wanted.lower.vf_index) if function else None
        if address is None:
            said = f"VF {wanted.lower.vf_index} of {pf.name or pf.pci_address} is not there"
            raise fault("vf_missing", Act.MAKE_MACVTAP, wanted.name, said)
        return address

    def _find(self, name: str) -> Link | None:
        return next((link for link in self._netlink.links() if link.name == name), None)

    def _expect(self, name: str) -> Link:
        link = self._find(name)
        if link is None:
            raise fault("link_missing", Act.MAKE_MACVTAP, name, "it was made, and is not there")
        return link
