"""A guest that another hand starts goes on only with what its server has by the document, and as its ports say."""

import errno
from dataclasses import replace

import pytest

from fairlead.hoststate.observed import GuestState
from fairlead.model.server import Power
from fairlead.sim.by_hand import start_by_hand
from fairlead.sim.domain import DomainState
from fairlead.sim.fleet import SimHost, sim_host
from fairlead.sim.hardware import infiniband_server
from fairlead.sim.machine import BeforeCall
from fairlead.sim.mischief import AgentDied
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, GPU, HOST, HostWish, ServerWish, VfWish, port, server

OWN, ANOTHERS = VfWish(0, 5), VfWish(0, 3, vlan=777)
OTHER = ServerWish(1, vfs=(ANOTHERS,), power=Power.STOPPED)
STRANGE = DATA[0].vf_address(3)


class Life(AgentLife):
    """A host with a guest that went down by itself, and another that shall be down, all of whose devices are ready."""

    def __init__(self, wish: ServerWish, other: ServerWish = OTHER, host: SimHost | None = None) -> None:
        super().__init__(host)
        self.wish(wish, replace(other, power=Power.RUNNING))
        self.wish(wish, other)
        self.domain.go_down(GuestState.STOPPED, "shutdown")
        self.tick()
        self.acts = list[str]()
        self.host.machine.fuse = self.acts.append

    def wish(self, *servers: ServerWish) -> None:
        self.want(HostWish(servers, fabric_vfs=4))
        self.tick()

    def start_by_hand(self) -> None:
        start_by_hand(self.host.machine, self.domain)
        for _ in range(3):
            self.tick()

    @property
    def domain(self) -> DomainState:
        return self.host.machine.domains[f"fl-{server(2)}"]


@pytest.mark.parametrize("vfs", [(), (OWN,)])
def test_one_on_the_vf_of_another_goes_down_and_is_started_on_its_own(vfs: tuple[VfWish, ...]):
    life = Life(ServerWish(2, vfs=vfs))
    life.domain.hostdevs = (*life.domain.hostdevs, STRANGE)
    life.start_by_hand()
    assert life.acts.index("stop") < min(life.acts.index("start"), life.acts.index("reset_vf"))
    assert life.domain.live_hostdevs == tuple(DATA[0].vf_address(vf.index) for vf in vfs)
    assert (life.domain.state, life.domain.is_by_hand) == (GuestState.RUNNING, False)
    assert (life.report.holds, life.host.machine.mishaps) == ((), [])


@pytest.mark.parametrize("address", [DATA[1].vf_address(6), DATA[1].pci_address, GPU.pci_address])
def test_nor_does_it_keep_what_nobody_owns(address: str):
    life = Life(ServerWish(2, vfs=(OWN,)))
    life.domain.hostdevs = (*life.domain.hostdevs, address)
    life.start_by_hand()
    assert life.domain.live_hostdevs == (DATA[0].vf_address(OWN.index),)


@pytest.mark.parametrize(
    ("other", "tap"),
    [
        (replace(OTHER, vfs=(replace(ANOTHERS, is_tapped=True),)), port(1, 0)),
        (replace(OTHER, vfs=(), taps=1), port(1, 16)),
    ],
    ids=["macvtap", "tap"],
)
def test_nor_the_tap_of_anothers_port(other: ServerWish, tap: str):
    life = Life(ServerWish(2, vfs=(OWN,)), other)
    life.domain.taps = (f"fltap-{tap[:8]}",)
    life.start_by_hand()
    assert "stop" in life.acts
    assert (life.domain.live_taps, life.domain.state) == ((), GuestState.RUNNING)


def test_nor_the_vf_below_its_own_macvtap_passed_through():
    life = Life(ServerWish(2, vfs=(replace(OWN, is_tapped=True),)))
    own, life.domain.taps = life.domain.taps, ()
    life.host.machine.links.take((DATA[0].key, OWN.index))
    life.domain.hostdevs = (DATA[0].vf_address(OWN.index),)
    life.start_by_hand()
    assert life.domain.live_hostdevs == ()
    assert life.host.machine.virtual_links == set(own)
    assert life.host.machine.mishaps == []


def test_one_on_a_vf_that_is_withheld_goes_down_and_is_what_it_was():
    vf = VfWish(2, 1)
    life = Life(ServerWish(2, vfs=(vf,)), host=sim_host("h1", 1, built=infiniband_server))
    life.wish(ServerWish(2, vfs=(replace(vf, is_withheld=True),)), OTHER)
    life.start_by_hand()
    assert life.domain.state is GuestState.STOPPED
    assert "start" not in life.acts


@pytest.mark.parametrize(
    "wish",
    [
        ServerWish(2, vfs=(OWN,), taps=1),
        ServerWish(2, vfs=(replace(OWN, is_tapped=True),)),
        ServerWish(2, has_gpu=True),
        ServerWish(2, whole=1),
    ],
    ids=["vf", "macvtap", "gpu", "pf"],
)
def test_one_on_its_own_devices_runs_on(wish: ServerWish):
    life = Life(wish)
    life.start_by_hand()
    assert (life.domain.state, life.domain.is_by_hand) == (GuestState.RUNNING, True)
    assert "stop" not in life.acts


def test_what_cannot_be_read_now_speaks_for_nobody_and_against_nobody():
    life = Life(ServerWish(2, vfs=(VfWish(1, 5),)))
    machine = life.host.machine
    machine.switch.get_errno = errno.EMSGSIZE
    life.start_by_hand()
    assert not next(pf.vfs for pf in life.report.observed.pfs if pf.key == DATA[1].key)
    assert life.domain.is_by_hand
    machine.switch.get_errno = None
    life.tick()
    assert (life.domain.state, life.domain.is_by_hand) == (GuestState.RUNNING, True)


def test_one_that_was_down_and_up_again_between_two_looks_is_not_the_start_of_before():
    life = Life(ServerWish(2, vfs=(OWN,)))
    life.start_by_hand()
    life.acts.clear()
    life.domain.go_down(GuestState.STOPPED, "destroyed")
    life.domain.hostdevs = (*life.domain.hostdevs, STRANGE)
    life.start_by_hand()
    assert "stop" in life.acts
    assert life.domain.live_hostdevs == (DATA[0].vf_address(OWN.index),)


def test_one_that_is_as_its_server_is_to_be_is_known_from_then_on():
    life = Life(ServerWish(2, vfs=(OWN,)))
    life.start_by_hand()
    life.domain.go_down(GuestState.STOPPED, "destroyed")
    life.start_by_hand()
    assert life.domain.marked == life.domain.boots
    pf = life.host.machine.pfs[DATA[0].key]
    pf.vfs[OWN.index] = replace(pf.vfs[OWN.index], trust=True)
    life.tick()
    assert (life.acts.count("stop"), pf.vfs[OWN.index].trust) == (0, False)


def test_a_start_that_its_agent_did_not_live_to_mark_is_its_own():
    life = AgentLife()
    life.host.machine.fuse = dies_at("mark_start")
    life.want(HostWish((ServerWish(2, vfs=(OWN,)),)))
    life.tick()
    domain = life.host.machine.domains[f"fl-{server(2)}"]
    assert (domain.is_up, domain.marked) == (True, 0)
    pf = life.host.machine.pfs[DATA[0].key]
    pf.vfs[OWN.index] = replace(pf.vfs[OWN.index], trust=True)
    life.tick()
    assert (domain.boots, domain.marked, pf.vfs[OWN.index].trust) == (1, 1, False)


def test_where_libvirt_cannot_mark_it_now_the_next_look_does():
    life = Life(ServerWish(2, vfs=(OWN,)))
    life.host.machine.troubles.hanging["mark_start"] = 3
    life.start_by_hand()
    assert (life.domain.marked, life.report.failures) == (1, ())
    life.tick()
    assert life.domain.marked == life.domain.boots
    assert life.domain.is_by_hand


def test_where_a_lost_ledger_and_a_busy_libvirt_meet_the_guest_stays_ours():
    """Its VF differs, and lastingly: the start of another hand would be taken down for that."""
    life = AgentLife()
    life.want(HostWish((ServerWish(2, vfs=(OWN,)),)))
    life.tick()
    machine, domain = life.host.machine, life.host.machine.domains[f"fl-{server(2)}"]
    acts = list[str]()
    life.host.slots.lose()
    machine.fuse = acts.append
    machine.troubles.hanging["mark_start"] = 1
    machine.troubles.refused_fields = frozenset({"trust"})
    life.agent = life.host.agent(HOST, life.control)
    life.want(HostWish((ServerWish(2, vfs=(replace(OWN, trust=True),)),)))
    for _ in range(3):
        life.tick()
    assert "stop" not in acts
    assert (domain.boots, domain.marked, domain.state) == (1, 1, GuestState.RUNNING)


def dies_at(fatal: str) -> BeforeCall:
    def before_call(act: str) -> None:
        if act == fatal:
            raise AgentDied(act)

    return before_call
