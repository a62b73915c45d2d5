"""The station over real netlink, with an lldpad that answers by a script: what the real one does once in a while."""

import errno
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.lldpad import Lldpad, Patience
from fairlead.linux.sysfs import Sysfs
from fairlead.linux.vdp_frames import VdpForm
from fairlead.linux.witness import Heard
from fairlead.model.errors import Fault
from fairlead.model.ids import PfKey
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress
from fairlead.model.vsi import ABSENT, VdpRequest, VdpResponse, VsiReading, VsiSettings, VsiState
from tests.lldpad_stand_in import YES, Script, lldpad_stand_in, told
from tests.machine_tree import Tree, nic_at
from tests.network_namespace import private_network

INSTANCE, OTHER = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f", "11111111-2222-4333-8444-555555555555"
VSI = VsiSettings(INSTANCE, 11, 0x123456, 2, MacAddress("52:54:00:aa:bb:01"), 100)
ASSOCIATED, PENDING = VsiReading(VsiState.ASSOCIATED), VsiReading(VsiState.PENDING)
ASSOCIATE, DISASSOCIATE = VdpRequest.ASSOCIATE.value, VdpRequest.DISASSOCIATE.value
ADDRESS, WITHOUT_DEVICE = "0000:af:00.0", "0000:af:00.1"
LO = ("lo", 1)
"""What a new network namespace has."""
SHORT = Patience(exchange=0.2, ready=0.2, answer=0.3, steady=0.01, poll=(0.001, 0.01))
IN_TIME = 10.0


def pf(address: str = ADDRESS) -> ObservedPf:
    """The namespace's only device stands for a PF, which was called otherwise when it was looked at."""
    return ObservedPf(
        key=PfKey("mac:x"),
        name="ens1f0",
        pci_address=PciAddress(address),
        vendor="8086",
        product="1572",
        kernel_driver="i40e",
        numa_node=None,
        iommu_group=None,
        link_layer=LinkLayer.ETHERNET,
        mac=None,
        is_up=True,
        link_up=True,
        speed_mbps=None,
        mtu=1500,
        total_vfs=8,
        num_vfs=0,
        serial=None,
        capabilities=(),
        is_management=False,
    )


class Opened(Protocol):
    """A station whose lldpad answers by the script, and whose bridge was heard to say this."""

    def __call__(self, script: Script, heard: Heard = YES) -> Lldpad: ...


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """See Opened."""
    ends: list[Callable[[], object]] = []

    def open_(script: Script, heard: Heard = YES) -> Lldpad:
        stand_in = lldpad_stand_in(tmp_path, script)
        nic_at(tmp_path, ADDRESS, *LO)
        station = Lldpad(stand_in.__enter__(), SHORT, told(heard), Sysfs(tmp_path))
        ends.extend((lambda: stand_in.__exit__(None, None, None), station.close))
        return station

    with private_network():
        yield open_
        while ends:
            ends.pop()()


def code(fault: pytest.ExceptionInfo[Fault]) -> str:
    return fault.value.failure.code


def test_all_vsis_are_told(opened: Opened):
    station = opened(Script([((INSTANCE, 0), (OTHER, None))]))
    assert station.read(pf()) == {INSTANCE: ASSOCIATED, OTHER: PENDING}


def test_a_success_that_is_told_once_more_of_one_that_is_gone_is_none(opened: Opened):
    station = opened(Script([((INSTANCE, 0),), ()]))
    assert station.read(pf()) == {}


def test_one_that_lldpad_skips_while_it_forgets_another_is_found(opened: Opened):
    station = opened(Script([((OTHER, 0),), ((INSTANCE, 0),)]))
    assert station.read(pf()) == {INSTANCE: ASSOCIATED}


def test_a_refusal_is_told_though_lldpad_forgets_it_at_once(opened: Opened):
    station = opened(Script([((INSTANCE, 4),), ()]))
    assert station.read(pf()) == {INSTANCE: VsiReading(VsiState.REFUSED, VdpResponse.VTID_VIOLATION)}


def test_a_list_that_never_settles_is_no_answer(opened: Opened):
    station = opened(Script([((INSTANCE, number % 2),) for number in range(1000)]))
    with pytest.raises(Fault) as fault:
        station.read(pf())
    assert "another one each time" in fault.value.failure.answer


def test_it_is_associated_once_the_bridge_has_said_so(opened: Opened):
    script = Script([(), (), ((INSTANCE, None),), ((INSTANCE, None),), ((INSTANCE, 0),)])
    opened(script).associate(pf(), VSI)
    assert script.asked == [(ASSOCIATE, INSTANCE)]


def test_a_success_that_does_not_stand_is_none(opened: Opened):
    script = Script([(), (), ((INSTANCE, 0),), ((INSTANCE, 0),), ()])
    with pytest.raises(Fault) as fault:
        opened(script).associate(pf(), VSI)
    assert code(fault) == "vsi_unanswered"


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        (Heard(), "vsi_unheard"),
        (Heard(YES.answer, is_all=False), "vsi_unheard"),
        (Heard(YES.answer, frozenset({VdpForm.DRAFT})), "vdp_echoed"),
        (Heard(VsiReading(VsiState.REFUSED, VdpResponse.UNUSED_VTID)), "vsi_refused"),
        (Heard(ABSENT), "vsi_unanswered"),
    ],
    ids=["silence", "something lost", "echo", "refusal", "taken back"],
)
def test_a_success_that_the_bridge_was_not_heard_to_give_is_taken_back(
    opened: Opened, heard: Heard, wanted: str
):
    script = Script([(), (), *[((INSTANCE, 0),)] * 6, ()])
    with pytest.raises(Fault) as fault:
        opened(script, heard).associate(pf(), VSI)
    assert (code(fault), script.asked) == (wanted, [(ASSOCIATE, INSTANCE), (DISASSOCIATE, INSTANCE)])
    assert fault.value.failure.hint


def test_an_echo_in_the_standards_form_does_no_harm(opened: Opened):
    """lldpad itself takes no request for an answer there."""
    heard = Heard(YES.answer, frozenset({VdpForm.STANDARD}))
    opened(Script([(), (), ((INSTANCE, 0),)]), heard).associate(pf(), VSI)


def test_a_refusal_that_lldpad_dropped_without_telling_is_told(opened: Opened):
    """As it drops a very quick one."""
    refused = Heard(VsiReading(VsiState.REFUSED, VdpResponse.UNUSED_VTID))
    with pytest.raises(Fault, match="answers 3: "):
        opened(Script([(), (), ()]), refused).associate(pf(), VSI)


@pytest.mark.parametrize("response", [*VdpResponse][1:])
def test_each_refusal_is_told_in_words_with_its_number(opened: Opened, response: VdpResponse):
    with pytest.raises(Fault) as fault:
        opened(Script([(), (), ((INSTANCE, response.code),), ()])).associate(pf(), VSI)
    assert code(fault) == "vsi_refused"
    assert f"answers {response.code}: " in fault.value.failure.answer
    assert fault.value.failure.hint


def test_an_instance_that_lldpad_has_is_not_asked_for(opened: Opened):
    script = Script([((INSTANCE, 0),)])
    with pytest.raises(Fault) as fault:
        opened(script).associate(pf(), VSI)
    assert (code(fault), script.asked) == ("vsi_in_use", [])


def test_one_that_lldpad_has_dropped_is_not_disassociated(opened: Opened):
    """The first form of the standard would list it as a success for ever."""
    script = Script([(), (), ((INSTANCE, None),), ((INSTANCE, None),), ()])
    with pytest.raises(Fault) as fault:
        opened(script).associate(pf(), VSI)
    assert (code(fault), script.asked) == ("vsi_unanswered", [(ASSOCIATE, INSTANCE)])


def test_an_earlier_request_without_an_answer_is_told_as_such(opened: Opened):
    with pytest.raises(Fault) as fault:
        opened(Script([((INSTANCE, None),)])).associate(pf(), VSI)
    assert "did not answer" in fault.value.failure.answer


def test_while_lldpad_has_just_started_it_is_asked_again(opened: Opened):
    script = Script([(), (), ((INSTANCE, 0),)], [errno.EPROTONOSUPPORT, errno.ENXIO])
    opened(script).associate(pf(), VSI)
    assert script.asked == [(ASSOCIATE, INSTANCE)] * 3


@pytest.mark.parametrize("number", [errno.ENXIO, errno.ENODEV, errno.EPROTONOSUPPORT, errno.EINVAL])
def test_what_lldpad_refuses_has_its_errno_and_what_helps(opened: Opened, number: int):
    with pytest.raises(Fault) as fault:
        opened(Script([()], [number] * 1000)).associate(pf(), VSI)
    assert code(fault) == "lldpad_refused"
    assert errno.errorcode[number] in fault.value.failure.answer
    assert fault.value.failure.hint


def test_where_the_bridge_is_silent_nothing_is_left_to_be_answered_late(opened: Opened):
    script = Script([(), (), ((INSTANCE, None),)])
    with pytest.raises(Fault) as fault:
        opened(script).associate(pf(), VSI)
    assert code(fault) == "vsi_unanswered"
    assert script.asked == [(ASSOCIATE, INSTANCE), (DISASSOCIATE, INSTANCE)]


def test_it_is_disassociated_once_lldpad_has_it_no_more(opened: Opened):
    script = Script([((INSTANCE, 0),), ((INSTANCE, 0),), ((INSTANCE, None),), ((INSTANCE, 0),), ()])
    opened(script).disassociate(pf(), VSI)
    assert (script.asked, script.lists) == ([(DISASSOCIATE, INSTANCE)], [()])


def test_what_lldpad_does_not_have_is_not_disassociated(opened: Opened):
    """The first form of the standard would list it for ever."""
    script = Script([((OTHER, 0),)])
    opened(script).disassociate(pf(), VSI)
    assert script.asked == []


def test_one_that_lldpad_has_given_up_is_over(opened: Opened):
    opened(Script([((INSTANCE, None),)], [errno.ENODEV])).disassociate(pf(), VSI)


def test_one_that_the_bridge_gave_another_vlan_is_told(opened: Opened):
    with pytest.raises(Fault) as fault:
        opened(Script([((INSTANCE, 0),)], [errno.EINVAL])).disassociate(pf(), VSI)
    assert "VLAN" in fault.value.failure.hint


def test_one_that_does_not_go_is_told(opened: Opened):
    with pytest.raises(Fault) as fault:
        opened(Script([((INSTANCE, 0),)])).disassociate(pf(), VSI)
    assert code(fault) == "vsi_kept"


def test_an_lldpad_that_does_not_answer_is_told(opened: Opened):
    with pytest.raises(Fault) as fault:
        opened(Script(is_silent=True)).read(pf())
    assert "has not answered" in fault.value.failure.answer


def test_without_lldpad_there_is_no_station(tmp_path: Path):
    with private_network():
        nic_at(tmp_path, ADDRESS, *LO)
        station = Lldpad(tmp_path / "none.pid", SHORT, sysfs=Sysfs(tmp_path))
        assert station.read(pf()) is None
        station.disassociate(pf(), VSI)
        with pytest.raises(Fault) as fault:
            station.associate(pf(), VSI)
        assert "lldpad does not run" in fault.value.failure.answer
        station.close()


@pytest.mark.parametrize("said", [b"", b"0", b"lldpad", b"4194303\0\0"])
def test_a_pid_file_that_names_nobody_is_as_none(tmp_path: Path, said: bytes):
    with private_network():
        (tmp_path / "lldpad.pid").write_bytes(said)
        nic_at(tmp_path, ADDRESS, *LO)
        station = Lldpad(tmp_path / "lldpad.pid", SHORT, sysfs=Sysfs(tmp_path))
        assert station.read(pf()) is None
        station.close()


@pytest.mark.parametrize("address", [WITHOUT_DEVICE, "0000:b0:00.0"])
def test_a_pf_without_a_network_device_has_no_vsis(opened: Opened, address: str):
    assert opened(Script([((INSTANCE, 0),)])).read(pf(address)) is None


def test_lldpad_is_told_of_the_device_as_it_is_called_and_numbered_now(opened: Opened):
    script = Script([(), (), ((INSTANCE, 0),)])
    opened(script).associate(pf(), VSI)
    assert script.called == [(LO[1], LO[0])]


def test_a_name_that_is_another_devices_by_now_is_never_asked(opened: Opened, tmp_path: Path):
    """Two PFs swap their names after the look: `ens1f0`, by which the PF was known, is the other one."""
    nic_at(tmp_path, WITHOUT_DEVICE, "ens1f0", 7)
    script = Script([(), (), ((INSTANCE, 0),)])
    opened(script).associate(pf(), VSI)
    assert ("ens1f0", 7) not in script.called


def test_what_was_asked_while_names_were_swapped_is_taken_back_in_the_same_words(
    opened: Opened, tmp_path: Path
):
    script = Script()
    station = opened(script)
    script.on_request = lambda: (
        Tree(tmp_path).rename(ADDRESS, LO[0], "ens9") if not script.asked[1:] else None
    )
    with pytest.raises(Fault) as fault:
        station.associate(pf(), VSI)
    assert "ESTALE" in fault.value.failure.answer
    assert "tried again" in fault.value.failure.hint
    assert script.asked == [(ASSOCIATE, INSTANCE), (DISASSOCIATE, INSTANCE)]
    assert script.called == [(LO[1], LO[0])] * 2


def test_no_end_is_taken_for_one_that_was_asked_for_while_names_were_swapped(opened: Opened, tmp_path: Path):
    script = Script([((INSTANCE, 0),)])
    station = opened(script)
    script.on_request = lambda: Tree(tmp_path).rename(ADDRESS, LO[0], "ens9")
    with pytest.raises(Fault) as fault:
        station.disassociate(pf(), VSI)
    assert "ESTALE" in fault.value.failure.answer
    assert script.asked == [(DISASSOCIATE, INSTANCE)]


def test_what_lldpad_tells_unasked_comes_to_a_socket_of_its_own(opened: Opened):
    script = Script()
    station = opened(script)
    station.read(pf())
    lldpad = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    lldpad.sendto(bytes(16), (script.event_port, 0))
    assert select.select([station.events], [], [], IN_TIME)[0]
    lldpad.close()


def test_an_agent_that_comes_after_another_hears_what_was_asked_for_before(tmp_path: Path):
    with private_network():
        before = Lldpad(tmp_path / "none.pid")
        port = before.events.getsockname()
        before.close()
        after = Lldpad(tmp_path / "none.pid")
        assert after.events.getsockname() == port
        beside = Lldpad(tmp_path / "none.pid")
        assert beside.events.getsockname() != port
        after.close()
        beside.close()
