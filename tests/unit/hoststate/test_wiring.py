"""Which ports are wired: those of which nothing differs, and of whose things no chain in flight has any."""

import pytest

from fairlead.hoststate.likeness import port_differences, wired_ports
from fairlead.hoststate.lookup import Lookup, look_up
from fairlead.hoststate.resources import NOTHING, Resources
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HostWish, ServerWish, VfWish, port

DIRECT, MACVTAP, VSI, TAP, WHOLE = (port(1, number) for number in (0, 1, 2, 16, 33))
VFS = (VfWish(0, 3), VfWish(0, 4, is_tapped=True), VfWish(0, 5, vsi_type=7))
ONE = ServerWish(1, vfs=VFS, taps=1, whole=1)
ALL = (DIRECT, MACVTAP, VSI, TAP, WHOLE)
PF, WHOLE_PF = DATA[0].key, DATA[1].key


@pytest.fixture
def lookup() -> Lookup:
    """A host on which all is as wanted."""
    life = AgentLife()
    life.want(HostWish((ONE,), num_vfs=(8, None)))
    life.tick()
    return look_up(life.control.desired, life.report.observed)


def test_a_port_of_which_nothing_differs_is_wired(lookup: Lookup):
    assert port_differences(lookup) == dict.fromkeys(ALL, ())
    assert wired_ports(lookup, NOTHING) == ALL


@pytest.mark.parametrize(
    ("held", "whose"),
    [
        (Resources(vfs=frozenset({(PF, 3)})), DIRECT),
        (Resources(vfs=frozenset({(PF, 4)})), MACVTAP),
        (Resources(taps=frozenset({f"fltap-{MACVTAP[:8]}"})), MACVTAP),
        (Resources(vsis=frozenset({VSI})), VSI),
        (Resources(taps=frozenset({f"fltap-{TAP[:8]}"})), TAP),
        (Resources(devices=frozenset({WHOLE_PF})), WHOLE),
        (Resources(remade=frozenset({WHOLE_PF})), WHOLE),
    ],
)
def test_what_a_chain_in_flight_has_may_change_yet(lookup: Lookup, held: Resources, whose: str):
    assert wired_ports(lookup, held) == tuple(each for each in ALL if each != whose)


def test_a_port_whose_vf_is_withheld_is_not_wired():
    life = AgentLife()
    life.want(HostWish((ServerWish(1, vfs=(VfWish(0, 3, is_withheld=True),)),)))
    life.tick()
    lookup = look_up(life.control.desired, life.report.observed)
    assert port_differences(lookup) == {DIRECT: ("guest",)}
    assert wired_ports(lookup, NOTHING) == ()
