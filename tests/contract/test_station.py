"""agent.station.Vdp, on each thing that claims to be one: the simulated lldpad, and the real one in either form."""

import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from evb.behaviour import Accept, Refuse
from evb.frames import Form
from fairlead.agent.station import Vdp
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.lldpad import Lldpad, Patience
from fairlead.linux.sysfs import Sysfs
from fairlead.model.errors import Fault
from fairlead.model.pci import MacAddress, PciAddress
from fairlead.model.vsi import VdpResponse, VsiReading, VsiSettings, VsiState
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.lldpad import SimLldpad
from fairlead.sim.machine import Machine
from tests.lldpad_bed import ADDRESS, bed

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"
VSI = VsiSettings(INSTANCE, 11, 0x123456, 2, MacAddress("52:54:00:aa:bb:01"), 100)
OTHER = replace(
    VSI, instance_id="11111111-2222-4333-8444-555555555555", mac=MacAddress("52:54:00:aa:bb:02"), vlan=None
)
ASSOCIATED = VsiReading(VsiState.ASSOCIATED)
IN_TIME = 10.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A station at a bridge that says yes. `refuse` makes that say no, None yes again; `let_go` lets a VSI go;
    `forget` starts the station anew. `is_told`: whether the station tells, unasked, that a VSI is gone. `echoing`:
    inside the block it hears itself; `is_misled`: which it takes for the bridge, as lldpad does in the draft's form.
    """

    vdp: Vdp
    pf: ObservedPf
    refuse: Callable[[VdpResponse | None], None]
    let_go: Callable[[str], None]
    forget: Callable[[], None]
    is_told: Callable[[], bool]
    echoing: Callable[[], AbstractContextManager[None]]
    is_misled: bool


def simulated() -> Iterator[Bench]:
    machine = Machine(two_socket_server(1))
    pf = SimKernel(machine).observe().pfs[1]

    def refuse(response: VdpResponse | None) -> None:
        machine.troubles.vdp_response = response

    @contextmanager
    def echoing() -> Iterator[None]:
        machine.troubles.is_echoing = True
        yield
        machine.troubles.is_echoing = False

    yield Bench(
        SimLldpad(machine),
        pf,
        refuse,
        lambda instance: machine.vsis[pf.key].pop(instance) and None,
        machine.vsis.clear,
        lambda: True,
        echoing,
        is_misled=True,
    )


def real(form: Form, folder: Path) -> Iterator[Bench]:
    own = replace(SimKernel(Machine(two_socket_server(1))).observe().pfs[1], pci_address=PciAddress(ADDRESS))
    with bed(form, folder) as place:
        place.start()
        with place.entered():
            pid_file, sysfs = place.lldpad.run / "lldpad.pid", Sysfs(place.machine)
            station = Lldpad(pid_file, Patience(answer=5.0), sysfs=sysfs)

            def forget() -> None:
                place.lldpad.stop()  # it says goodbye, so that the bridge waits for the new one
                place.start()

            yield Bench(
                station,
                own,
                lambda response: place.responder.behave(Refuse(response.code) if response else Accept()),
                lambda instance: place.responder.deassociate(UUID(instance)),
                forget,
                lambda: bool(select.select([station.events], [], [], IN_TIME)[0]),
                place.echoing,
                is_misled=form is Form.DRAFT,
            )
            station.close()


@pytest.fixture(params=["sim", *Form], ids=lambda param: param if isinstance(param, str) else param.value)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from simulated() if request.param == "sim" else real(request.param, tmp_path)


def refusal(bench: Bench, vsi: VsiSettings = VSI) -> str:
    with pytest.raises(Fault) as fault:
        bench.vdp.associate(bench.pf, vsi)
    return fault.value.failure.code


def test_with_a_bridge_there_is_an_agreement(bench: Bench):
    assert bench.vdp.agrees(bench.pf)


def test_what_is_associated_is_told_and_let_go(bench: Bench):
    assert bench.vdp.read(bench.pf) == {}
    bench.vdp.associate(bench.pf, VSI)
    bench.vdp.associate(bench.pf, OTHER)
    assert bench.vdp.read(bench.pf) == {INSTANCE: ASSOCIATED, OTHER.instance_id: ASSOCIATED}
    assert refusal(bench) == "vsi_in_use"
    bench.vdp.disassociate(bench.pf, VSI)
    assert bench.vdp.read(bench.pf) == {OTHER.instance_id: ASSOCIATED}
    bench.vdp.disassociate(bench.pf, VSI)
    bench.vdp.associate(bench.pf, replace(VSI, type_id=7))
    assert bench.vdp.read(bench.pf) == {INSTANCE: ASSOCIATED, OTHER.instance_id: ASSOCIATED}


def test_what_is_refused_leaves_nothing_and_may_be_asked_for_again(bench: Bench):
    for response in (VdpResponse.UNUSED_VTID, VdpResponse.INVALID_FORMAT):
        bench.refuse(response)
        assert refusal(bench) == "vsi_refused"
        assert bench.vdp.read(bench.pf) == {}
    bench.refuse(None)
    bench.vdp.associate(bench.pf, VSI)
    assert bench.vdp.read(bench.pf) == {INSTANCE: ASSOCIATED}


def test_what_the_bridge_lets_go_is_gone_and_may_be_asked_for_again(bench: Bench):
    bench.vdp.associate(bench.pf, VSI)
    bench.let_go(INSTANCE)
    assert bench.is_told()
    assert bench.vdp.read(bench.pf) == {}
    bench.vdp.associate(bench.pf, VSI)
    assert bench.vdp.read(bench.pf) == {INSTANCE: ASSOCIATED}


def test_a_station_that_starts_anew_has_nothing(bench: Bench):
    bench.vdp.associate(bench.pf, VSI)
    bench.forget()
    assert bench.vdp.read(bench.pf) == {}
    bench.vdp.disassociate(bench.pf, VSI)
    bench.vdp.associate(bench.pf, VSI)
    assert bench.vdp.read(bench.pf) == {INSTANCE: ASSOCIATED}


@pytest.mark.parametrize("response", [None, VdpResponse.VTID_VIOLATION], ids=["yes", "no"])
def test_a_station_that_hears_itself_associates_nothing_by_itself(bench: Bench, response: VdpResponse | None):
    bench.refuse(response)
    with bench.echoing():
        if bench.is_misled:
            assert refusal(bench) == "vdp_echoed"
        elif response is not None:
            assert refusal(bench) == "vsi_refused"
        assert bench.vdp.read(bench.pf) == {}
        assert bench.vdp.agrees(bench.pf) is not bench.is_misled
    bench.refuse(None)
    bench.vdp.associate(bench.pf, VSI)
    assert bench.vdp.read(bench.pf) == {INSTANCE: ASSOCIATED}


def test_by_other_settings_nothing_is_let_go(bench: Bench):
    bench.vdp.associate(bench.pf, VSI)
    with pytest.raises(Fault):
        bench.vdp.disassociate(bench.pf, replace(VSI, type_id=7))
