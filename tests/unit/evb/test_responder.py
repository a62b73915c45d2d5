"""A bridge that runs, with the test at the other end of QEMU's kind of wire."""

import json
import socket
from uuid import UUID

import pytest

from evb import ecp, lldp, vdp
from evb.behaviour import Refuse
from evb.events import What
from evb.frames import Form, parsed_frame
from evb.ports import DatagramPort
from evb.responder import Responder
from evb.vdp import Entry, Message, Mode, Vsi

STATION = b"\2\0\0\0\0\2"
INSTANCE = UUID("09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f")
REQUEST = Message(Form.DRAFT, Mode.ASSOCIATE, 0, Vsi(b"\x0b", 1, 1, INSTANCE, (Entry(STATION, 100),)))


@pytest.fixture
def station(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.bind(str(tmp_path / "station"))
        own.settimeout(10)
        yield own


@pytest.fixture
def responder(station, tmp_path):
    port = DatagramPort(tmp_path / "switch", tmp_path / "station")
    with Responder(port, log=tmp_path / "log") as running:
        station.connect(str(tmp_path / "switch"))
        yield running


def ask(station, sequence=1):
    ecpdu = ecp.Ecpdu(Form.DRAFT, is_acknowledgement=False, sequence=sequence, payload=vdp.built(REQUEST))
    station.send(ecp.framed(ecpdu, STATION, ecp.DESTINATIONS[Form.DRAFT]).built())


def heard(station):
    """The next message of VDP."""
    while True:
        frame = parsed_frame(station.recv(2048))
        if frame.ethertype == ecp.ETHERTYPES[Form.DRAFT]:
            for message in vdp.parsed(Form.DRAFT, ecp.parsed(Form.DRAFT, frame.payload).payload):
                return message


def test_it_announces_itself_and_answers(station, responder, tmp_path):
    first = parsed_frame(station.recv(2048))
    assert (first.ethertype, len(lldp.parsed(first.payload).evb)) == (lldp.ETHERTYPE, 2)
    ask(station)
    assert heard(station) == REQUEST
    assert list(responder.vsis()) == [INSTANCE]
    kinds = [json.loads(line)["what"] for line in (tmp_path / "log").read_text().splitlines()]
    assert kinds == ["requested", "asked", "answered"]


def test_it_behaves_as_it_is_told_while_it_runs(station, responder):
    responder.behave(Refuse(3))
    ask(station)
    assert heard(station).status == 3
    assert responder.vsis() == {}


def test_it_ends_an_association_when_it_is_told_to(station, responder):
    ask(station)
    heard(station)
    responder.wait_for("the association", lambda: INSTANCE in responder.vsis())
    responder.deassociate(INSTANCE)
    assert heard(station).mode is Mode.DEASSOCIATE
    assert len(responder.events(What.DEASSOCIATED)) == 1


def test_what_does_not_happen_is_said_with_what_was_seen(station, responder):
    ask(station)
    heard(station)
    with pytest.raises(TimeoutError, match=r'in vain for a wonder(.|\n)*"answered"'):
        responder.wait_for("a wonder", lambda: False, seconds=0.01)


def test_a_station_that_is_gone_ends_nothing(station, responder):
    station.close()
    responder.behave(Refuse(1))
    assert responder.vsis() == {}
