"""What a host tells of its vNICs: all that each has as it was seen just now, and what of it is not as wanted."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from fairlead.hoststate.vnic import VnicsAnswer, VnicSight
from fairlead.model.ids import PortId
from fairlead.model.vf import VfSettings
from fairlead.model.vsi import VsiState
from fairlead.sim.fleet import sim_host
from fairlead.sim.machine import Machine
from fairlead.wire import codec
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, port, server

DIRECT, MACVTAP, VSI, SWITCHED, TAP = (port(1, number) for number in (0, 1, 2, 3, 16))
ONE = ServerWish(
    1,
    vfs=(
        VfWish(0, 3),
        VfWish(0, 4, is_tapped=True),
        VfWish(0, 5, vsi_type=7),
        VfWish(1, 2, profile_id="finance"),
    ),
    taps=1,
)
PF, FABRIC = DATA[0].key, DATA[1].key


class Life(AgentLife):
    """A host with a vNIC of each kind, or these servers', all of them as wanted."""

    def __init__(self, *servers: ServerWish) -> None:
        super().__init__(sim_host("h1", 1))
        self.want(HostWish(servers or (ONE,)))
        self.tick()

    @property
    def machine(self) -> Machine:
        return self.host.machine

    @property
    def answer(self) -> VnicsAnswer:
        return self.agent.vnics()

    @property
    def sights(self) -> dict[PortId, VnicSight]:
        return {sight.port_id: sight for sight in self.answer.found}

    @property
    def differing(self) -> dict[PortId, tuple[str, ...]]:
        return {port_id: sight.differs for port_id, sight in self.sights.items() if not sight.is_wired}


@pytest.fixture
def life() -> Life:
    return Life()


def set_vf(life: Life, **fields: object) -> None:
    vfs = life.machine.pfs[PF].vfs
    vfs[3] = replace(vfs[3], **fields)


def set_tap(life: Life, **fields: object) -> None:
    taps, (name,) = life.host.kernel.taps, life.host.kernel.taps
    taps[name] = replace(taps[name], **fields)


def set_down(life: Life) -> None:
    life.machine.links.vfs[PF, 4].is_up = False


def test_each_has_what_it_is_made_of_as_seen(life: Life):
    sights = life.sights
    assert set(sights) == {DIRECT, MACVTAP, VSI, SWITCHED, TAP}
    assert life.differing == {}
    assert set(life.report.wired) == set(sights)
    for port_id in (DIRECT, MACVTAP, VSI, SWITCHED):
        assert isinstance(sights[port_id].settings, VfSettings)
    tap, macvtap, vsi = sights[TAP].tap, sights[MACVTAP].macvtap, sights[VSI].vsi
    assert (tap.mtu, tap.vlan, tap.is_up, tap.bridge) == (1500, 200, True, "flbr-0a1b2c3d")
    assert (macvtap.lower.vf_index, macvtap.is_passthru, macvtap.mtu, macvtap.is_up) == (4, True, 1500, True)
    assert macvtap.mac == sights[MACVTAP].settings.mac
    assert (vsi.instance_id, vsi.type_id, vsi.type_id_version, vsi.vf_index) == (VSI, 7, 2, 5)
    assert (vsi.state, vsi.response) == (VsiState.ASSOCIATED, None)
    assert sights[SWITCHED].settings.association.profile_id == "finance"


@pytest.mark.parametrize(
    ("change", "whose", "names"),
    [
        (lambda life: set_vf(life, vlan=999, trust=True), DIRECT, ("vf.vlan", "vf.trust")),
        (lambda life: life.machine.lose_association(FABRIC, 2), SWITCHED, ("vf.association",)),
        (lambda life: set_tap(life, mtu=1400), TAP, ("tap.mtu",)),
        (lambda life: set_tap(life, vlan=7, is_up=False), TAP, ("tap.vlan", "tap.is_up")),
        (
            lambda life: set_tap(life, max_rate_kbps=8, sources=("?",)),
            TAP,
            ("tap.max_rate_kbps", "tap.sources"),
        ),
        (set_down, MACVTAP, ("macvtap.is_up",)),
        (lambda life: life.machine.links.take((PF, 4)), MACVTAP, ("macvtap",)),
        (lambda life: life.machine.links.virtual.remove(life.sights[TAP].device), TAP, ("tap",)),
        (lambda life: life.machine.vsis[PF].clear(), VSI, ("vsi.state",)),
    ],
)
def test_what_is_not_as_wanted_is_named(
    life: Life, change: Callable[[Life], None], whose: PortId, names: tuple[str, ...]
):
    change(life)
    assert life.differing == {whose: names}


def test_what_was_seen_in_its_place_is_told(life: Life):
    set_tap(life, mtu=1400)
    set_down(life)
    life.machine.vsis[PF].clear()
    assert life.sights[TAP].tap.mtu == 1400
    assert life.sights[MACVTAP].macvtap.is_up is False
    assert (life.sights[VSI].vsi.type_id, life.sights[VSI].vsi.state) == (7, VsiState.ABSENT)
    life.tick()
    assert life.differing == {}


def test_a_station_that_does_not_tell_hides_nothing_else(life: Life):
    life.machine.troubles.hanging["read_vsis"] = 1
    answer = life.answer
    assert answer.failure is None
    (vsi,) = [sight for sight in answer.found if not sight.is_wired]
    assert (vsi.differs, vsi.vsi.state) == (("vsi.state",), VsiState.UNKNOWN)


def test_what_a_guest_runs_without_is_not_wired_however_it_is_set(life: Life):
    domain = life.machine.domains[f"fl-{server(1)}"]
    domain.live_hostdevs = domain.live_hostdevs[1:]
    life.machine.troubles.hanging["attach"] = 99
    life.tick()
    assert life.differing == {DIRECT: ("guest",)}


def test_a_whole_device_is_told_of_once_libvirt_was_seen():
    life = Life(ServerWish(1, whole=0))
    (sight,) = life.answer.found
    assert (sight.is_wired, sight.settings, sight.tap) == (True, None, None)
    fresh = life.host.agent(HOST, life.control)
    assert [sight.differs for sight in fresh.vnics().found] == [("guest",)]
    fresh.tick()
    assert fresh.vnics() == life.answer


def test_looking_asks_neither_libvirt_nor_disks_and_changes_nothing(life: Life):
    acts: list[str] = []
    life.machine.fuse = acts.append
    assert life.differing == {}
    assert acts == ["observe", "read_vsis", "count", "count"]


def test_without_vsis_no_station_is_asked():
    life, acts = Life(ServerWish(1, vfs=(VfWish(0, 3),), taps=1)), list[str]()
    life.machine.fuse = acts.append
    assert len(life.answer.found) == 2
    assert acts == ["observe", "count"]


def test_an_answer_comes_as_it_went(life: Life):
    life.machine.vsis[PF].clear()
    assert codec.decode(VnicsAnswer, codec.encode(life.answer)) == life.answer


def test_an_agent_of_before_is_understood(life: Life):
    told = msgspec.json.decode(codec.encode(life.answer))
    for sight in told["found"]:
        for new in ("tap", "macvtap", "vsi", "differs"):
            del sight[new]
    found = codec.decode(VnicsAnswer, msgspec.json.encode(told)).found
    assert [(each.port_id, each.is_wired) for each in found] == [(each, True) for each in life.sights]
    assert {(each.tap, each.vsi, each.differs) for each in found} == {(None, None, ())}
