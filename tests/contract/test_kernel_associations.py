"""agent.boundary.Kernel at a switch that speaks 802.1Qbh: the real adapter on simulated netlink, and the simulator."""

import errno
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairlead.agent.boundary import Kernel
from fairlead.hoststate.observed import ObservedPf
from fairlead.model.association import (
    BAD_STATE,
    ERROR,
    INSUFFICIENT_RESOURCES,
    INVALID,
    Association,
    AssociationRequest,
)
from fairlead.model.device import QBH_CAPABILITY
from fairlead.model.errors import Failure, Fault
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE, VfSettings, differences
from fairlead.sim.hardware import Hardware, two_socket_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from fairlead.sim.tree import TreeKernel

_, PLAIN, FABRIC = two_socket_server(1).nics
FINANCE = Association(
    "finance", "00010000-0000-4000-8000-000000000004", "00000000-0000-4000-8000-0000000000f1"
)
WANTED = replace(BASELINE, mac=MacAddress("fa:16:3e:00:00:01"), association=FINANCE)
BOTH = ("mac", "association")


@dataclass(frozen=True, slots=True)
class Bench:
    """Two VFs on each of the data NICs, both up. The second is at a switch that speaks 802.1Qbh."""

    machine: Machine
    kernel: Kernel

    def pf(self, key: str = FABRIC.key) -> ObservedPf:
        return next(pf for pf in self.kernel.observe().pfs if pf.key == key)

    def read(self) -> VfSettings:
        return self.kernel.read_vf(self.pf(), 1)

    def set(self, settings: VfSettings = WANTED, fields: tuple[str, ...] = BOTH) -> None:
        self.kernel.set_vf(self.pf(), 1, settings, fields)

    def refused(self, settings: VfSettings = WANTED, fields: tuple[str, ...] = BOTH) -> Failure:
        with pytest.raises(Fault) as caught:
            self.set(settings, fields)
        return caught.value.failure


def simulated(machine: Machine, root: Path) -> Kernel:
    return SimKernel(machine)


def real_adapter(machine: Machine, root: Path) -> Kernel:
    return TreeKernel(machine, root)


def hardware(**fabric: bool) -> Hardware:
    whole = two_socket_server(1)
    return replace(whole, nics=(*whole.nics[:2], replace(whole.nics[2], **fabric)))


@pytest.fixture(params=[simulated, real_adapter])
def bench_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Hardware], Bench]:
    def made(parts: Hardware) -> Bench:
        machine = Machine(parts)
        for nic in (PLAIN, FABRIC):
            machine.set_num_vfs(nic.key, 2)
            machine.pfs[nic.key].is_up = True
        return Bench(machine, request.param(machine, tmp_path))

    return made


@pytest.fixture
def bench(bench_of: Callable[[Hardware], Bench]) -> Bench:
    return bench_of(two_socket_server(1))


def test_a_pf_at_such_a_switch_says_so(bench: Bench):
    assert QBH_CAPABILITY in bench.pf().capabilities
    assert QBH_CAPABILITY not in bench.pf(PLAIN.key).capabilities


def test_a_vf_is_associated_with_its_mac_and_reads_back_so(bench: Bench):
    bench.set()
    assert differences(WANTED, bench.read()) == ()
    assert bench.pf().vfs[1].settings.association == FINANCE
    assert differences(BASELINE, bench.pf().vfs[0].settings) == ()


def test_an_answer_that_takes_its_time_is_waited_for(bench: Bench):
    bench.machine.switch.looks = 5
    bench.set()
    assert bench.read().association == FINANCE


def test_an_association_is_ended_and_that_is_waited_for_too(bench: Bench):
    bench.set()
    bench.machine.switch.looks = 3
    bench.set(BASELINE, BOTH)
    assert differences(BASELINE, bench.read()) == ()


def test_another_profile_takes_the_place_of_the_first(bench: Bench):
    bench.set()
    later = replace(WANTED, association=replace(FINANCE, profile_id="hr"))
    bench.set(later, ("association",))
    assert differences(later, bench.read()) == ()


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        (INVALID, "association_invalid", "knows no such profile"),
        (BAD_STATE, "association_bad_state", "not in a state for it"),
        (INSUFFICIENT_RESOURCES, "association_no_resources", "no resources left"),
        (ERROR, "association_error", "firmware failed"),
        (0x106, "association_refused", "0x106"),
    ],
)
def test_a_switch_that_says_no_leaves_no_association(bench: Bench, response: int, code: str, words: str):
    bench.machine.switch.answer = response
    failure = bench.refused()
    assert (failure.code, "profile finance" in failure.subject) == (code, True)
    assert words in failure.answer
    assert failure.hint
    assert bench.read().association is None


def test_a_switch_that_never_answers_is_given_up_after_ten_seconds(bench: Bench):
    bench.machine.switch.is_silent = True
    failure = bench.refused()
    assert (failure.code, failure.answer) == (
        "association_unanswered",
        "the switch has not answered within 10 s",
    )
    left = bench.read().association
    assert left is not None
    assert left.request is AssociationRequest.DISASSOCIATE


def test_silence_has_a_reason_where_there_is_one(bench: Bench):
    bench.machine.switch.is_silent = True
    bench.machine.pfs[FABRIC.key].is_up = False
    assert "PF is down" in bench.refused().hint
    bench.machine.pfs[FABRIC.key].is_up, bench.machine.pfs[FABRIC.key].has_cable = True, False
    assert "no link" in bench.refused().hint


def test_a_request_that_the_driver_refuses_ends_what_was_before(bench: Bench):
    bench.set()
    bench.machine.switch.set_errno = errno.EBUSY
    failure = bench.refused(replace(WANTED, association=replace(FINANCE, profile_id="hr")))
    assert "EBUSY" in failure.answer


def test_one_that_is_refused_before_it_comes_to_the_association_ends_that_of_before_too(bench: Bench):
    """The kernel goes through a message in its order, and stops: the VF would speak for its port of before."""
    bench.set()
    bench.machine.troubles.refused_fields = frozenset({"mac"})
    other = replace(
        WANTED, mac=MacAddress("fa:16:3e:00:00:02"), association=replace(FINANCE, profile_id="hr")
    )
    bench.refused(other)
    assert bench.read().association is None


def test_a_driver_without_it_says_so(bench: Bench):
    with pytest.raises(Fault) as caught:
        bench.kernel.set_vf(bench.pf(PLAIN.key), 1, WANTED, BOTH)
    assert "EOPNOTSUPP" in caught.value.failure.answer
    assert bench.kernel.read_vf(bench.pf(PLAIN.key), 1).association is None


def test_a_driver_that_tells_no_answer_is_not_believed(bench: Bench):
    bench.machine.switch.get_errno = errno.EIO
    assert "tells no answer" in bench.refused().answer


def test_a_driver_that_breaks_off_costs_its_own_vfs_alone(bench: Bench):
    pf = bench.pf()
    bench.machine.switch.get_errno = errno.EMSGSIZE
    assert (bench.pf().name, bench.pf().vfs, len(bench.pf(PLAIN.key).vfs)) == (pf.name, (), 2)
    with pytest.raises(Fault) as caught:
        bench.kernel.read_vf(pf, 1)
    assert "EMSGSIZE" in caught.value.failure.answer
    assert caught.value.failure.hint


def test_a_mac_that_is_not_told_is_as_its_association(bench_of: Callable[[Hardware], Bench]):
    bench = bench_of(hardware(tells_macs=False))
    assert [vf.index for vf in bench.pf().vfs] == [0, 1]
    assert differences(BASELINE, bench.read()) == ()
    assert differences(WANTED, bench.read()) == BOTH
    bench.set()
    assert differences(WANTED, bench.read()) == ()
    assert bench.machine.pfs[FABRIC.key].vfs[1].mac == WANTED.mac
    assert differences(BASELINE, bench.read()) == BOTH


def test_nothing_speaks_for_a_mac_without_an_association_that_is_not_told(
    bench_of: Callable[[Hardware], Bench],
):
    bench = bench_of(hardware(tells_macs=False))
    plain = replace(WANTED, association=None)
    bench.set(plain, ("mac",))
    assert differences(plain, bench.read()) == ("mac",)
