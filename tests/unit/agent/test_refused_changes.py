"""What a driver refuses under a running guest: not tried over and over, and nothing else is touched at each try."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from fairlead.agent.retries import CHANGE_REFUSED
from fairlead.hoststate.diff import diff
from fairlead.hoststate.steps import ConfigureVf
from fairlead.model.ids import PfKey
from fairlead.model.vf import VfSettings
from tests.agent_life import AgentLife
from tests.host_wishes import DATA, HOST, HostWish, ServerWish, VfWish, server, settings

KEY = DATA[0].key
BEFORE = VfWish(0, 3)
AFTER = replace(BEFORE, vlan=300, trust=True)
_HOUR, _REST = 3600, 30


class Refused(AgentLife):
    """A guest that runs, whose port is to be on another VLAN and trusted, and a driver that refuses `field`."""

    def __init__(self, field: str, how: str = "refused_fields") -> None:
        super().__init__()
        self.want(HostWish(servers=(ServerWish(1, vfs=(BEFORE,)),)))
        self.tick()
        self.written: list[str] = []
        self.host.machine.fuse = self._note
        self.how = how
        setattr(self.host.machine.troubles, how, frozenset({field}))
        self.want(HostWish(servers=(ServerWish(1, vfs=(AFTER,)),)))
        self.tick()

    def _note(self, act: str) -> None:
        if act.startswith("set "):
            self.written.append(act.removeprefix("set "))

    def relent(self) -> None:
        setattr(self.host.machine.troubles, self.how, frozenset())

    def rest(self, seconds: int) -> None:
        """As the loop does: it looks now and then."""
        for _ in range(0, seconds, _REST):
            self.host.clock.advance(_REST)
            self.tick()

    @property
    def vf(self) -> VfSettings:
        return self.host.machine.pfs[KEY].vfs[3]


@pytest.fixture(params=["refused_fields", "ignored_fields"])
def life(request: pytest.FixtureRequest) -> Iterator[Refused]:
    life = Refused("vlan", request.param)
    yield life
    assert not life.host.machine.mishaps


def test_the_guest_runs_on_as_before_and_the_failure_says_when_it_is_tried_again(life: Refused) -> None:
    assert life.vf == settings(1, BEFORE)
    (failure,) = life.report.failures
    assert (failure.failure.code, failure.spares_server) == (CHANGE_REFUSED, True)
    assert "tried again once its port or PF is another" in failure.failure.hint


def test_it_is_tried_ever_more_rarely_and_each_hour_in_the_end(life: Refused) -> None:
    life.rest(2 * _HOUR)
    life.written.clear()
    life.rest(6 * _HOUR)
    assert 5 <= life.written.count("vlan") <= 6 * len({"try", "set back"})
    assert life.report.failures


def test_at_a_further_try_what_was_refused_comes_first_and_nothing_else_is_written(life: Refused) -> None:
    assert life.written.count("trust") == len({"try", "set back"})
    life.written.clear()
    life.rest(_HOUR)
    assert set(life.written) == {"vlan"}


def test_once_the_driver_takes_it_all_of_it_is_set_by_the_next_try(life: Refused) -> None:
    life.relent()
    life.rest(_REST)
    assert life.vf == settings(1, AFTER)
    assert not life.report.failures


def test_what_is_refused_most_is_written_before_what_takes_the_link_away() -> None:
    life = Refused("trust")
    life.rest(_HOUR)
    assert "vlan" not in life.written


@pytest.mark.parametrize("refused", ["", "spoof_check"])
def test_the_check_of_senders_comes_after_the_vlan_whatever_was_refused_before(refused: str) -> None:
    life = Refused(refused)
    life.relent()
    life.rest(_REST)
    assert life.vf == settings(1, AFTER)
    assert life.written.index("trust") < life.written.index("vlan")
    assert life.written[-1] == "spoof_check"


@pytest.mark.parametrize("what", ["cable", "driver", "num_vfs"])
def test_another_pf_is_asked_at_once(life: Refused, what: str) -> None:
    pf = life.host.machine.pfs[KEY]
    pf.has_cable = False
    life.rest(3 * _HOUR)
    life.relent()
    life.rest(_REST)
    assert life.vf == settings(1, BEFORE)
    match what:
        case "cable":
            pf.has_cable = True
        case "driver":
            pf.nic = replace(pf.nic, kernel_driver="other")
        case _:
            pf.vfs[len(pf.vfs)] = pf.vfs[0]
    life.rest(_REST)
    assert life.vf == settings(1, AFTER)


def test_a_new_agent_asks_at_once(life: Refused) -> None:
    life.rest(3 * _HOUR)
    life.relent()
    life.agent = life.host.agent(HOST, life.control)
    life.tick()
    assert life.vf == settings(1, AFTER)


def test_another_wish_is_tried_at_once(life: Refused) -> None:
    life.rest(3 * _HOUR)
    life.want(HostWish(servers=(ServerWish(1, vfs=(replace(BEFORE, trust=True),)),)))
    life.tick()
    assert life.vf == settings(1, replace(BEFORE, trust=True))
    assert not life.report.failures


def test_what_another_hand_changes_meanwhile_is_set_back_at_once(life: Refused) -> None:
    life.rest(3 * _HOUR)
    vfs = life.host.machine.pfs[KEY].vfs
    vfs[3] = replace(vfs[3], spoof_check=False)
    life.rest(_REST)
    assert life.vf == settings(1, BEFORE)


def test_what_did_not_answer_is_asked_each_minute() -> None:
    life = Refused("")
    life.host.machine.troubles.hanging["set_vf"] = 10**6
    life.want(HostWish(servers=(ServerWish(1, vfs=(BEFORE,)),)))
    life.tick()
    life.rest(3 * _HOUR)
    (failure,) = life.report.failures
    assert failure.failure.code == "vf_setting_failed"
    life.host.machine.troubles.hanging.clear()
    life.rest(60)
    assert life.vf == settings(1, BEFORE)


class Silent(Refused):
    """Its driver tells of no VF while the host is looked at, as i40e does while one of them is reset."""

    def __init__(self) -> None:
        super().__init__("vlan")
        self.is_silent, self._tell = False, self.host.machine.tell_vfs
        self.host.machine.tell_vfs = self._told
        self.host.machine.fuse = self._hush

    def _hush(self, act: str) -> None:
        self._note(act)
        self.is_silent = act == "observe"

    def _told(self, key: PfKey) -> Mapping[int, VfSettings]:
        return {} if self.is_silent else self._tell(key)


def test_a_vf_that_is_not_seen_for_a_moment_is_not_scrubbed_under_its_guest() -> None:
    life = Silent()
    life.rest(60)
    assert life.vf == settings(1, BEFORE)
    assert not life.host.machine.mishaps
    assert life.host.machine.domains[f"fl-{server(1)}"].is_up
    plan = diff(life.control.desired, life.report.observed)
    assert [
        step.is_repair for chain in plan.chains for step in chain.steps if isinstance(step, ConfigureVf)
    ] == [True]
