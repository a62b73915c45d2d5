"""What is heard on a PF's wire, on a veth: the bridge's answers, the PF's own frames, and what passes for neither."""

import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Timer
from uuid import UUID

import pytest

from evb import ecp, vdp
from evb.frames import Form
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.vdp_frames import VdpForm
from fairlead.linux.witness import CannotHear, Heard, WireWitness
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE
from fairlead.model.vsi import ABSENT, VdpRequest, VdpResponse, VsiReading, VsiSettings, VsiState
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.kernel import SimKernel
from fairlead.sim.machine import Machine
from tests.network_namespace import ip, private_network

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"
VSI = VsiSettings(INSTANCE, 11, 0x123456, 2, MacAddress("52:54:00:aa:bb:01"), 100)
PF_MAC, BRIDGE, GUEST = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "52:54:00:aa:bb:02"
YES = VsiReading(VsiState.ASSOCIATED)
EACH = pytest.mark.parametrize("form", Form, ids=lambda form: form.value)
FORMS = {Form.DRAFT: VdpForm.DRAFT, Form.RATIFIED: VdpForm.STANDARD}
IN_TIME, AT_ONCE = 5.0, 0.0


@dataclass(frozen=True, slots=True)
class Wire:
    """The bridge's end of a PF's cable. `arrivals` are sockets at the PF's end that were there before any witness: the
    kernel gives a frame to the newest first, so what they have a witness has.
    """

    end: socket.socket
    pf: ObservedPf
    arrivals: Mapping[Form, socket.socket]

    def say(
        self,
        form: Form,
        source: str = BRIDGE,
        code: int = 0,
        vlan: int | None = None,
        mode: vdp.Mode = vdp.Mode.ASSOCIATE,
    ) -> None:
        """An answer as a bridge gives it, from that source; returns once it has come."""
        self.end.send(_frame(form, source, code, vlan, mode))
        self.arrivals[form].recv(2048)

    def send_from_pf(self, form: Form, source: str) -> None:
        """Such a frame on its way out. The kernel drops what is sent in the first moments of a link, unsaid."""
        with _end(self.pf.name or "", 0) as own, _end("br0", FORMS[form].value) as other:
            give_up = time.monotonic() + IN_TIME
            while not select.select([other], [], [], 0.05)[0]:
                assert time.monotonic() < give_up
                own.send(_frame(form, source))

    def witness(self, request: VdpRequest = VdpRequest.ASSOCIATE) -> WireWitness:
        """Of the PF at the other end."""
        return WireWitness(self.pf, VSI, request)


def _frame(
    form: Form,
    source: str,
    code: int = 0,
    vlan: int | None = None,
    mode: vdp.Mode = vdp.Mode.ASSOCIATE,
) -> bytes:
    entry = vdp.Entry(bytes.fromhex(VSI.mac.replace(":", "")), 100)
    manager = bytes((11,)).ljust(1 if form is Form.DRAFT else 16, b"\0")
    vsi = vdp.Vsi(manager, VSI.type_id, VSI.type_id_version, UUID(INSTANCE), (entry,))
    message = vdp.Message(form, mode, vdp.answered(code, form), vsi)
    said = ecp.Ecpdu(form, is_acknowledgement=False, sequence=7, payload=vdp.built(message))
    mac = bytes.fromhex(source.replace(":", ""))
    frame = ecp.framed(said, mac, ecp.DESTINATIONS[form]).built()
    tag = b"" if vlan is None else bytes.fromhex("8100") + vlan.to_bytes(2)
    return frame[:12] + tag + frame[12:]


def _end(name: str, protocol: int) -> socket.socket:
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    found.settimeout(IN_TIME)
    found.bind((name, protocol))
    return found


@contextmanager
def _wire() -> Iterator[Wire]:
    machine = Machine(two_socket_server(1))
    pf = SimKernel(machine).observe().pfs[1]
    machine.set_num_vfs(pf.key, 1)
    pf = SimKernel(machine).observe().pfs[1]
    vf = replace(pf.vfs[0], settings=replace(BASELINE, mac=MacAddress(GUEST)))
    with private_network():
        ip(f"link add pf0 address {PF_MAC} type veth peer name br0")
        ip("link set pf0 up")
        ip("link set br0 up")
        with ExitStack() as undo:
            end = undo.enter_context(_end("br0", 0))
            arrivals = {form: undo.enter_context(_end("pf0", FORMS[form].value)) for form in Form}
            yield Wire(end, replace(pf, name="pf0", vfs=(vf,)), arrivals)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with _wire() as own:
        yield own


@EACH
def test_the_bridges_answer_is_heard(wire: Wire, form: Form):
    with wire.witness() as witness:
        wire.say(form)
        assert witness.hear(AT_ONCE) == Heard(YES)


@EACH
def test_the_last_answer_holds(wire: Wire, form: Form):
    with wire.witness() as witness:
        wire.say(form)
        wire.say(form, code=3)
        assert witness.hear(AT_ONCE).answer == VsiReading(VsiState.REFUSED, VdpResponse.UNUSED_VTID)


@EACH
def test_what_was_said_before_is_no_answer(wire: Wire, form: Form):
    wire.say(form)
    with wire.witness() as witness:
        assert witness.hear(AT_ONCE) == Heard()


@EACH
def test_what_the_pf_itself_sent_is_an_echo_and_no_answer(wire: Wire, form: Form):
    with wire.witness() as witness:
        wire.say(form, PF_MAC)
        heard = witness.hear(AT_ONCE)
    assert heard == Heard(echoes=frozenset({FORMS[form]}))
    assert heard.is_misleading is (form is Form.DRAFT)


@EACH
def test_the_end_of_an_association_is_waited_for_beyond_an_echo(wire: Wire, form: Form):
    with wire.witness(VdpRequest.DISASSOCIATE) as witness:
        wire.say(form, PF_MAC)
        end = Timer(0.2, wire.say, (form,), {"mode": vdp.Mode.DEASSOCIATE})
        end.start()
        assert witness.hear(IN_TIME).answer == ABSENT
        end.join()


@EACH
def test_an_address_that_the_pf_had_before_is_the_pfs_own_once_it_has_sent_by_it(wire: Wire, form: Form):
    """As lldpad does that was started before the PF's MAC was changed."""
    before = "02:00:00:00:00:0c"
    with wire.witness() as witness:
        wire.send_from_pf(form, before)
        wire.say(form, before)
        heard = witness.hear(AT_ONCE)
    assert heard == Heard(echoes=frozenset({FORMS[form]}))


@EACH
def test_what_the_pf_sends_is_no_echo(wire: Wire, form: Form):
    with wire.witness() as witness:
        wire.send_from_pf(form, PF_MAC)
        assert witness.hear(AT_ONCE) == Heard()


@EACH
@pytest.mark.parametrize("source", [GUEST, VSI.mac], ids=["another VF's", "its own"])
def test_what_a_guest_sends_is_no_answer(wire: Wire, form: Form, source: str):
    """On some NICs a VF's multicast comes to the PF: a guest that answers for the bridge lets nobody in."""
    with wire.witness() as witness:
        wire.say(form, source)
        assert witness.hear(AT_ONCE) == Heard()


@EACH
def test_what_comes_in_a_vlan_is_no_answer(wire: Wire, form: Form):
    with wire.witness() as witness:
        wire.say(form, vlan=7)
        assert witness.hear(AT_ONCE) == Heard()


def test_answers_that_were_lost_are_told(wire: Wire):
    with wire.witness() as witness:
        for _ in range(2000):
            wire.say(Form.DRAFT)
        heard = witness.hear(IN_TIME)
    assert not heard.is_all
    assert heard.is_misleading


def test_a_device_that_is_gone_cannot_be_heard(wire: Wire):
    ip("link del pf0")
    with pytest.raises(CannotHear):
        wire.witness()


def test_one_that_goes_meanwhile_says_nothing_more(wire: Wire):
    with wire.witness() as witness:
        wire.say(Form.DRAFT)
        ip("link del pf0")
        assert witness.hear(AT_ONCE).answer in {YES, None}
