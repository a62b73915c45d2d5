"""At every moment the ledger tells of a VF what is true, and an agent that dies there leaves nothing undone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.hoststate.observed import GuestState
from fairlead.model.vf import BASELINE
from fairlead.sim.mischief import dies_after
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, server, settings

VF = VfWish(0, 3)
ONE = ServerWish(1, vfs=(VF,), taps=1)
PF = DATA[0].key


class Life(AgentLife):
    """A host whose agent is told to run a guest, and then to let it go."""

    def wish(self, wish: HostWish) -> None:
        gone = tuple({1, 2} - {server.number for server in wish.servers})
        self.want(replace(wish, removals=gone))

    @property
    def dirty(self) -> frozenset[tuple[str, int]]:
        return SlotLedger(self.host.slots, HOST).dirty_vfs()

    @property
    def vf(self) -> object:
        return self.host.machine.pfs[PF].vfs[VF.index]


def come_and_go(life: Life) -> None:
    life.wish(HostWish(servers=(ONE,)))
    life.tick()
    life.wish(HostWish())
    life.tick()


def calls_of(live: Callable[[Life], None]) -> int:
    """How many calls the agent makes meanwhile."""
    life, made = Life(), list[str]()
    life.host.machine.fuse = made.append
    live(life)
    return len(made)


def test_a_vf_that_is_not_at_its_baseline_is_dirty_in_the_ledger_at_every_call():
    life, lies, looks = Life(), list[str](), list[bool]()

    def look(act: str) -> None:
        vfs = life.host.machine.pfs[PF].vfs
        used = {(PF, index) for index, seen in vfs.items() if seen != BASELINE}
        looks.append(bool(used))
        lies.extend(f"{name} before {act}" for name in used - life.dirty)

    life.host.machine.fuse = look
    come_and_go(life)
    assert any(looks)
    assert lies == []
    assert life.vf == BASELINE
    assert (PF, VF.index) not in life.dirty


def test_a_guest_whose_vf_needed_no_setting_has_it_in_the_ledger():
    life = Life()
    life.wish(HostWish())
    life.tick()
    life.host.machine.pfs[PF].vfs[VF.index] = settings(1, VF)
    life.wish(HostWish(servers=(ONE,)))
    life.tick()
    assert life.host.hypervisor.starts
    assert (PF, VF.index) in life.dirty


@pytest.mark.parametrize("calls", range(calls_of(come_and_go)))
def test_wherever_the_agent_dies_the_guest_runs_and_goes_all_the_same(calls):
    life = Life()
    life.host.machine.fuse = dies_after(calls)
    life.wish(HostWish(servers=(ONE,)))
    for _ in range(2):
        life.tick()
    assert life.host.machine.domains[f"fl-{server(1)}"].state is GuestState.RUNNING
    assert all(settings(1, VF) in start.vfs.values() for start in life.host.hypervisor.starts)
    life.wish(HostWish())
    for _ in range(2):
        life.tick()
    assert life.host.machine.domains == {}
    assert life.vf == BASELINE
    assert (PF, VF.index) not in life.dirty
    assert life.host.machine.mishaps == []


def test_a_scrub_that_is_not_kept_leaves_the_vf_dirty():
    life = Life()
    life.wish(HostWish(servers=(ONE,)))
    life.tick()
    life.host.machine.troubles.ignored_fields = frozenset({"vlan"})
    life.wish(HostWish())
    life.tick()
    assert life.host.machine.domains == {}
    assert (PF, VF.index) in life.dirty


def test_a_vf_that_changed_since_it_was_configured_is_configured_again_before_the_start():
    life = Life()

    def meddle(act: str) -> None:
        vfs = life.host.machine.pfs[PF].vfs
        if act == "define" and not meddled:
            meddled.append(act)
            vfs[VF.index] = replace(vfs[VF.index], vlan=999)

    meddled: list[str] = []
    life.host.machine.fuse = meddle
    life.wish(HostWish(servers=(ONE,)))
    life.tick()
    assert meddled
    assert [list(start.vfs.values()) for start in life.host.hypervisor.starts] == [[settings(1, VF)]]


def test_a_vf_is_not_touched_while_the_guest_that_must_go_first_cannot():
    life = Life()
    life.wish(HostWish(servers=(ONE,)))
    life.tick()
    life.host.machine.troubles.hanging["stop"] = 1
    life.wish(HostWish(servers=(ServerWish(2, vfs=(VF,)),)))
    life.tick()
    assert life.vf == settings(1, VF)
    assert life.host.machine.mishaps == []
    life.host.clock.advance(2)
    life.tick()
    assert life.vf == settings(2, VF)
