"""A simulated machine: its hardware as it runs, its domains, and what shall go wrong with it."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fairlead.hoststate.observed import GuestState
from fairlead.model.errors import Failure, Fault
from fairlead.model.ids import PfKey
from fairlead.model.infiniband import Guid, PartitionKey
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vf import VfSettings, baseline_of, differences
from fairlead.model.vsi import VdpResponse, VsiSettings
from fairlead.sim.domain import DomainState
from fairlead.sim.drivers import FABRIC, as_made, fields_of, refusal_of
from fairlead.sim.hardware import Hardware, Nic
from fairlead.sim.host_links import HostLinks
from fairlead.sim.switch import Switch

_FIRST_MTU = 1500

BeforeCall = Callable[[str], None]
"""Called with the name of each call that the agent makes, and of each part of one, before it is done: where a
test lets the agent die, or the world change.
"""


def ignore_call(act: str) -> None:
    """Before a call nothing happens, but in tests."""


@dataclass(slots=True)
class PfState:
    """A PF that is plugged in: `vfs` by index, `has_cable` False: it never gets a link. `has_driver` False: no driver
    of the host has it. `births`: how many network devices it has had before the one of now.
    """

    nic: Nic
    mtu: int = _FIRST_MTU
    is_up: bool = False
    has_cable: bool = True
    is_present: bool = True
    has_driver: bool = True
    births: int = 0
    vfs: dict[int, VfSettings] = field(default_factory=dict)
    partitions: tuple[PartitionKey, ...] = FABRIC
    """The table of an InfiniBand port, as its subnet manager filled it."""

    @property
    def link_up(self) -> bool | None:
        """As carrier: None while the PF is down."""
        return self.has_cable if self.is_up else None


@dataclass(slots=True)
class Troubles:
    """What shall go wrong. `refused_fields`: VF fields that every driver says EOPNOTSUPP to.

    `ignored_fields`: those it accepts and does not keep. `hanging`: acts (`set_vf`, `start`...) that time out,
    this many times. `libvirt_is_away`: as while it restarts; its guests run on. `deaf_guests`: names of domains
    whose guests do not let go of a device when they are asked. `vdp_response`: what bridges refuse every VSI with.
    `is_echoing`: NICs hand their PF its own frames back, and lldpad, in its first form, takes them for the bridge's.
    """

    refused_fields: frozenset[str] = frozenset()
    ignored_fields: frozenset[str] = frozenset()
    hanging: dict[str, int] = field(default_factory=dict)
    libvirt_is_away: bool = False
    deaf_guests: frozenset[str] = frozenset()
    vdp_response: VdpResponse | None = None
    is_bridge_silent: bool = False
    is_echoing: bool = False
    is_lldpad_away: bool = False


class Machine:
    """One machine. Everything that outlives its agent is here; whoever holds it may change anything."""

    def __init__(self, hardware: Hardware) -> None:
        self.hardware = hardware
        self.boots = 1
        self.pfs = {nic.key: PfState(nic, is_up=nic.is_management) for nic in hardware.nics}
        self.links = HostLinks()
        self.domains: dict[str, DomainState] = {}
        self.troubles = Troubles()
        self.switch = Switch()
        self.mishaps: list[str] = []
        """What must never happen: a VF destroyed under a guest, a device in two guests."""
        self.host_addresses: dict[PciAddress, str] = {}
        """What the host itself uses: an address with prefix length on the network device of a PF or VF."""
        self.traces: dict[PciAddress, str] = {}
        """Name of the domain that last had a VF or plain device, until it is reset."""
        self.told: dict[tuple[PfKey, int], MacAddress | Guid] = {}
        """The first MAC or GUID that a VF was told since it was last at its baseline with no domain on it."""
        self.vsis: dict[PfKey, dict[str, VsiSettings]] = {}
        """What the bridge at a PF's other end has associated, by instance id."""
        self.imagined: dict[PfKey, dict[str, VsiSettings]] = {}
        """What lldpad, where it heard itself, tells as associated besides."""
        self.ours: frozenset[PciAddress] = frozenset()
        """VFs that the host's network managers leave alone."""
        self.fuse: BeforeCall = ignore_call
        self.recounted: set[PfKey] = set()
        """PFs whose number of VFs was changed by hand."""

    @property
    def boot_id(self) -> str:
        """As /proc/sys/kernel/random/boot_id: another after each boot."""
        return f"00000000-0000-4000-8000-{self.boots:012d}"

    @property
    def virtual_links(self) -> set[str]:
        """Names of the network devices that are no hardware: bridges, taps and macvtaps."""
        return self.links.virtual

    def reboot(self) -> None:
        """Power lost and back: domains are defined and down, VFs, bridges and taps are gone."""
        self.boots += 1
        for domain in self.domains.values():
            if domain.state is not GuestState.SAVED:
                domain.go_down(GuestState.STOPPED, "shutdown")
        for pf in self.pfs.values():
            pf.vfs.clear()
            pf.mtu, pf.is_up, pf.has_driver = _FIRST_MTU, pf.nic.is_management, True
        self.links.clear()
        self.traces.clear()
        self.told.clear()
        self.vsis.clear()
        self.imagined.clear()

    def users(self) -> dict[PciAddress, DomainState]:
        """Which domain has a device now, itself or by a macvtap."""
        tapped = {
            self.pfs[vf[0]].nic.vf_address(vf[1]): domain
            for domain in self.domains.values()
            for name in domain.live_taps
            if (vf := self.links.below.get(name)) is not None and self.has_open(domain, name)
        }
        return self.passed_through() | tapped

    def passed_through(self) -> dict[PciAddress, DomainState]:
        """Which domain a device is given to: vfio-pci has it."""
        return {
            address: domain
            for domain in self.domains.values()
            if domain.is_up
            for address in domain.live_hostdevs
        }

    def open_taps(self, domain: DomainState) -> None:
        """QEMU opens all that the domain has and has not open."""
        for name in domain.live_taps:
            domain.opened.setdefault(name, self.links.births.get(name, 0))

    def has_open(self, domain: DomainState, name: str) -> bool:
        """Whether the tap that the domain has is the one that is there now."""
        is_there = name in self.virtual_links and domain.is_up
        return is_there and domain.opened.get(name) == self.links.births.get(name, 0)

    def present(self, address: PciAddress) -> bool:
        """Whether a device with that address is there."""
        return address in self.addresses()

    def vf_at(self, address: PciAddress) -> tuple[PfState, int] | None:
        """The VF with that address; None when there is none."""
        for pf in self.pfs.values():
            for index in pf.vfs if pf.is_present else ():
                if pf.nic.vf_address(index) == address:
                    return pf, index
        return None

    def pf_at(self, address: PciAddress) -> PfState | None:
        """The PF with that address, whoever has it; None when there is none."""
        found = (pf for pf in self.pfs.values() if pf.is_present and pf.nic.pci_address == address)
        return next(found, None)

    def give(self, domain: DomainState, addresses: tuple[PciAddress, ...]) -> dict[PciAddress, str]:
        """As vfio-pci takes a domain's devices: a PF's own driver lets it go first, and its VFs with it. Which
        of them have traces of another domain.
        """
        found: dict[PciAddress, str] = {}
        for address in addresses:
            pf = self.pf_at(address)
            if pf is not None:
                self._destroy_vfs(pf, f"{pf.nic.name} was given to {domain.name}")
                self._lose_link(pf)
                continue
            vf = self.vf_at(address)
            if vf is not None:
                self.links.open((vf[0].nic.key, vf[1]))
            if self.traces.get(address, domain.name) != domain.name:
                found[address] = self.traces[address]
            self.traces[address] = domain.name
        return found

    def pull(self, key: PfKey) -> None:
        """The PF falls off the bus with its VFs and all that was left on it; guests that had one run on without."""
        pf = self.pfs[key]
        self.traces.pop(pf.nic.pci_address, None)
        self._take_away({pf.nic.pci_address, *map(pf.nic.vf_address, pf.vfs)})
        self._destroy_vfs(pf, "the PF is gone")
        pf.is_present = False
        self._lose_link(pf)

    def plug(self, key: PfKey, address: PciAddress) -> None:
        """The PF that was pulled is back, bare, in a slot of that address."""
        pf = self.pfs[key]
        pf.nic, pf.is_present = replace(pf.nic, pci_address=address), True

    def recount(self, key: PfKey, num_vfs: int) -> None:
        """Somebody writes sriov_numvfs by hand: vfio asks guests for their VFs, and they run on without."""
        pf = self.pfs[key]
        if not self.has_network_device(pf):
            return
        self._take_away(set(map(pf.nic.vf_address, pf.vfs)))
        self.set_num_vfs(key, 0)
        self.set_num_vfs(key, num_vfs)
        self.recounted.add(key)

    def unload(self, key: PfKey) -> None:
        """The PF's driver lets it go: its VFs are destroyed, and guests that had one run on without."""
        pf = self.pfs[key]
        if self.has_network_device(pf):
            self._take_away(set(map(pf.nic.vf_address, pf.vfs)))
            self._destroy_vfs(pf, "its PF's driver was unloaded")
            pf.has_driver = False
            self._lose_link(pf)

    def load(self, key: PfKey) -> None:
        """The PF's driver takes it again: bare, and down."""
        self.pfs[key].has_driver = True

    def rename(self, key: PfKey, name: str) -> None:
        """Its network device is called so from now on."""
        self.pfs[key].nic = replace(self.pfs[key].nic, name=name)

    def reset_pf(self, key: PfKey) -> None:
        """The PF is reset, and its VFs are where they are, with nothing of what they were told."""
        pf = self.pfs[key]
        pf.vfs = dict.fromkeys(pf.vfs, as_made(pf.nic))

    def rebind(self, key: PfKey, index: int, driver: str | None) -> None:
        """That driver of the host, or none, has the VF: vfio asks the guest that had it, and it runs on without."""
        pf = self.pfs[key]
        self._take_away({pf.nic.vf_address(index)})
        self.links.take((key, index))
        if driver is not None:
            self.links.give((key, index), driver, pf.vfs[index].mac)

    def has_network_device(self, pf: PfState) -> bool:
        """Whether a network driver of the host has the PF."""
        return pf.is_present and pf.has_driver and pf.nic.pci_address not in self.users()

    def reset(self, address: PciAddress) -> None:
        """A function-level reset: nothing of its last guest is left on it."""
        user, vf = self.users().get(address), self.vf_at(address)
        if user is not None and user.server_id is not None:
            self.mishaps.append(f"{address} was reset under {user.name}")
        if vf is not None:
            self.links.take((vf[0].nic.key, vf[1]))
            self._forget_identity(*vf)
        self.traces.pop(address, None)

    def set_num_vfs(self, key: PfKey, num_vfs: int) -> None:
        """As a write to sriov_numvfs (drivers/pci/pci-sysfs.c): ERANGE, EBUSY, or every VF anew."""
        pf = self.pfs[key]
        if num_vfs > pf.nic.total_vfs:
            raise OSError(errno.ERANGE, "Numerical result out of range")
        if num_vfs == len(pf.vfs):
            return
        if num_vfs and pf.vfs:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self._destroy_vfs(pf, "the number of VFs was changed")
        pf.vfs = dict.fromkeys(range(num_vfs), as_made(pf.nic))

    def write_vf(self, key: PfKey, index: int, settings: VfSettings, fields: tuple[str, ...]) -> None:
        """As RTM_SETLINK: fields in the kernel's order, up to the first that the driver refuses."""
        pf = self.pfs[key]
        for name in fields:
            self.before_call(f"set {name}")
            number = self._refusal(pf, settings, name)
            if number is not None:
                raise OSError(number, _spelt(number))
            if name not in self.troubles.ignored_fields:
                pf.vfs[index] = self._written(pf, index, settings, name)
                self._note_identity(pf, index, name)

    def tell_vfs(self, key: PfKey) -> dict[int, VfSettings]:
        """The VFs as their PF's driver tells of them to whoever looks now. Raises OSError."""
        pf, switch = self.pfs[key], self.switch
        if not pf.nic.takes_associations:
            return dict(pf.vfs)
        if switch.get_errno == errno.EMSGSIZE:
            raise OSError(errno.EMSGSIZE, "Message too long")
        for index, vf in pf.vfs.items():
            pf.vfs[index] = replace(vf, association=switch.look((key, index), vf.association))
            self._forget_identity(pf, index)  # the switch ends an association later than it is asked to
        if switch.get_errno is not None:
            return {index: replace(vf, association=None) for index, vf in pf.vfs.items()}
        if not pf.nic.tells_macs:
            only = ((index, vf.association) for index, vf in pf.vfs.items())
            return {index: VfSettings(association=made, is_mac_told=False) for index, made in only}
        return dict(pf.vfs)

    def before_call(self, act: str) -> None:
        """The agent is about to do this: its fuse burns."""
        self.fuse(act)

    def called(self, act: str) -> None:
        """The agent calls. Raises Fault as a timed-out call does, where the act is to hang."""
        self.before_call(act)
        left = self.troubles.hanging.get(act, 0)
        if left:
            self.troubles.hanging[act] = left - 1
            raise Fault(Failure("timeout", "Waiting for", act, "no answer in time", "It is tried again."))

    def lose_association(self, key: PfKey, index: int) -> None:
        """The switch forgets the VF, or the PF's driver begins anew: nothing was ever asked."""
        vfs = self.pfs[key].vfs
        vfs[index] = replace(vfs[index], association=None)

    def _written(self, pf: PfState, index: int, settings: VfSettings, name: str) -> VfSettings:
        seen = pf.vfs[index]
        if name != "association":
            return _with(seen, settings, name)
        asked = self.switch.ask((pf.nic.key, index), seen.association, settings.association)
        return replace(seen, association=asked)

    def _lose_link(self, pf: PfState) -> None:
        pf.mtu, pf.is_up, pf.births = _FIRST_MTU, False, pf.births + 1
        self.vsis.pop(pf.nic.key, None)
        self.imagined.pop(pf.nic.key, None)

    def _take_away(self, gone: set[PciAddress]) -> None:
        for domain in self.domains.values():
            domain.live_hostdevs = tuple(address for address in domain.live_hostdevs if address not in gone)
        for vf in list(self.links.vfs):
            if self.pfs[vf[0]].nic.vf_address(vf[1]) in gone:
                self.links.take(vf)

    def _destroy_vfs(self, pf: PfState, why: str) -> None:
        users = self.users()
        for index in pf.vfs:
            address = pf.nic.vf_address(index)
            self.traces.pop(address, None)
            self.told.pop((pf.nic.key, index), None)
            if address in users:
                self.mishaps.append(
                    f"VF {index} of {pf.nic.name} was destroyed under {users[address].name}: {why}"
                )
            self.links.open((pf.nic.key, index))
        pf.vfs = {}

    def _note_identity(self, pf: PfState, index: int, written: str) -> None:
        """A MAC or GUID is somebody's: two of them written without the baseline between are a handover without a scrub.
        Where a cleared MAC is refused, the baseline has nobody's.
        """
        name, now = (pf.nic.key, index), pf.vfs[index]
        if self._forget_identity(pf, index) or written not in {"mac", "port_guid"}:
            return
        user, identity = self.users().get(pf.nic.vf_address(index)), now.mac or now.port_guid
        if identity is not None and self.told.setdefault(name, identity) != identity and user is not None:
            self.mishaps.append(f"{user.name} runs on VF {index} of {pf.nic.name}, which got {identity}")

    def _forget_identity(self, pf: PfState, index: int) -> bool:
        """Whether it is at its baseline and nobody has it: what it was told is nobody's then."""
        has_user = self.users().get(pf.nic.vf_address(index)) is not None
        is_nobodys = not has_user and not differences(baseline_of(pf.nic.link_layer), pf.vfs[index])
        if is_nobodys:
            self.told.pop((pf.nic.key, index), None)
        return is_nobodys

    def _refusal(self, pf: PfState, settings: VfSettings, name: str) -> int | None:
        """Errno of what the driver says to one field, None for yes."""
        if name in self.troubles.refused_fields or name not in fields_of(pf.nic):
            return errno.EOPNOTSUPP
        if name == "partition_key" and settings.partition_key not in (None, *pf.partitions):
            return errno.ENOENT
        return refusal_of(pf.nic, settings, name, link_up=bool(pf.link_up))

    def addresses(self) -> set[PciAddress]:
        """Where devices are now."""
        pfs = [pf for pf in self.pfs.values() if pf.is_present]
        found = {device.pci_address for device in self.hardware.plain} | {pf.nic.pci_address for pf in pfs}
        return found | {pf.nic.vf_address(index) for pf in pfs for index in pf.vfs}


def _with(seen: VfSettings, wanted: VfSettings, name: str) -> VfSettings:
    """`dataclasses.replace` with one name that is not known before; built by hand it is typed."""
    changed = {field_name: getattr(seen, field_name) for field_name in VfSettings.__slots__}
    changed[name] = getattr(wanted, name)
    return VfSettings(**changed)


def _spelt(number: int) -> str:
    """Linux gives 95 two names, and the kernel uses the second."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode[number]
