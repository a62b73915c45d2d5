"""VFs at a switch that speaks 802.1Qbh: associated before their guests run, again when that is lost, and never more."""

from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.hoststate.desired import DesiredState
from fairlead.hoststate.observed import GuestState
from fairlead.hoststate.report import Report
from fairlead.model.association import ERROR, Association
from fairlead.model.vf import BASELINE, VfSettings, differences
from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import Hardware, two_socket_server
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, desired, port, server

FABRIC = DATA[1].key
ONE = ServerWish(1, vfs=(VfWish(1, 2, profile_id="finance"),))
FINANCE = Association("finance", port(1, 0), HOST)


def enic_server(number: int) -> Hardware:
    """Its second data NIC's VFs are there since its driver is, and it tells nothing of them but associations."""
    whole = two_socket_server(number)
    fabric = replace(whole.nics[2], tells_macs=False, kernel_driver="enic")
    return replace(whole, nics=(*whole.nics[:2], fabric))


class Rig:
    """A host with its agent and the stand-in for control."""

    def __init__(self, wish: HostWish, root: Path | None, *, is_enic: bool) -> None:
        self.host = sim_host("h1", 1, root=root, built=enic_server if is_enic else two_socket_server)
        if is_enic:
            self.host.machine.set_num_vfs(FABRIC, 8)
        self.control = ControlStandIn(desired(wish))
        self.agent = self.host.agent(HOST, self.control)

    def wish(self, document: DesiredState) -> Report:
        self.control.desired = replace(document, generation=(self.control.desired or document).generation + 1)
        return self.tick()

    def tick(self) -> Report:
        self.agent.poll(0)
        self.agent.tick()
        return self.control.reports[-1]

    @property
    def vf(self) -> VfSettings:
        return self.host.machine.pfs[FABRIC].vfs[2]

    def lose(self) -> None:
        self.host.machine.lose_association(FABRIC, 2)

    def is_up(self) -> bool:
        domain = self.host.machine.domains.get(f"fl-{server(1)}")
        return domain is not None and domain.state is GuestState.RUNNING


@pytest.fixture(params=["memory", "tree", "enic", "enic-tree"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    is_enic = request.param.startswith("enic")
    wish = HostWish(servers=(ONE,), num_vfs=(8, None if is_enic else 8))
    return Rig(wish, tmp_path if "tree" in request.param else None, is_enic=is_enic)


def test_a_guest_starts_on_an_associated_vf(rig: Rig):
    report = rig.tick()
    assert (report.wired, report.failures, rig.is_up()) == ((port(1, 0),), (), True)
    assert (rig.vf.association, rig.vf.mac) == (
        FINANCE,
        desired(HostWish(servers=(ONE,))).vfs[0].settings.mac,
    )


def test_what_is_lost_without_an_event_is_made_again_within_the_rest(rig: Rig):
    rig.tick()
    rig.lose()
    assert rig.agent.rest_seconds() <= 10
    report = rig.tick()
    assert (rig.vf.association, report.wired, rig.is_up()) == (FINANCE, (port(1, 0),), True)
    (event,) = (event for event in report.events if event.kind == "drift_repaired")
    assert "association was none" in event.message


def test_another_profile_reaches_a_running_guest(rig: Rig):
    rig.tick()
    mac = rig.vf.mac
    other = replace(ONE, vfs=(replace(ONE.vfs[0], profile_id="hr"),))
    rig.wish(desired(HostWish(servers=(other,), num_vfs=(8, None))))
    assert (rig.vf.association, rig.vf.mac, rig.is_up()) == (replace(FINANCE, profile_id="hr"), mac, True)


def test_a_running_guest_whose_switch_says_no_loses_its_network_and_runs_on(rig: Rig):
    rig.tick()
    mac = rig.vf.mac
    rig.host.machine.switch.answer = ERROR
    rig.lose()
    report = rig.tick()
    (failure,) = report.failures
    assert (failure.failure.code, failure.port_id) == ("association_error", port(1, 0))
    assert (rig.vf.association, rig.vf.mac, rig.is_up(), report.wired) == (None, mac, True, ())
    rig.host.machine.switch.answer = FINANCE.response or 0
    rig.host.clock.advance(61)  # type: ignore[attr-defined]
    assert rig.tick().wired == (port(1, 0),)
    assert rig.vf.association == FINANCE


def test_no_guest_starts_where_the_switch_says_no_and_nothing_is_left(rig: Rig):
    rig.host.machine.switch.answer = ERROR
    report = rig.tick()
    assert [failure.failure.code for failure in report.failures] == ["association_error"]
    assert not rig.is_up()
    assert differences(BASELINE, rig.vf) == ()


def test_who_goes_leaves_neither_association_nor_mac(rig: Rig):
    rig.tick()
    rig.wish(desired(HostWish(removals=(1,), num_vfs=(8, None))))
    assert differences(BASELINE, rig.vf) == ()
    assert not rig.host.machine.mishaps


def test_a_vf_of_another_mechanism_fails_where_macs_are_not_told(tmp_path: Path):
    """Nothing says that it has the MAC of its port: nobody is started on it."""
    plain = ServerWish(1, vfs=(VfWish(1, 2, vlan=None),))
    rig = Rig(HostWish(servers=(plain,), num_vfs=(8, None)), tmp_path, is_enic=True)
    report = rig.tick()
    assert not rig.is_up()
    assert report.wired == ()
    assert [failure.failure.code for failure in report.failures] == ["vf_setting_not_kept"]
