"""When a failed chain is tried again."""

from dataclasses import replace

from fairlead.agent.retries import CHANGE_REFUSED, Retries
from fairlead.hoststate.circumstances import Circumstances
from fairlead.hoststate.observed import ObservedPf
from fairlead.hoststate.report import SubjectFailure
from fairlead.hoststate.steps import Chain, HostPlan, RemoveTap
from fairlead.model.errors import Failure
from fairlead.model.ids import PfKey
from fairlead.model.pci import LinkLayer, PciAddress
from fairlead.model.vf import BASELINE

CHAIN = Chain("tap/a", (RemoveTap("a"),))
FAILURE = SubjectFailure(Failure("x", "Doing", "it", "no"))
REFUSED = SubjectFailure(Failure(CHANGE_REFUSED, "Setting", "it", "no"))
PF = ObservedPf(
    key=PfKey("pf"),
    name="ens1",
    pci_address=PciAddress("0000:03:00.0"),
    vendor="8086",
    product="1572",
    kernel_driver="i40e",
    numa_node=None,
    iommu_group=None,
    link_layer=LinkLayer.ETHERNET,
    mac=None,
    is_up=True,
    link_up=False,
    speed_mbps=None,
    mtu=1500,
    total_vfs=4,
    num_vfs=4,
    serial=None,
    capabilities=(),
    is_management=False,
)
DOWN = Circumstances("boot", PF, 0, BASELINE)
UP = replace(DOWN, pf=replace(PF, link_up=True))


def plan(*chains: Chain) -> HostPlan:
    return HostPlan((chains,))


def unseen(_: Chain) -> None:
    return None


def waits(failure: SubjectFailure, tries: int) -> list[float]:
    retries, now, found = Retries(), 0.0, []
    for _ in range(tries):
        retries.failed(CHAIN, failure, now)
        due = retries.next_due(now)
        assert due is not None
        found.append(due - now)
        now = due
    return found


class Refused:
    """A change that a driver has refused for hours, and what the looks since have seen."""

    def __init__(self, tries: int = 14) -> None:
        self.retries, self.now = Retries(), 0.0
        for _ in range(tries):
            self.retries.failed(CHAIN, REFUSED, self.now)
            self.look(DOWN)
            self.failed_at, self.now = self.now, self.now + 3600.0
        self.now = self.failed_at

    def look(self, seen: Circumstances | None, *, in_flight: bool = False) -> None:
        flying = frozenset({CHAIN.key} if in_flight else ())
        self.retries.keep_planned(plan(CHAIN), lambda _: seen, flying)

    def is_barred(self, seconds: float) -> bool:
        return CHAIN.key in self.retries.barred(self.now + seconds)


def test_the_wait_doubles_up_to_a_minute():
    assert waits(FAILURE, 9) == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_for_a_refused_change_it_doubles_up_to_an_hour():
    assert waits(REFUSED, 14) == [*(2**n for n in range(12)), 3600, 3600]


def test_other_circumstances_make_it_wait_no_longer_than_a_minute():
    refused = Refused()
    refused.look(DOWN)
    assert refused.is_barred(3599)
    refused.look(UP)
    assert (refused.is_barred(59), refused.is_barred(60)) == (True, False)


def test_once_tried_in_other_circumstances_it_waits_longer_again():
    refused = Refused()
    refused.look(UP)
    refused.now += 1800
    refused.retries.failed(CHAIN, REFUSED, refused.now)
    refused.look(UP)
    assert (refused.is_barred(119), refused.is_barred(120)) == (True, False)


def test_what_the_try_itself_did_is_no_change():
    refused = Refused()
    refused.retries.failed(CHAIN, REFUSED, refused.now)
    refused.look(UP)
    refused.look(UP)
    assert refused.is_barred(3599)


def test_what_is_not_seen_for_a_moment_has_not_changed():
    refused = Refused()
    refused.look(None)
    refused.look(DOWN)
    assert refused.is_barred(3599)


def test_what_is_seen_while_it_is_in_flight_is_its_own_doing():
    refused = Refused()
    refused.look(UP, in_flight=True)
    refused.look(DOWN)
    assert refused.is_barred(3599)


def test_a_refusal_that_becomes_a_passing_failure_waits_a_minute():
    refused = Refused()
    refused.retries.failed(CHAIN, FAILURE, refused.now)
    assert not refused.is_barred(60)


def test_it_is_barred_until_then_and_stands_all_the_while():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 10.0)
    assert retries.barred(10.5) == {"tap/a": FAILURE}
    assert retries.barred(11.0) == {}
    assert retries.standing() == (FAILURE,)


def test_success_ends_it():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.succeeded(CHAIN)
    assert retries.standing() == ()
    assert retries.next_due(0.0) is None


def test_other_steps_under_the_same_key_are_tried_at_once():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.keep_planned(plan(Chain("tap/a", (RemoveTap("b"),))), unseen)
    assert retries.barred(0.1) == {}


def test_what_is_not_planned_any_more_is_forgotten():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.keep_planned(plan(), unseen)
    assert retries.standing() == ()


def test_what_is_in_flight_keeps_its_wait_and_is_not_told_of():
    """What is left of a chain half-way is another chain, but no other attempt."""
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    retries.keep_planned(plan(), unseen, in_flight={"tap/a"})
    assert retries.standing(in_flight={"tap/a"}) == ()
    retries.failed(CHAIN, FAILURE, 1.0)
    assert retries.next_due(1.0) == 3.0


def test_what_could_be_tried_and_was_not_does_not_keep_the_loop_awake():
    retries = Retries()
    retries.failed(CHAIN, FAILURE, 0.0)
    assert retries.next_due(1.0) is None
