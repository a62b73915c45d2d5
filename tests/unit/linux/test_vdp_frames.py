"""What of a bridge's frames is an answer, on frames of evb's bridge and on lldpad's own."""

from dataclasses import replace
from uuid import UUID

import pytest

from evb import ecp, vdp
from evb.frames import Form
from fairlead.linux.vdp_frames import VdpForm, VdpFrame, answer_in, vdp_frame
from fairlead.model.pci import MacAddress
from fairlead.model.vsi import ABSENT, VdpRequest, VdpResponse, VsiReading, VsiSettings, VsiState

INSTANCE = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f"
VSI = VsiSettings(INSTANCE, 11, 0x123456, 2, MacAddress("52:54:00:aa:bb:01"), 100)
BRIDGE = bytes.fromhex("92903aabf052")
FORMS = {Form.DRAFT: VdpForm.DRAFT, Form.RATIFIED: VdpForm.STANDARD}
EACH = pytest.mark.parametrize("form", Form, ids=lambda form: form.value)
MODES = dict(zip(VdpRequest, vdp.Mode, strict=True))
# As captured between lldpad 1.1 and evb's bridge: docs/dev/evb.md.
DRAFT_REQUEST = (
    "0180c200000e9e88800b2d7c88b7001b3f000000000002fe26001b3f0202000b1234560209b11c538b5c4eeb8f00d84eaa0aaa4f020001"
    "525400aabb0100640000"
)
STANDARD_REQUEST = (
    "0180c20000009e88800b2d7c8940100100010a100b0000000000000000000000000000000621001234560205"
    "09b11c538b5c4eeb8f00d84eaa0aaa4f020001525400aabb010064"
)


def frame(form: Form, mode: vdp.Mode, status: int, vsi: VsiSettings = VSI) -> VdpFrame:
    manager = bytes((vsi.manager_id,)).ljust(1 if form is Form.DRAFT else 16, b"\0")
    entry = vdp.Entry(bytes.fromhex(vsi.mac.replace(":", "")), vsi.vlan or 0)
    named = vdp.Vsi(manager, vsi.type_id, vsi.type_id_version, UUID(vsi.instance_id), (entry,))
    said = ecp.Ecpdu(
        form, is_acknowledgement=False, sequence=7, payload=vdp.built(vdp.Message(form, mode, status, named))
    )
    found = vdp_frame(ecp.framed(said, BRIDGE, ecp.DESTINATIONS[form]).built())
    assert found is not None
    return found


def answered(
    form: Form, code: int = 0, mode: vdp.Mode = vdp.Mode.ASSOCIATE, vsi: VsiSettings = VSI
) -> VdpFrame:
    return frame(form, mode, vdp.answered(code, form), vsi)


@EACH
def test_who_sent_a_frame_and_in_which_form_is_told(form: Form):
    found = answered(form)
    assert (found.form, found.source) == (FORMS[form], BRIDGE)


@EACH
@pytest.mark.parametrize("request_", VdpRequest)
def test_a_success_is_one_of_what_was_asked_for(form: Form, request_: VdpRequest):
    said = answered(form, mode=MODES[request_])
    wanted = ABSENT if request_ is VdpRequest.DISASSOCIATE else VsiReading(VsiState.ASSOCIATED)
    for asked in list(VdpRequest)[:3]:
        expected = wanted if asked is request_ or wanted is ABSENT else None
        assert answer_in(said, VSI, asked) == expected


@EACH
@pytest.mark.parametrize("response", list(VdpResponse)[1:6])
def test_a_refusal_is_told_with_its_reason(form: Form, response: VdpResponse):
    said = answer_in(answered(form, response.code), VSI, VdpRequest.ASSOCIATE)
    assert said == VsiReading(VsiState.REFUSED, response)


@EACH
def test_a_code_that_nobody_named_is_a_refusal(form: Form):
    said = answer_in(answered(form, 9), VSI, VdpRequest.ASSOCIATE)
    assert said == VsiReading(VsiState.REFUSED, None)


@EACH
def test_an_end_that_nobody_asked_for_takes_it_back(form: Form):
    assert answer_in(frame(form, vdp.Mode.DEASSOCIATE, 0), VSI, VdpRequest.ASSOCIATE) == ABSENT


@EACH
@pytest.mark.parametrize(
    "other",
    [
        replace(VSI, instance_id="11111111-2222-4333-8444-555555555555"),
        replace(VSI, type_id=7),
        replace(VSI, type_id_version=3),
    ],
    ids=["instance", "type", "version"],
)
def test_what_is_said_of_another_vsi_is_no_answer(form: Form, other: VsiSettings):
    assert answer_in(answered(form, vsi=other), VSI, VdpRequest.ASSOCIATE) is None


@EACH
def test_a_bridge_may_give_a_vlan(form: Form):
    said = answered(form, vsi=replace(VSI, vlan=77))
    assert answer_in(said, replace(VSI, vlan=None), VdpRequest.ASSOCIATE) == VsiReading(VsiState.ASSOCIATED)


@EACH
def test_an_acknowledgement_is_no_answer(form: Form):
    said = ecp.Ecpdu(form, is_acknowledgement=True, sequence=7)
    found = vdp_frame(ecp.framed(said, BRIDGE, ecp.DESTINATIONS[form]).built())
    assert found is not None
    assert answer_in(found, VSI, VdpRequest.ASSOCIATE) is None


def test_in_the_standards_form_a_request_is_no_answer():
    found = vdp_frame(bytes.fromhex(STANDARD_REQUEST))
    assert found is not None
    assert answer_in(found, VSI, VdpRequest.ASSOCIATE) is None


def test_in_the_drafts_form_a_request_reads_as_a_success():
    """Which is why nothing of the PF's own is read as an answer."""
    found = vdp_frame(bytes.fromhex(DRAFT_REQUEST))
    assert found is not None
    assert answer_in(found, VSI, VdpRequest.ASSOCIATE) == VsiReading(VsiState.ASSOCIATED)


@pytest.mark.parametrize("octets", [DRAFT_REQUEST, STANDARD_REQUEST], ids=["draft", "2012"])
def test_what_is_cut_off_says_nothing_of_what_is_missing(octets: str):
    whole = bytes.fromhex(octets)
    for length in range(len(whole) - 12):
        found = vdp_frame(whole[:length])
        assert found is None or answer_in(found, VSI, VdpRequest.ASSOCIATE) is None


@pytest.mark.parametrize("ethertype", ["0800", "88cc", "8100"])
def test_frames_of_others_are_none_of_vdps(ethertype: str):
    assert vdp_frame(bytes.fromhex("0180c200000e9e88800b2d7c" + ethertype) + bytes(46)) is None
