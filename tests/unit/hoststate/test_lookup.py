"""Who has a device of whom the document says nothing."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import SlotLedger
from fairlead.agent.observe import observe
from fairlead.hoststate.lookup import look_up, unnamed_guest
from fairlead.hoststate.observed import GuestState, ObservedGuest
from fairlead.sim.fleet import sim_host
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, server

VF = DATA[0].vf_address(3)
NAMED = HostWish((ServerWish(1, vfs=(VfWish(0, 3),)),))
UP, DOWN = GuestState.RUNNING, GuestState.STOPPED


@pytest.mark.parametrize(
    ("named", "unnamed", "has_it"),
    [(UP, DOWN, False), (DOWN, DOWN, True), (DOWN, UP, True)],
)
def test_an_unnamed_guest_has_what_its_domain_names_unless_a_running_guest_has_it(
    named: GuestState, unnamed: GuestState, *, has_it: bool
):
    host = sim_host("h1", 1)
    empty = observe(host.kernel, host.vdp, host.hypervisor, host.disks, SlotLedger(host.slots, HOST))
    guests = (
        ObservedGuest(server(1), named, "", 1, hostdevs=(VF,)),
        ObservedGuest(server(2), unnamed, "", 1, hostdevs=(VF,)),
    )
    lookup = look_up(desired(NAMED), replace(empty, guests=guests))
    assert lookup.foreign == ({VF: unnamed_guest(server(2))} if has_it else {})
    assert (VF in lookup.users) is not has_it
