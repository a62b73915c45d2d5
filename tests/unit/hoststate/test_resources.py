"""What may be carried out beside what is in flight, what outlasts its document, and what is told meanwhile."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.desired import DesiredGuest, DesiredHostdev, DesiredState
from fairlead.hoststate.observed import GuestState, ObservedState
from fairlead.hoststate.resources import NOTHING, Resources, as_settled, resources_of, wish_for
from fairlead.hoststate.steps import Chain, ConfigureVf, ResetDevice, ScrubVf, SetNumVfs, Step
from fairlead.model.ids import device_id, vf_key
from fairlead.model.pci import DeviceKind
from fairlead.model.vf import BASELINE
from fairlead.sim.fleet import sim_host
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, GPU, HOST, HostWish, ServerWish, desired, server

PF, OTHER_PF = DATA[0], DATA[1]
SCRUB = ScrubVf(PF.key, 3)
CONFIGURE = ConfigureVf(device_id(HOST, vf_key(PF.key, 3)), PF.key, 3, None, BASELINE, is_repair=False)
RECOUNT = SetNumVfs(PF.key, 4)
RESET = ResetDevice(PF.key, PF.pci_address)


def held(step: Step) -> Resources:
    return resources_of(Chain("any", (step,)))


@pytest.mark.parametrize("whole", [RECOUNT, RESET])
@pytest.mark.parametrize("part", [SCRUB, CONFIGURE])
def test_a_card_is_not_touched_as_a_whole_beside_a_chain_on_a_vf_of_it(whole: Step, part: Step):
    assert held(whole).exclude(held(part))
    assert held(part).exclude(held(whole))


@pytest.mark.parametrize(
    "whole", [SetNumVfs(OTHER_PF.key, 4), ResetDevice(OTHER_PF.key, OTHER_PF.pci_address)]
)
def test_another_card_may_be_touched_meanwhile(whole: Step):
    assert not held(whole).exclude(held(SCRUB))
    assert not held(SCRUB).exclude(held(whole))


def test_vfs_of_one_card_are_worked_on_side_by_side():
    assert not held(SCRUB).exclude(held(replace(SCRUB, index=4)))
    assert held(SCRUB).exclude(held(CONFIGURE))


def given(guest: DesiredGuest, kind: DeviceKind, key: str) -> DesiredState:
    hostdev = DesiredHostdev(device_id(HOST, key), kind, key)
    return replace(desired(HostWish()), guests=(replace(guest, hostdevs=(hostdev,)),))


@pytest.mark.parametrize(
    ("step", "kind", "key"),
    [
        (RESET, DeviceKind.PF, PF.key),
        (RECOUNT, DeviceKind.PF, PF.key),
        (ResetDevice(GPU.key, GPU.pci_address), DeviceKind.PCI, GPU.key),
    ],
)
def test_a_chain_on_a_device_is_outdated_once_a_guest_is_to_have_it(step: Step, kind: DeviceKind, key: str):
    [guest] = desired(HostWish((ServerWish(1),))).guests
    before = desired(HostWish())
    assert wish_for(held(step), given(guest, kind, key)) != wish_for(held(step), before)
    assert wish_for(held(step), given(guest, kind, OTHER_PF.key)) == wish_for(held(step), before)


@pytest.fixture
def seen() -> ObservedState:
    host = sim_host("h1", 1)
    agent = host.agent(HOST, ControlStandIn(desired(HostWish())))
    agent.poll(0)
    agent.tick()
    return observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))


def dirt(told: ObservedState) -> set[str]:
    found = {vf_key(pf.key, vf.index) for pf in told.pfs for vf in pf.vfs if vf.is_dirty}
    found |= {pf.key for pf in told.pfs if pf.is_dirty}
    return found | {pci.key for pci in told.pcis if pci.is_dirty}


@pytest.mark.parametrize(
    ("in_flight", "key"),
    [
        (held(SCRUB), vf_key(PF.key, 3)),
        (held(CONFIGURE), vf_key(PF.key, 3)),
        (held(RESET), PF.key),
        (held(ResetDevice(GPU.key, GPU.pci_address)), GPU.key),
    ],
)
def test_of_devices_only_what_a_chain_holds_is_told_dirty(
    seen: ObservedState, in_flight: Resources, key: str
):
    before = dirt(as_settled(seen, desired(HostWish()), NOTHING))
    assert key not in before
    assert dirt(as_settled(seen, desired(HostWish()), in_flight)) == before | {key}


def test_a_guest_that_a_chain_works_on_is_not_told_to_be_gone(seen: ObservedState):
    told = as_settled(seen, desired(HostWish()), Resources(servers=frozenset({server(1)})))
    assert [(guest.server_id, guest.state) for guest in told.guests] == [(server(1), GuestState.STOPPED)]
