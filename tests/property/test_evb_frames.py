"""Every frame of EVB that can be said is read as it was said; whatever arrives is read or refused."""

from hypothesis import given
from hypothesis import strategies as st

from evb import ecp, lldp, vdp
from evb.behaviour import Accept, Deaf, Refuse, Silent
from evb.bridge import Bridge, Port
from evb.frames import Form, Frame, Tlv, built_tlvs, parsed_frame, parsed_tlvs

MAC = st.binary(min_size=6, max_size=6)
OCTET = st.integers(0, 255)
EXPONENT = st.integers(0, 31)
DRAFT_EVB = st.builds(
    lldp.DraftEvb, OCTET, OCTET, OCTET, OCTET, st.integers(0, 65535), st.integers(0, 65535), OCTET
)
RATIFIED_EVB = st.builds(
    lldp.RatifiedEvb, OCTET, OCTET, st.integers(0, 7), EXPONENT, st.integers(0, 3), EXPONENT, EXPONENT
)
ENTRIES = st.lists(
    st.builds(vdp.Entry, MAC, st.integers(0, 4095), st.integers(0, 7)), min_size=1, max_size=50
).map(tuple)


@st.composite
def messages(draw, status=OCTET):
    form = draw(st.sampled_from(Form))
    octets = {Form.DRAFT: 1, Form.RATIFIED: 16}[form]
    manager = draw(st.binary(min_size=octets, max_size=octets))
    vsi = vdp.Vsi(manager, draw(st.integers(0, 0xFFFFFF)), draw(OCTET), draw(st.uuids()), draw(ENTRIES))
    return vdp.Message(form, draw(st.sampled_from(vdp.Mode)), draw(status), vsi)


@given(messages())
def test_a_message_is_read_as_it_was_said(message):
    assert vdp.parsed(message.form, vdp.built(message).ljust(46, b"\0")) == (message,)


@given(st.sampled_from(Form), st.booleans(), st.integers(0, 65535), st.binary(max_size=100))
def test_an_ecpdu_is_read_as_it_was_said(form, is_acknowledgement, sequence, payload):
    ecpdu = ecp.Ecpdu(form, is_acknowledgement, sequence, payload)
    assert ecp.parsed(form, ecp.built(ecpdu)) == ecpdu


@given(MAC, st.integers(0, 65535), st.lists(DRAFT_EVB | RATIFIED_EVB, max_size=3).map(tuple))
def test_an_announcement_is_read_as_it_was_said(mac, ttl_seconds, evb):
    said = lldp.announcement(mac, "br0", ttl_seconds, evb)
    assert lldp.parsed(lldp.built(said)) == said


@given(st.lists(st.builds(Tlv, st.integers(1, 127), st.binary(max_size=511)), max_size=4).map(tuple))
def test_tlvs_are_read_as_they_were_written(tlvs):
    assert parsed_tlvs(built_tlvs(tlvs) + b"\0\0") == tlvs


@given(st.binary(max_size=120), st.sampled_from([lldp.ETHERTYPE, *ecp.ETHERTYPES.values()]), st.booleans())
def test_whatever_arrives_the_bridge_goes_on(octets, ethertype, is_evb):
    told, sent = [], []
    bridge = Bridge(Port(b"\2\0\0\0\0\1", "br0", frozenset(Form)), sent.append, told.append)
    destination = ecp.DESTINATIONS[Form.RATIFIED]
    bridge.take(Frame(destination, b"\2\0\0\0\0\2", ethertype, octets).built() if is_evb else octets, 1.0)
    bridge.run_until(30.0)
    for frame in sent:
        assert parsed_frame(frame.built()).source == b"\2\0\0\0\0\1"


@given(
    messages(status=st.just(0)),
    st.sampled_from([Accept(), Accept(77), Refuse(3), Refuse(2, is_kept=True), Silent(), Deaf()]),
)
def test_an_answer_is_about_what_was_asked(asked, behaviour):
    """lldpad knows a VSI by all of this, and drops an answer that differs in any of it."""
    sent = []
    bridge = Bridge(Port(b"\2\0\0\0\0\1", "br0", frozenset(Form)), sent.append, lambda _: None)
    bridge.behaviour = behaviour
    request = ecp.Ecpdu(asked.form, is_acknowledgement=False, sequence=9, payload=vdp.built(asked))
    bridge.take(ecp.framed(request, b"\2\0\0\0\0\2", ecp.DESTINATIONS[asked.form]).built(), 1.0)
    bridge.run_until(1.1)
    heard = [
        ecp.parsed(asked.form, frame.payload)
        for frame in sent
        if frame.ethertype == ecp.ETHERTYPES[asked.form]
    ]
    acknowledgements = [ecpdu.sequence for ecpdu in heard if ecpdu.is_acknowledgement]
    answers = [
        m for ecpdu in heard if not ecpdu.is_acknowledgement for m in vdp.parsed(asked.form, ecpdu.payload)
    ]
    assert acknowledgements == ([] if isinstance(behaviour, Deaf) else [9])
    if isinstance(behaviour, Deaf | Silent):
        assert answers == []
        return
    (answer,) = answers
    assert (answer.form, answer.mode) == (asked.form, asked.mode)
    is_refused = isinstance(behaviour, Refuse) and asked.mode is not vdp.Mode.DEASSOCIATE
    assert vdp.code_of(answer) == (behaviour.code if is_refused else 0)
    gives_vlan = behaviour == Accept(77) and asked.form is Form.RATIFIED
    assert answer.vsi == (asked.vsi.on_vlan(77) if gives_vlan else asked.vsi)
    is_in = not is_refused and asked.mode is not vdp.Mode.DEASSOCIATE
    assert (asked.vsi.instance_id in bridge.vsis) is is_in
