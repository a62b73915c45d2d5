"""Network devices of a simulated host that are no PFs: bridges, taps, VFs that its own drivers have, macvtaps."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fairlead.model.ids import PfKey
from fairlead.model.multicast import Group
from fairlead.model.pci import MacAddress

VfName = tuple[PfKey, int]


@dataclass(slots=True)
class VfDevice:
    """The network device that a driver of the host made of a VF; it read its MAC then."""

    driver: str
    mac: MacAddress | None
    mtu: int = 1500
    is_up: bool = False
    is_told: bool = False
    """Whether the VF's driver_override names its driver."""
    address: str | None = None
    """That somebody put on it, with prefix length; it goes with the device."""


@dataclass(slots=True)
class HostLinks:
    """`virtual`: names of bridges, taps and macvtaps. `below`: what VF a macvtap is on. `births`: which making of a
    name it is, for who has the one of before open has nothing. `groups`: multicast groups that a macvtap takes in;
    `allmulti`: those that take in all of them. `seals`: VFs whose driver_override is the agent's seal.
    `held`: VFs that somebody outside libvirt has open through vfio.
    """

    virtual: set[str] = field(default_factory=set)
    below: dict[str, VfName] = field(default_factory=dict)
    births: dict[str, int] = field(default_factory=dict)
    vfs: dict[VfName, VfDevice] = field(default_factory=dict)
    groups: dict[str, frozenset[Group]] = field(default_factory=dict)
    allmulti: set[str] = field(default_factory=set)
    seals: set[VfName] = field(default_factory=set)
    held: set[VfName] = field(default_factory=set)

    def make(self, name: str, below: VfName | None = None) -> None:
        """It is there, if it was not, on that VF if it is a macvtap."""
        if name in self.virtual:
            return
        self.virtual.add(name)
        self.births[name] = self.births.get(name, 0) + 1
        self.below.pop(name, None)
        self.groups.pop(name, None)
        self.allmulti.discard(name)
        if below is not None:
            self.below[name] = below

    def hear(self, name: str, groups: Iterable[Group] = (), *, allmulti: bool | None = None) -> None:
        """It takes in these groups besides, and all of them or no longer all."""
        self.groups[name] = self.groups.get(name, frozenset()) | frozenset(groups)
        if allmulti is not None:
            (self.allmulti.add if allmulti else self.allmulti.discard)(name)

    def give(self, vf: VfName, driver: str, mac: MacAddress | None) -> VfDevice:
        """The driver has the VF now."""
        self.seals.discard(vf)
        known = self.vfs.get(vf)
        if known is None or known.driver != driver:
            self.take(vf)
            known = self.vfs[vf] = VfDevice(driver, mac)
        return known

    def take(self, vf: VfName) -> None:
        """No driver has the VF; its network device goes, and what is on it."""
        self.vfs.pop(vf, None)
        self.virtual.difference_update(self.on(vf))

    def seal(self, vf: VfName) -> None:
        """No driver has it, and who takes it breaks the seal."""
        self.take(vf)
        self.seals.add(vf)

    def open(self, vf: VfName) -> None:
        """A guest takes it, or it goes."""
        self.take(vf)
        self.seals.discard(vf)
        self.held.discard(vf)

    def hold(self, vf: VfName) -> None:
        """Somebody outside libvirt has vfio-pci take it, and has it open."""
        self.give(vf, "vfio-pci", None)
        self.held.add(vf)

    def on(self, vf: VfName) -> list[str]:
        """Macvtaps on the VF."""
        return [name for name, below in self.below.items() if below == vf and name in self.virtual]

    def clear(self) -> None:
        """The host booted."""
        self.virtual.clear()
        self.below.clear()
        self.vfs.clear()
        self.seals.clear()
        self.held.clear()
