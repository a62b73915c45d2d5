"""What people do to a host's domains by hand: they start guests, and domains that are not ours come and go."""

from random import Random

from fairlead.hoststate.observed import GuestState
from fairlead.model.pci import PciAddress
from fairlead.sim import vfio
from fairlead.sim.domain import DomainState
from fairlead.sim.machine import Machine

_STRANGERS = ("theirs", "others")


def start_by_hand(machine: Machine, domain: DomainState) -> None:
    """As `virsh start`: the domain's devices are the guest's, set as they are."""
    if domain.state is not GuestState.SAVED:
        _take(machine, domain)
    domain.boot()
    machine.open_taps(domain)
    domain.is_by_hand = True


def bring_stranger(machine: Machine, name: str, address: PciAddress) -> None:
    """A domain that is not ours has the VF now, and the VF has traces of it."""
    has = (address,)
    stranger = DomainState(name, None, "", 0, has, (), "", GuestState.RUNNING, live_hostdevs=has)
    _take(machine, stranger)
    machine.domains[name] = stranger


def _take(machine: Machine, domain: DomainState) -> None:
    """Who starts something by hand looks at no traces of others."""
    machine.traces |= dict.fromkeys(domain.hostdevs, domain.name)
    for address in domain.hostdevs:
        vf = machine.vf_at(address)
        if vf is not None:
            machine.links.open((vf[0].nic.key, vf[1]))


def guest_is_started_by_hand(machine: Machine, random: Random) -> None:
    """As `virsh start` or libvirt-guests do: on its devices as they are, if nobody has them."""
    if able := _able(machine):
        start_by_hand(machine, random.choice(able))


def guest_comes_and_goes(machine: Machine, random: Random) -> None:
    """Between two looks, and nobody has seen it up: on what no other guest may have had, see `_had`."""
    able = [domain for domain in _able(machine) if domain.state is not GuestState.SAVED]
    if able := [domain for domain in able if _had(machine, domain).isdisjoint(domain.hostdevs)]:
        domain = random.choice(able)
        start_by_hand(machine, domain)
        domain.go_down(GuestState.STOPPED, "destroyed")


def guest_is_booted_by_hand(machine: Machine, random: Random) -> None:
    """It goes down and is up again between two looks, on what its domain has by now: perhaps a VF that is nobody's."""
    up = [domain for domain in machine.domains.values() if domain.server_id is not None and domain.is_up]
    if up:
        domain = random.choice(up)
        domain.go_down(GuestState.STOPPED, "destroyed")
        strange = random.choice([(), tuple(_free_vfs(machine, random)[:1])])
        domain.hostdevs += tuple(address for address in strange if address not in domain.hostdevs)
        if domain in _able(machine):
            start_by_hand(machine, domain)


def stranger_comes_or_goes(machine: Machine, random: Random) -> None:
    """A domain that is not ours takes a VF that no domain has, or gives it back."""
    name = random.choice(_STRANGERS)
    if machine.domains.pop(name, None) is None:
        _bring(machine, random, name)


def stranger_comes_and_goes(machine: Machine, random: Random) -> None:
    """Between two looks, and nobody has seen it."""
    _bring(machine, random, "nobody", _had(machine))
    machine.domains.pop("nobody", None)


def _had(machine: Machine, but: DomainState | None = None) -> frozenset[PciAddress]:
    """What domains name, up or down. A VF bears no seal once its owner's guest has had it, and who has it for a moment
    while that is down is not found out (docs/dev/known-gaps.md).
    """
    others = (domain for domain in machine.domains.values() if domain is not but)
    return frozenset(address for domain in others for address in domain.hostdevs)


def _bring(machine: Machine, random: Random, name: str, but: frozenset[PciAddress] = frozenset()) -> None:
    if free := [address for address in _free_vfs(machine, random) if address not in but]:
        address = random.choice(free)
        stranger = DomainState(name, None, "", 0, (address,), (), "")
        if vfio.refusal(machine, stranger, (address,)) is None:
            bring_stranger(machine, name, address)


def _free_vfs(machine: Machine, random: Random) -> list[PciAddress]:
    """Of one PF, those that no domain has."""
    users = machine.users()
    pf = random.choice([pf for pf in machine.pfs.values() if not pf.nic.is_management])
    return [pf.nic.vf_address(index) for index in pf.vfs if pf.nic.vf_address(index) not in users]


def _able(machine: Machine) -> list[DomainState]:
    """Guests of ours that are down, and that libvirt would start."""
    users = machine.users()
    return [
        domain
        for domain in machine.domains.values()
        if domain.server_id is not None
        and not domain.is_up
        and all(map(machine.present, domain.hostdevs))
        and users.keys().isdisjoint(domain.hostdevs)
        and vfio.refusal(machine, domain, domain.hostdevs) is None
        and machine.virtual_links.issuperset(domain.taps)
    ]
