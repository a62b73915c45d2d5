"""Before a device is taken from whoever has it, libvirt is asked once more who that is."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.network_steps import NetworkStep, act
from fairlead.agent.observe import observe
from fairlead.hoststate.lookup import look_up
from fairlead.hoststate.macvtap import DesiredMacvtap, LowerDevice
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.steps import MakeMacvtap, ResetDevice, ScrubVf, SetNumVfs
from fairlead.model.errors import Fault
from fairlead.model.ids import PortId, ServerId
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import sim_host
from tests.agent_life import AgentLife
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, GPU, HOST, HostWish, ServerWish, VfWish, desired, server

PF = DATA[0]
MACVTAP = DesiredMacvtap(
    "fltap-0", LowerDevice(PF.key, 3), PortId("p"), server(1), MacAddress("fa:16:3e:00:00:01"), 1500
)


@pytest.mark.parametrize("owner", [None, server(1)])
@pytest.mark.parametrize(
    ("step", "address"),
    [
        (ScrubVf(PF.key, 3), PF.vf_address(3)),
        (SetNumVfs(PF.key, 4), PF.vf_address(3)),
        (ResetDevice(GPU.key, GPU.pci_address), GPU.pci_address),
        (MakeMacvtap(MACVTAP, is_repair=False), PF.vf_address(3)),
        (MakeMacvtap(MACVTAP, is_repair=True), PF.vf_address(3)),
    ],
)
def test_what_a_domain_got_since_the_plan_was_made_is_left_alone(
    step: NetworkStep, address: PciAddress, owner: ServerId | None
):
    host, control = sim_host("h1", 1), ControlStandIn(desired(HostWish()))
    agent, hands = host.agent(HOST, control), host.hands(HOST, control)
    agent.poll(0)
    agent.tick()
    planned_from = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    host.machine.domains["late"] = DomainState(
        "late", owner, "", 0, (address,), (), "", GuestState.RUNNING, live_hostdevs=(address,)
    )
    calls = list[str]()
    host.machine.fuse = calls.append
    with pytest.raises(Fault) as caught:
        act(step, hands, look_up(desired(HostWish()), planned_from))
    assert caught.value.failure.code == "in_use"
    assert address in caught.value.failure.answer
    assert calls == ["observe_guests"]


@pytest.mark.parametrize("step", [ScrubVf(PF.key, 3), SetNumVfs(PF.key, 4)])
def test_nor_is_a_vf_taken_from_who_has_it_by_a_macvtap(step: NetworkStep):
    """The plan was made while its guest was down."""
    life = AgentLife()
    life.want(HostWish((ServerWish(1, vfs=(VfWish(0, 3, is_tapped=True),)),)))
    life.tick()
    host, document = life.host, desired(HostWish())
    hands = host.hands(HOST, life.control)
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, hands.ledger)
    down = tuple(replace(guest, state=GuestState.STOPPED) for guest in seen.guests)
    calls = list[str]()
    host.machine.fuse = calls.append
    with pytest.raises(Fault) as caught:
        act(step, hands, look_up(document, replace(seen, guests=down)))
    assert caught.value.failure.code == "in_use"
    assert PF.vf_address(3) in caught.value.failure.answer
    assert calls == ["observe_guests"]
