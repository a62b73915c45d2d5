"""Whose turn it is, beside what is in flight."""

from random import Random

from fairlead.agent.execute import Executor
from fairlead.agent.flights import Flights
from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.agent.turns import Turns
from fairlead.agent.wake import Wake
from fairlead.hoststate.lookup import Lookup, look_up
from fairlead.hoststate.steps import Chain, HostPlan, ScrubVf, SetNumVfs
from fairlead.sim.fleet import sim_host
from fairlead.sim.interleaved import Interleaved
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, desired

PF = DATA[0].key
FIRST, LATER = Chain("first", (ScrubVf(PF, 3),)), Chain("later", (ScrubVf(PF, 4),))
RECOUNT = Chain("recount", (SetNumVfs(PF, 4),))


class Rig:
    """Chains that begin, and stay in flight."""

    def __init__(self) -> None:
        host = sim_host("h1", 1)
        seen = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
        self.lookup: Lookup = look_up(desired(HostWish()), seen)
        runner = Interleaved(Random(1))  # noqa: S311 - a seed is the point
        self.flights = Flights(Executor(HOST, host.hands(HOST, ControlStandIn())), runner, Wake())

    def take(self, *chains: Chain) -> frozenset[str]:
        """Which are in flight after these had their turns."""
        for _ in Turns(self.flights, self.lookup, {}).take(HostPlan((chains,))):
            pass
        return self.flights.keys


def test_what_is_not_in_the_way_begins_beside_what_is_in_flight():
    assert Rig().take(FIRST, LATER) == {"first", "later"}


def test_a_chain_that_waits_keeps_later_ones_off_what_it_waits_for():
    """Else the VFs of a busy card would never be made anew: there is always one more that is scrubbed."""
    rig = Rig()
    assert rig.take(FIRST) == {"first"}
    assert rig.take(RECOUNT, LATER) == {"first"}
    assert rig.take(LATER) == {"first", "later"}
