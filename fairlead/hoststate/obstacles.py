"""Why nothing may be done for a server now: what it needs is somebody else's, or not ours to touch."""

from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.hoststate.desired import DesiredGuest
from fairlead.hoststate.likeness import uplink_use
from fairlead.hoststate.lookup import Lookup
from fairlead.hoststate.unnamed import withheld
from fairlead.model.host import Hold
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import DeviceKind, PciAddress

_NOT_MANAGED = (
    "its PF is not managed here: no device policy matches it, it carries the host's default route,"
    " or it is passed through itself"
)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the earlier stages of the same plan do."""

    goes_down: frozenset[ServerId]
    remade: frozenset[PfKey]
    family_keys: frozenset[str]


def obstacles(lookup: Lookup, server_id: ServerId, ahead: Ahead) -> Iterator[Hold]:
    """Why nothing may be done for this server now: a device of it is somebody else's, or not ours."""
    for vf in lookup.vfs_of(server_id):
        pf = lookup.pfs.get(vf.pf)
        user = lookup.users.get(pf.pci_address) if pf else None
        name, what = f"{vf.pf}/vf{vf.index}", f"configure it for server {server_id}"
        if pf is not None and lookup.managed(vf.pf) is None:
            yield Hold(name, what, _NOT_MANAGED, server_id=server_id)
        elif user is not None:
            yield Hold(name, what, "a guest has its PF whole", (user,), server_id)
    wanted, give = lookup.wanted.get(server_id), f"give the device to server {server_id}"
    used = lookup.host_uses
    for address in dict.fromkeys(
        (*_configured(lookup, server_id), *(_taken(lookup, wanted) if wanted else ()))
    ):
        user = lookup.users.get(address)
        if address in lookup.foreign:
            yield Hold(address, give, f"{lookup.foreign[address]} has it", server_id=server_id)
        elif user is not None and user != server_id and user not in ahead.goes_down:
            yield Hold(address, give, "another guest has it", (user,), server_id)
        elif user is None and address in used:
            yield Hold(address, give, f"the host uses it: it {used[address]}", server_id=server_id)
    yield from _unbridged(lookup, server_id)
    whole = whole_pfs(wanted) if wanted else ()
    yield from withheld(lookup, server_id, lookup.taps_of(server_id), whole)


def _unbridged(lookup: Lookup, server_id: ServerId) -> Iterator[Hold]:
    """Bridges of its taps that cannot be made, for the host uses their uplink itself."""
    names = {tap.bridge for tap in lookup.taps_of(server_id)}
    for bridge in lookup.desired.bridges:
        uplink = uplink_use(lookup, bridge) if bridge.name in names else None
        if uplink is not None:
            what = f"put it on bridge {bridge.name} for server {server_id}"
            why = f"the host uses it: it {uplink.host_use}"
            yield Hold(uplink.pci_address, what, why, server_id=server_id)


def _configured(lookup: Lookup, server_id: ServerId) -> Iterator[PciAddress]:
    """The addresses of the VFs that the server's ports have, with a guest or without."""
    for vf in lookup.vfs_of(server_id):
        if seen := lookup.vfs.get((vf.pf, vf.index)):
            yield seen.pci_address


def _taken(lookup: Lookup, wanted: DesiredGuest) -> Iterator[PciAddress]:
    """The addresses of the guest's devices; a PF takes its VFs with it."""
    yield from lookup.addresses(wanted).values()
    for key in whole_pfs(wanted):
        pf = lookup.pfs.get(key)
        yield from (vf.pci_address for vf in pf.vfs) if pf else ()


def whole_pfs(wanted: DesiredGuest) -> tuple[PfKey, ...]:
    """Keys of the PFs that the guest has whole."""
    return tuple(PfKey(hostdev.key) for hostdev in wanted.hostdevs if hostdev.kind is DeviceKind.PF)
