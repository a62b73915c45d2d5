"""What befalls hosts: people who change things by hand, guests that fall over, cards, power, libvirt."""

import errno
from collections.abc import Callable
from dataclasses import replace
from random import Random

from fairlead.hoststate.observed import GuestState
from fairlead.model.association import ERROR, INSUFFICIENT_RESOURCES, INVALID
from fairlead.model.infiniband import Guid
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress
from fairlead.model.vf import BASELINE, LinkState, VfSettings
from fairlead.model.vsi import VdpResponse
from fairlead.sim import by_hand, vfio
from fairlead.sim.drivers import FABRIC
from fairlead.sim.machine import BeforeCall, Machine, PfState, Troubles
from fairlead.sim.switch import Switch

_STRANGER = MacAddress("02:00:00:00:00:01")
_GUID = Guid("02:00:00:00:00:00:00:01")
_SLOTS = ("3b", "3c", "41", "42", "af", "b0", "c1", "c2")
_OTHER_NAMES = {"ens1f0": "lan7", "ens2f0": "lan8", "ibs3": "fabric7", "ibs4": "fabric8"}
_FIRST_NAMES = {other: first for first, other in _OTHER_NAMES.items()}
_FIELDS = ("vlan", "trust", "mac", "max_rate_mbps", "port_guid")
_ACTS = (
    "set_vf",
    "set_up",
    "set_num_vfs",
    "start",
    "stop",
    "attach",
    "detach",
    "define",
    "pause",
    "resume",
    "save",
    "make_disk",
    "keep_disk",
    "restore_disk",
    "drop_disk",
    "observe",
    "make_tap",
    "make_macvtap",
    "make_bridge",
    "reset_vf",
    "reset_device",
    "read_vsis",
    "associate",
    "disassociate",
)


class Mischief:
    """Strikes machines at random; `calm` puts right what no agent can. The same seed does the same."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def strike(self, machine: Machine) -> str:
        """One blow; its name."""
        blow = self._random.choice(_BLOWS)
        blow(machine, self._random)
        return blow.__name__.lstrip("_")

    @staticmethod
    def calm(machine: Machine) -> None:
        """Cards and cables are back in, libvirt answers, drivers do as they are told, strangers are gone, and so are
        the host's drivers from VFs without a macvtap.
        """
        machine.troubles, machine.switch = Troubles(), Switch()
        for pf in machine.pfs.values():
            if not pf.is_present:
                machine.plug(pf.nic.key, _free_slots(machine)[0])
            pf.has_cable = pf.has_driver = True
            machine.rename(pf.nic.key, _FIRST_NAMES.get(pf.nic.name, pf.nic.name))
        for vf in [vf for vf in machine.links.vfs if not machine.links.on(vf)]:
            machine.links.take(vf)
        for name in [name for name, domain in machine.domains.items() if domain.server_id is None]:
            del machine.domains[name]
        for key in sorted(machine.recounted):
            machine.recount(key, 0)
        machine.recounted.clear()


class AgentDied(BaseException):
    """The simulated agent process is gone, between two of its calls."""


def dies_after(calls: int) -> BeforeCall:
    """A `before_call` that lets the agent die after so many calls."""
    left = [calls]

    def before_call(act: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise AgentDied(act)

    return before_call


def _drift(machine: Machine, random: Random) -> None:
    """Somebody sets a VF by hand (`ip link set ... vf`)."""
    pf = _data_nic(machine, random)
    if pf.vfs:
        index = random.choice(list(pf.vfs))
        drifted = _of_fabric if pf.nic.link_layer is LinkLayer.INFINIBAND else _of_ethernet
        pf.vfs[index] = drifted(pf, pf.vfs[index], random)


def _of_ethernet(_: PfState, vf: VfSettings, random: Random) -> VfSettings:
    changed = replace(vf, trust=True, vlan=random.choice([None, 7]))
    return random.choice([changed, replace(BASELINE, mac=_STRANGER, link_state=LinkState.DISABLE)])


def _of_fabric(pf: PfState, vf: VfSettings, random: Random) -> VfSettings:
    """What its driver can be told of it: mlx4's VF is in a partition, and has one GUID; mlx5's has a link and two."""
    if pf.nic.has_files:
        return replace(vf, port_guid=_GUID, node_guid=_GUID, partition_key=random.choice(FABRIC))
    changed = replace(vf, port_guid=_GUID, link_state=LinkState.ENABLE)
    return random.choice([changed, replace(vf, node_guid=_GUID, link_state=LinkState.DISABLE)])


def _pf_goes_down(machine: Machine, random: Random) -> None:
    _data_nic(machine, random).is_up = False


def _guest_falls_over(machine: Machine, random: Random) -> None:
    running = [domain for domain in machine.domains.values() if domain.is_up]
    if running:
        domain = random.choice(running)
        state = random.choice([GuestState.STOPPED, GuestState.CRASHED, GuestState.PAUSED])
        if state is GuestState.PAUSED:
            domain.state, domain.reason = state, "by itself"
        else:
            domain.go_down(state, "by itself")


def _guest_goes_deaf(machine: Machine, random: Random) -> None:
    """It lets go of no device that it is asked for; another one, or none, hears again."""
    running = [domain.name for domain in machine.domains.values() if domain.is_up]
    machine.troubles.deaf_guests = frozenset(random.sample(running, min(len(running), 1)))


def _tap_is_deleted(machine: Machine, random: Random) -> None:
    if machine.virtual_links:
        machine.virtual_links.discard(random.choice(sorted(machine.virtual_links)))


def _vf_is_unbound(machine: Machine, random: Random) -> None:
    """Somebody takes a VF from the host's driver, and the macvtap on it goes."""
    if machine.links.vfs:
        machine.links.take(random.choice(sorted(machine.links.vfs)))


def _vf_device_drifts(machine: Machine, random: Random) -> None:
    """Somebody sets a VF's network device by hand."""
    if machine.links.vfs:
        device = machine.links.vfs[random.choice(sorted(machine.links.vfs))]
        device.mtu, device.is_up = random.choice([(576, True), (device.mtu, False)])


def _vf_device_gets_an_address(machine: Machine, random: Random) -> None:
    """As of a DHCP client that saw a network device appear."""
    if machine.links.vfs:
        machine.links.vfs[random.choice(sorted(machine.links.vfs))].address = "169.254.7.7/16"


def _macvtap_goes_deaf(machine: Machine, random: Random) -> None:
    """Somebody takes its groups from a macvtap, or has it take in all or no longer all of them."""
    if machine.links.groups:
        name = random.choice(sorted(machine.links.groups))
        machine.links.groups[name] = frozenset()
        machine.links.hear(name, allmulti=random.choice([True, False]))


def _libvirt_restarts(machine: Machine, random: Random) -> None:
    """Sometimes it takes until the next time."""
    machine.troubles.libvirt_is_away = random.choice([True, False])


def _machine_boots(machine: Machine, random: Random) -> None:
    """And sometimes boots again."""
    for _ in range(random.randint(1, 2)):
        machine.reboot()


def _call_hangs(machine: Machine, random: Random) -> None:
    machine.troubles.hanging[random.choice(_ACTS)] = random.randint(1, 3)


def _driver_refuses(machine: Machine, random: Random) -> None:
    fields = frozenset(random.sample(_FIELDS, random.randint(0, 1)))
    machine.troubles.refused_fields = fields


def _cable_is_pulled(machine: Machine, random: Random) -> None:
    pf = _data_nic(machine, random)
    pf.has_cable = not pf.has_cable


def _card_vanishes(machine: Machine, random: Random) -> None:
    """A PF falls off the bus, or comes back, bare, and perhaps in another slot."""
    pf = _data_nic(machine, random)
    if pf.is_present:
        machine.pull(pf.nic.key)
    else:
        machine.plug(pf.nic.key, random.choice(_free_slots(machine)))


def _cards_are_swapped(machine: Machine, random: Random) -> None:
    """Each is in the other's slot then, with the same drivers and nothing of what it was told."""
    first, second = random.sample([pf for pf in machine.pfs.values() if not pf.nic.is_management], 2)
    if not (first.is_present and second.is_present):
        return
    slots = first.nic.pci_address, second.nic.pci_address
    for pf in (first, second):
        machine.pull(pf.nic.key)
    machine.plug(first.nic.key, slots[1])
    machine.plug(second.nic.key, slots[0])


def _driver_is_unloaded_or_loaded(machine: Machine, random: Random) -> None:
    pf = _data_nic(machine, random)
    if pf.has_driver:
        machine.unload(pf.nic.key)
    else:
        machine.load(pf.nic.key)


def _pf_is_reset(machine: Machine, random: Random) -> None:
    machine.reset_pf(_data_nic(machine, random).nic.key)


def _vf_is_rebound(machine: Machine, random: Random) -> None:
    """Somebody gives it to the host's own driver, or takes it from it, whoever has it."""
    pf = _data_nic(machine, random)
    if pf.vfs and pf.has_driver:
        index, driver = random.choice(list(pf.vfs)), random.choice(("iavf", None))
        machine.rebind(pf.nic.key, index, None)
        if not vfio.is_in_use(machine, pf.nic.vf_address(index)):
            machine.rebind(pf.nic.key, index, driver)


def _nic_is_renamed(machine: Machine, random: Random) -> None:
    """Up or down, as Linux allows since 6.2, and back again."""
    nic = _data_nic(machine, random).nic
    machine.rename(nic.key, (_OTHER_NAMES | _FIRST_NAMES)[nic.name])


def _vfs_are_recounted(machine: Machine, random: Random) -> None:
    machine.recount(_data_nic(machine, random).nic.key, random.choice((0, 2, 5)))


def _switch_forgets(machine: Machine, random: Random) -> None:
    """A PF's driver begins anew, or the switch does, for all or half of its VFs: no event tells it."""
    for key, pf in machine.pfs.items():
        known = list(pf.vfs) if pf.nic.takes_associations else []
        for index in random.sample(known, random.choice([len(known), len(known) // 2])):
            machine.lose_association(key, index)


def _switch_has_moods(machine: Machine, random: Random) -> None:
    """Until the next time it takes its while, says no, or nothing; or its driver does."""
    machine.switch = random.choice(
        [
            Switch(),
            Switch(looks=random.randint(1, 60)),
            Switch(answer=random.choice([INVALID, INSUFFICIENT_RESOURCES, ERROR])),
            Switch(is_silent=True),
            Switch(set_errno=errno.EBUSY),
            Switch(get_errno=random.choice([errno.EIO, errno.EMSGSIZE])),
        ]
    )


def _free_slots(machine: Machine) -> list[PciAddress]:
    slots = [PciAddress(f"0000:{bus}:00.0") for bus in _SLOTS]
    return [slot for slot in slots if not machine.present(slot)]


def _data_nic(machine: Machine, random: Random) -> PfState:
    return random.choice([pf for pf in machine.pfs.values() if not pf.nic.is_management])


def _lldpad_restarts(machine: Machine, random: Random) -> None:
    """It has forgotten everything; sometimes it is away until the next time."""
    machine.vsis.clear()
    machine.imagined.clear()
    machine.troubles.is_lldpad_away = random.choice([True, False])


def _bridge_lets_a_vsi_go(machine: Machine, random: Random) -> None:
    held = [(key, instance) for key, vsis in sorted(machine.vsis.items()) for instance in sorted(vsis)]
    if held:
        key, instance = random.choice(held)
        del machine.vsis[key][instance]


def _nic_echoes(machine: Machine, random: Random) -> None:
    """Or not any more."""
    machine.troubles.is_echoing = random.choice([True, False])


def _bridge_says_no(machine: Machine, random: Random) -> None:
    """Or nothing, or yes again."""
    machine.troubles.vdp_response = random.choice([None, VdpResponse.UNUSED_VTID, VdpResponse.VTID_VIOLATION])
    machine.troubles.is_bridge_silent = random.choice([True, False])


_BLOWS: tuple[Callable[[Machine, Random], None], ...] = (
    _drift,
    _drift,
    _pf_goes_down,
    _guest_falls_over,
    _guest_falls_over,
    _guest_goes_deaf,
    by_hand.guest_is_started_by_hand,
    by_hand.guest_comes_and_goes,
    by_hand.guest_is_booted_by_hand,
    _tap_is_deleted,
    _vf_is_unbound,
    _vf_device_drifts,
    _macvtap_goes_deaf,
    _vf_device_gets_an_address,
    _libvirt_restarts,
    _machine_boots,
    _call_hangs,
    _driver_refuses,
    _cable_is_pulled,
    _card_vanishes,
    _card_vanishes,
    _cards_are_swapped,
    _driver_is_unloaded_or_loaded,
    _driver_is_unloaded_or_loaded,
    _pf_is_reset,
    _vf_is_rebound,
    _vf_is_rebound,
    _nic_is_renamed,
    by_hand.stranger_comes_or_goes,
    by_hand.stranger_comes_or_goes,
    by_hand.stranger_comes_and_goes,
    _vfs_are_recounted,
    _lldpad_restarts,
    _bridge_lets_a_vsi_go,
    _bridge_says_no,
    _nic_echoes,
    _switch_forgets,
    _switch_has_moods,
    _switch_has_moods,
)
