"""802.1Qbg on a simulated host: associated before the guest starts, followed while it runs, let go before its VF is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.agent.station import AskedVsi
from fairlead.agent.vsi_steps import check_vsis
from fairlead.hoststate.lookup import look_up
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.report import Report
from fairlead.hoststate.steps import StartGuest, Step
from fairlead.model.errors import Fault
from fairlead.model.vsi import VdpResponse, VsiReading, VsiSettings, VsiState
from fairlead.sim.mischief import AgentDied, dies_after
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, port, server

VF = VfWish(0, 3, vsi_type=7)
ONE = ServerWish(1, vfs=(VF,))
PF = DATA[0].key
INSTANCE = port(1, 0)


class Life(AgentLife):
    """A host whose servers have ports with an 802.1Qbg profile."""

    def __init__(self, *servers: ServerWish) -> None:
        super().__init__()
        self.wish(*servers)

    def wish(self, *servers: ServerWish) -> None:
        gone = tuple({1, 2} - {each.number for each in servers})
        self.want(HostWish(servers, removals=gone))

    def told(self) -> Report:
        """What control is told after one more tick."""
        self.tick()
        return self.report

    def rest(self) -> None:
        """Until what failed is due."""
        self.host.clock.advance(61)
        self.tick()

    def later(self) -> Report:
        """What control is told once what failed was due."""
        self.rest()
        return self.report

    @property
    def held(self) -> dict[str, VsiSettings]:
        return self.host.machine.vsis.get(PF, {})

    @property
    def entries(self) -> tuple[AskedVsi, ...]:
        return SlotLedger(self.host.slots, HOST).vsis()

    @property
    def state(self) -> GuestState:
        return self.host.machine.domains[f"fl-{server(1)}"].state

    @property
    def starts(self) -> int:
        return len(self.host.hypervisor.starts)


def told(report: Report) -> list[str]:
    return [event.kind for event in report.events]


def test_a_guest_starts_once_its_vsi_is_associated():
    life, looks = Life(ONE), list[bool]()
    life.host.machine.fuse = lambda act: looks.append(INSTANCE in life.held) if act == "start" else None
    report = life.told()
    assert looks == [True]
    assert life.held[INSTANCE].type_id == 7
    assert report.wired == (INSTANCE,)
    assert [vsi.reading.state for vsi in report.observed.vsis] == [VsiState.ASSOCIATED]
    assert "vsi_associated" in told(report)


@pytest.mark.parametrize("response", [*VdpResponse][1:])
def test_a_guest_whose_vsi_is_refused_does_not_start(response: VdpResponse):
    life = Life(ONE)
    life.host.machine.troubles.vdp_response = response
    report = life.told()
    assert (life.starts, report.wired) == (0, ())
    (failure,) = report.failures
    assert (failure.failure.code, failure.port_id, failure.server_id) == ("vsi_refused", INSTANCE, server(1))
    assert not failure.spares_server
    life.host.machine.troubles.vdp_response = None
    assert life.later().wired == (INSTANCE,)
    assert life.starts == 1


def test_no_guest_starts_where_its_station_hears_itself():
    life = Life(ONE)
    life.host.machine.troubles.is_echoing = True
    report = life.told()
    assert (life.starts, report.wired) == (0, ())
    assert [failure.failure.code for failure in report.failures] == ["vdp_echoed"]
    life.host.machine.troubles.is_echoing = False
    assert life.later().wired == (INSTANCE,)
    assert life.starts == 1


def test_an_agent_that_died_before_it_heard_the_bridge_leaves_nothing_to_believe():
    life = Life(ONE)
    machine = life.host.machine
    machine.troubles.is_echoing = True

    def die(act: str) -> None:
        if act == "hear that the NIC hands frames back":
            raise AgentDied(act)

    machine.fuse = die
    life.tick()
    assert INSTANCE in machine.imagined[PF]
    report = life.told()
    assert (life.starts, report.wired, machine.imagined[PF]) == (0, (), {})


def test_a_bridge_that_lets_go_is_asked_again_and_the_guest_runs_on():
    life = Life(ONE)
    life.tick()
    del life.held[INSTANCE]
    report = life.told()
    assert (INSTANCE in life.held, life.starts, report.wired) == (True, 1, (INSTANCE,))
    assert any("ran on" in event.message for event in report.events if event.kind == "vsi_associated")


def test_a_running_guest_whose_vsi_is_refused_runs_on_and_its_port_says_why():
    life = Life(ONE)
    life.tick()
    life.held.clear()
    life.host.machine.troubles.vdp_response = VdpResponse.VTID_VIOLATION
    report = life.told()
    assert (life.state, life.starts, report.wired) == (GuestState.RUNNING, 1, ())
    (failure,) = report.failures
    assert (failure.failure.code, failure.port_id, failure.spares_server) == ("vsi_refused", INSTANCE, True)
    life.host.machine.troubles.vdp_response = None
    report = life.later()
    assert (report.wired, report.failures, life.starts) == ((INSTANCE,), (), 1)


def test_lldpad_that_starts_anew_is_told_everything_again():
    life = Life(ONE, ServerWish(2, vfs=(VfWish(0, 4, vsi_type=1),)))
    life.tick()
    before = dict(life.held)
    life.host.machine.troubles.is_lldpad_away = True
    life.held.clear()
    assert life.told().wired == ()
    life.host.machine.troubles.is_lldpad_away = False
    assert set(life.later().wired) == before.keys()
    assert (life.held, life.starts) == (before, 2)


def test_another_type_is_associated_while_the_guest_runs():
    life = Life(ONE)
    life.tick()
    life.wish(replace(ONE, vfs=(replace(VF, vsi_type=8),)))
    report = life.told()
    assert (life.held[INSTANCE].type_id, life.starts, report.wired) == (8, 1, (INSTANCE,))
    assert life.entries[0].vsi.settings.type_id == 8


def test_a_type_that_the_bridge_refuses_costs_a_running_guest_nothing():
    """It is asked first: until it would take the new one the guest has the old one, and nothing else is left."""
    life = Life(ONE)
    life.tick()
    had = dict(life.held)
    life.host.machine.troubles.vdp_response = VdpResponse.UNUSED_VTID
    life.wish(replace(ONE, vfs=(replace(VF, vsi_type=8),)))
    for _ in range(2):
        report = life.later()
        assert (life.held, [entry.is_granted for entry in life.entries]) == (had, [True])
        (failure,) = report.failures
        assert (failure.failure.code, failure.port_id, failure.spares_server) == (
            "vsi_refused",
            INSTANCE,
            True,
        )
        assert "runs on with the association that it had" in failure.failure.hint
        assert report.wired == ()
    life.host.machine.troubles.vdp_response = None
    report = life.later()
    assert (life.held[INSTANCE].type_id, len(life.held), report.wired) == (8, 1, (INSTANCE,))
    assert (report.failures, life.starts) == ((), 1)


def test_a_vsi_goes_after_its_guest_and_before_its_vf():
    life, acts = Life(ONE), list[str]()
    life.tick()
    life.wish()
    life.host.machine.fuse = acts.append
    life.tick()
    assert acts.index("stop") < acts.index("disassociate") < acts.index("reset_vf")
    assert (life.held, life.entries) == ({}, ())


def test_a_vf_is_not_clean_while_its_vsi_cannot_be_let_go():
    life = Life(ONE)
    life.tick()
    life.wish()
    life.host.machine.troubles.hanging["disassociate"] = 2
    report = life.told()
    vf = next(vf for pf in report.observed.pfs if pf.key == PF for vf in pf.vfs if vf.index == VF.index)
    assert vf.is_dirty
    assert "timeout" in {failure.failure.code for failure in report.failures}
    life.later()
    vf = next(vf for pf in life.later().observed.pfs if pf.key == PF for vf in pf.vfs if vf.index == VF.index)
    assert not vf.is_dirty
    assert (life.held, life.entries) == ({}, ())


def test_what_others_have_of_lldpad_is_left_alone():
    life = Life(ONE)
    theirs = VsiSettings("11111111-2222-4333-8444-555555555555", 1, 1, 1, DATA[0].mac)
    life.host.machine.vsis[PF] = {theirs.instance_id: theirs}
    life.tick()
    life.wish()
    report = life.told()
    assert life.held == {theirs.instance_id: theirs}
    assert report.observed.vsis == ()


def test_a_pf_with_a_station_says_so():
    life = Life(ONE)
    assert all("802.1qbg" in pf.capabilities for pf in life.told().observed.pfs)
    life.host.machine.troubles.is_lldpad_away = True
    assert not any("802.1qbg" in pf.capabilities for pf in life.told().observed.pfs)


def test_a_pf_whose_station_hears_itself_is_offered_to_no_port_and_what_is_associated_stays():
    life = Life(ONE)
    life.tick()
    life.host.machine.troubles.is_echoing = True
    report = life.told()
    assert not any("802.1qbg" in pf.capabilities for pf in report.observed.pfs)
    assert (report.wired, report.failures) == ((INSTANCE,), ())


def test_a_station_that_does_not_answer_is_no_association():
    life = Life(ONE)
    life.tick()
    life.host.machine.troubles.hanging["read_vsis"] = 100
    report = life.told()
    assert [vsi.reading for vsi in report.observed.vsis] == [VsiReading(VsiState.UNKNOWN)]
    assert (report.wired, life.state) == ((), GuestState.RUNNING)


def test_a_success_without_the_bridges_yes_is_none():
    """As after a crash before the answer, or before the end of what was to go."""
    life = Life(ONE)
    life.tick()
    SlotLedger(life.host.slots, HOST).mark_vsi(replace(life.entries[0], is_granted=False))
    life.agent = life.host.agent(HOST, life.control)
    acts: list[str] = []
    life.host.machine.fuse = acts.append
    assert life.told().wired == (INSTANCE,)
    assert [act for act in acts if act in {"associate", "disassociate"}] == ["disassociate", "associate"]


def test_a_ledger_that_was_lost_takes_ports_own_ids_for_its_own():
    life = Life(ONE)
    life.tick()
    life.host.slots.lose()
    life.control.reports.clear()
    life.agent = life.host.agent(HOST, life.control)
    assert life.told().wired == (INSTANCE,)
    assert life.starts == 1


def test_a_guest_does_not_start_when_its_vsi_is_lost_just_before():
    life = Life(ONE)

    def lose(step: Step) -> None:
        if type(step).__name__ == "DefineGuest":
            life.held.clear()

    life.agent = life.host.agent(HOST, life.control, lose)
    report = life.told()
    assert life.starts == 0
    assert "not_as_wanted" in {failure.failure.code for failure in report.failures}


def test_a_running_guest_is_not_given_a_nic_whose_vsi_is_lost_just_before():
    life = Life(ServerWish(1))
    life.tick()
    lost, given = list[str](), list[bool]()

    def lose(act: str) -> None:
        """lldpad starts anew once the plan is made: a VF is read by whoever is to give it."""
        if act == "read_vf" and INSTANCE in life.held and not lost:
            life.held.clear()
            lost.append(act)

    life.host.machine.fuse = lose
    life.host.hypervisor.on_attach = lambda *_: given.append(INSTANCE in life.held)
    life.wish(ONE)
    life.tick()
    assert lost
    for _ in range(3):
        life.rest()
    assert given == [True]
    assert life.report.wired == (INSTANCE,)


@pytest.mark.parametrize("has_another_type", [False, True])
def test_what_the_station_has_is_not_enough_without_the_bridges_yes_to_this_very_vsi(
    *, has_another_type: bool
):
    life = Life(ONE)
    life.tick()
    (asked,) = life.entries
    host, document = life.host, life.control.desired
    assert document is not None
    hands = host.hands(HOST, life.control)
    seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, hands.ledger)
    lookup = look_up(document, seen)
    check_vsis([asked.vsi], hands, lookup, "Starting")
    if has_another_type:
        other = replace(asked.vsi, settings=replace(asked.vsi.settings, type_id=8))
    else:
        other = asked.vsi
        hands.ledger.mark_vsi(replace(asked, is_granted=False))
    assert life.held[INSTANCE] == asked.vsi.settings
    with pytest.raises(Fault) as caught:
        check_vsis([other], hands, lookup, "Starting")
    assert caught.value.failure.code == "not_as_wanted"


def come_and_go(life: Life) -> None:
    life.tick()
    life.wish(replace(ONE, vfs=(replace(VF, vsi_type=8),)))
    life.tick()
    life.wish()
    life.tick()


def calls_of(live: Callable[[Life], None]) -> int:
    life, made = Life(ONE), list[str]()
    life.host.machine.fuse = made.append
    live(life)
    return len(made)


def test_at_every_call_what_is_associated_is_in_the_ledger():
    life, lies = Life(ONE), list[str]()

    def look(act: str) -> None:
        entered = {entry.vsi.settings.instance_id: entry.vsi.settings for entry in life.entries}
        lies.extend(
            f"{vsi} before {act}" for vsi in life.held.values() if vsi != entered.get(vsi.instance_id)
        )

    life.host.machine.fuse = look
    come_and_go(life)
    assert lies == []


@pytest.mark.parametrize("number", range(calls_of(come_and_go)))
def test_an_agent_that_dies_at_any_call_leaves_no_association_behind(number: int):
    life = Life(ONE)
    life.host.machine.fuse = dies_after(number)
    for wish in ((ONE,), (replace(ONE, vfs=(replace(VF, vsi_type=8),)),), ()):
        life.wish(*wish)
        for _ in range(3):
            life.rest()
    assert (life.held, life.entries) == ({}, ())
    assert life.host.machine.mishaps == []


def hear_itself(life: Life) -> None:
    life.host.machine.troubles.is_echoing = True
    life.tick()
    life.later()


@pytest.mark.parametrize("number", range(calls_of(hear_itself)))
def test_an_agent_that_dies_at_any_call_starts_nothing_where_its_station_hears_itself(number: int):
    life = Life(ONE)
    life.host.machine.troubles.is_echoing = True
    life.host.machine.fuse = dies_after(number)
    for _ in range(4):
        life.rest()
    assert life.starts == 0
    life.host.machine.troubles.is_echoing = False
    assert life.later().wired == (INSTANCE,)
    assert (life.starts, life.host.machine.mishaps) == (1, [])


def test_a_starting_guest_is_the_last_of_its_plan():
    life, seen = Life(ONE), list[Step]()
    life.agent = life.host.agent(HOST, life.control, seen.append)
    life.tick()
    assert isinstance(seen[-1], StartGuest)
