"""What the bridge of the tests does, frame by frame, on a clock of the test's own."""

from uuid import UUID

import pytest

from evb import ecp, lldp, vdp
from evb.behaviour import Accept, Deaf, Refuse
from evb.bridge import Bridge, Port
from evb.events import What
from evb.frames import NEAREST_CUSTOMER_BRIDGE, Form, Frame
from evb.vdp import Entry, Message, Mode, Vsi

STATION, BRIDGE = b"\2\0\0\0\0\2", b"\2\0\0\0\0\1"
INSTANCE = UUID("09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f")
MANAGERS = {Form.DRAFT: b"\x0b", Form.RATIFIED: b"\x0b".ljust(16, b"\0")}
BOTH = pytest.mark.parametrize("form", Form, ids=lambda form: form.value)


class Wire:
    """A bridge, and the station's end of its wire."""

    def __init__(self, *forms):
        self.sent, self.told = [], []
        self.bridge = Bridge(
            Port(BRIDGE, "br0", frozenset(forms or Form)), self.sent.append, self.told.append
        )
        self.now = 0.0
        self.sequence = 0
        self.bridge.run_until(0.0)

    def pass_on(self, seconds):
        """In steps, as a clock does."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, max(self.now, self.bridge.due))
            self.bridge.run_until(self.now)

    def ask(self, form, mode=Mode.ASSOCIATE, *, vlan=100, is_again=False):
        self.sequence += 0 if is_again else 1
        vsi = Vsi(MANAGERS[form], 0x123456, 2, INSTANCE, (Entry(STATION, vlan),))
        payload = vdp.built(Message(form, mode, 0, vsi))
        self.say(form, payload, self.sequence)

    def say(self, form, payload, sequence, *, is_acknowledgement=False):
        ecpdu = ecp.Ecpdu(form, is_acknowledgement, sequence, payload)
        self.bridge.take(ecp.framed(ecpdu, STATION, ecp.DESTINATIONS[form]).built(), self.now)

    def announce(self, *evb, ttl_seconds=20):
        said = lldp.announcement(STATION, "st0", ttl_seconds, evb)
        frame = Frame(NEAREST_CUSTOMER_BRIDGE, STATION, lldp.ETHERTYPE, lldp.built(said))
        self.bridge.take(frame.built(), self.now)

    def heard(self, form):
        found = [frame for frame in self.sent if frame.ethertype == ecp.ETHERTYPES[form]]
        self.sent.clear()
        return [ecp.parsed(form, frame.payload) for frame in found]

    def announced(self):
        found = [lldp.parsed(frame.payload) for frame in self.sent if frame.ethertype == lldp.ETHERTYPE]
        self.sent.clear()
        return found

    def kinds(self):
        return [event.what for event in self.told]


def test_it_announces_often_until_somebody_is_heard():
    wire = Wire()
    wire.pass_on(2.5)
    assert len(wire.announced()) == 3
    wire.announce(lldp.DraftEvb(0x40, 7, 0x40, 7, 100, 0, 15))
    assert len(wire.announced()) == 1
    wire.pass_on(9.0)
    assert len(wire.announced()) == 2


@pytest.mark.parametrize("forms", [(), (Form.DRAFT,), (Form.RATIFIED,), tuple(Form)])
def test_it_announces_the_forms_it_was_given(forms):
    sent = []
    bridge = Bridge(Port(BRIDGE, "br0", frozenset(forms)), sent.append, lambda _: None)
    bridge.run_until(0.0)
    said = [lldp.form_of(evb) for frame in sent for evb in lldp.parsed(frame.payload).evb]
    assert said == list(forms)


def test_it_repeats_the_status_of_the_station_and_relays_when_asked_to():
    wire = Wire(Form.RATIFIED)
    wire.announce(lldp.RatifiedEvb(2, lldp.STATION_WANTS_RELAY, 3, 10, 2, 18, 19))
    (own,) = wire.announced()[-1].evb
    assert own.station_status == lldp.STATION_WANTS_RELAY
    assert own.bridge_status == lldp.BRIDGE_CAN_RELAY | lldp.BRIDGE_RELAYS
    assert not wire.bridge.agrees(Form.RATIFIED)
    wire.announce(lldp.RatifiedEvb(3, 5, 3, 10, 2, 18, 19))
    assert wire.bridge.agrees(Form.RATIFIED)


def test_the_draft_is_agreed_once_ecp_has_begun():
    wire = Wire()
    wire.announce(lldp.DraftEvb(0x40, 7, 0x40, 7, 100, 0, 15))
    assert not wire.bridge.agrees(Form.DRAFT)
    wire.say(Form.DRAFT, b"\0\0", 1)
    assert wire.bridge.agrees(Form.DRAFT)
    wire.announce(ttl_seconds=0)
    assert not wire.bridge.agrees(Form.DRAFT)
    assert What.LEFT in wire.kinds()


@BOTH
def test_a_request_is_acknowledged_at_once_and_answered_later(form):
    wire = Wire()
    wire.ask(form)
    assert [ecpdu.is_acknowledgement for ecpdu in wire.heard(form)] == [True]
    wire.pass_on(0.02)
    (answer,) = wire.heard(form)
    assert not answer.is_acknowledgement
    assert list(wire.bridge.vsis) == [INSTANCE]


@BOTH
def test_a_request_that_comes_twice_is_acknowledged_twice_and_answered_once(form):
    wire = Wire()
    wire.ask(form)
    wire.ask(form, is_again=True)
    wire.pass_on(0.1)
    assert sorted(ecpdu.is_acknowledgement for ecpdu in wire.heard(form)) == [False, True, True]


@BOTH
def test_an_answer_is_repeated_under_its_number_until_it_is_acknowledged(form):
    wire = Wire()
    wire.ask(form)
    wire.pass_on(1.1)
    answers = [ecpdu for ecpdu in wire.heard(form) if not ecpdu.is_acknowledgement]
    assert len(answers) > 1
    (number,) = {ecpdu.sequence for ecpdu in answers}
    wire.say(form, b"", number, is_acknowledgement=True)
    wire.pass_on(10.0)
    assert wire.heard(form) == []
    assert What.UNACKNOWLEDGED not in wire.kinds()


@BOTH
def test_an_answer_that_nobody_acknowledges_is_given_up(form):
    wire = Wire()
    wire.ask(form)
    wire.pass_on(5.0)
    assert len([ecpdu for ecpdu in wire.heard(form) if not ecpdu.is_acknowledgement]) == 4
    assert wire.kinds()[-1] is What.UNACKNOWLEDGED


@BOTH
def test_a_refusal_ends_what_was_and_leaving_is_never_refused(form):
    wire = Wire()
    wire.ask(form)
    wire.pass_on(0.1)
    wire.bridge.behaviour = Refuse(3)
    wire.ask(form)
    wire.pass_on(0.1)
    assert wire.bridge.vsis == {}
    wire.ask(form, Mode.DEASSOCIATE)
    wire.pass_on(0.1)
    answers = [event.message for event in wire.told if event.what is What.ANSWERED]
    assert [vdp.code_of(answer) for answer in answers] == [0, 3, 0]


def test_a_refusal_that_keeps_leaves_what_was():
    wire = Wire()
    wire.ask(Form.RATIFIED)
    wire.pass_on(0.1)
    wire.bridge.behaviour = Refuse(2, is_kept=True)
    wire.ask(Form.RATIFIED)
    wire.pass_on(0.1)
    assert list(wire.bridge.vsis) == [INSTANCE]


@BOTH
def test_so_many_requests_are_lost_as_it_was_told(form):
    wire = Wire()
    wire.bridge.lose = 1
    wire.ask(form)
    assert wire.heard(form) == []
    wire.ask(form, is_again=True)
    wire.pass_on(0.1)
    assert [ecpdu.is_acknowledgement for ecpdu in wire.heard(form)] == [True, False]


@BOTH
def test_a_deaf_bridge_hears_the_same_request_once_it_hears_again(form):
    wire = Wire()
    wire.bridge.behaviour = Deaf()
    wire.ask(form)
    assert wire.heard(form) == []
    wire.bridge.behaviour = Accept()
    wire.ask(form, is_again=True)
    wire.pass_on(0.1)
    assert len(wire.heard(form)) == 2


def test_the_bridge_gives_a_vlan_where_the_station_has_none():
    wire = Wire()
    wire.bridge.behaviour = Accept(vlan=77)
    wire.ask(Form.RATIFIED, vlan=0)
    wire.pass_on(0.1)
    assert [entry.vlan for entry in wire.bridge.vsis[INSTANCE].vsi.entries] == [77]


@BOTH
def test_it_ends_an_association_by_itself(form):
    wire = Wire()
    wire.ask(form)
    wire.pass_on(0.1)
    wire.heard(form)
    wire.bridge.deassociate(wire.now, INSTANCE)
    (ecpdu,) = wire.heard(form)
    (told,) = vdp.parsed(form, ecpdu.payload)
    assert (told.mode, told.status) == (Mode.DEASSOCIATE, 0)
    assert wire.bridge.vsis == {}
    with pytest.raises(KeyError):
        wire.bridge.deassociate(wire.now, INSTANCE)


@BOTH
def test_a_dead_link_makes_it_forget_and_numbers_begin_anew(form):
    wire = Wire()
    wire.ask(form)
    wire.pass_on(0.1)
    wire.bridge.lose_link(wire.now)
    assert wire.bridge.vsis == {}
    wire.heard(form)
    wire.ask(form, is_again=True)
    wire.pass_on(0.1)
    assert len(wire.heard(form)) == 2
    assert list(wire.bridge.vsis) == [INSTANCE]


def test_what_is_malformed_is_told_and_nothing_else():
    wire = Wire()
    wire.bridge.take(b"\0" * 5, 0.0)
    assert wire.kinds() == [What.MALFORMED]
    assert wire.told[0].line() == (
        '{"at": 0.0, "what": "malformed", "words": "a frame of 5 octets has no whole header: 0000000000"}'
    )
