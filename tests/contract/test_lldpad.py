"""802.1Qbg through real lldpad, with a bridge of ours at the other end of the wire.

What lldpad does is not all as one would wish. These tests say what it is, for the agent lives with it.
"""

import errno
import time
from uuid import uuid4

import pytest

from evb import vdp
from evb.behaviour import Accept, Deaf, Refuse, Silent
from evb.events import What
from evb.frames import Form
from tests.lldpad_bed import bed
from tests.vdp_sender import ASSOCIATE, DISASSOCIATE, PENDING, Sender

BOTH = pytest.mark.parametrize("shared", Form, ids=lambda form: form.value, indirect=True)
EACH = pytest.mark.parametrize("form", Form, ids=lambda form: form.value)
# The draft has one code more.
REFUSALS = [
    (form, code) for form, most in ((Form.DRAFT, 6), (Form.RATIFIED, 5)) for code in range(1, most + 1)
]
SOON = 5.0


class Station:
    """What speaks to lldpad on a bed whose daemon runs."""

    def __init__(self, bed):
        self.bed, self.responder, self.form = bed, bed.responder, bed.form
        self.instance = uuid4()

    def ask(self, operation=ASSOCIATE, **more):
        with self.bed.entered(), Sender(self.bed.lldpad.run / "lldpad.pid", self.bed.uplink) as sender:
            return sender.request(operation, self.instance, **more)

    def response(self):
        """A code, PENDING, or None where lldpad does not have it."""
        with self.bed.entered(), Sender(self.bed.lldpad.run / "lldpad.pid", self.bed.uplink) as sender:
            return sender.responses().get(self.instance)

    def settled(self, seconds=SOON):
        """The response once it is not pending any more; PENDING when the time is up."""
        give_up = time.monotonic() + seconds
        while (seen := self.response()) is PENDING and time.monotonic() < give_up:
            time.sleep(0.02)
        return seen

    def associate(self):
        assert self.ask() == 0
        assert self.settled() == 0

    def asked(self, since=0):
        """How the bridge was asked for it."""
        told = self.responder.events(What.ASKED)[since:]
        return [event.message.mode for event in told if event.message.vsi.instance_id == self.instance]

    def wait_until_in(self, seconds=SOON):
        self.responder.wait_for("the VSI", lambda: self.instance in self.responder.vsis(), seconds)

    def wait_until_out(self, seconds=SOON):
        self.responder.wait_for("its end", lambda: self.instance not in self.responder.vsis(), seconds)


@pytest.fixture(scope="module")
def beds(tmp_path_factory):
    """A bed for each form, which tests share that leave it as they found it."""
    made = {}

    def bed_of(form):
        if form not in made:
            context = bed(form, tmp_path_factory.mktemp(form.value))
            found = context.__enter__()
            made[form] = context, found
            found.start()
        return made[form][1]

    yield bed_of
    for context, _ in made.values():
        context.__exit__(None, None, None)


@pytest.fixture
def shared(beds, request):
    station = Station(beds(request.param))
    station.responder.behave(Accept())
    return station


@pytest.fixture
def alone(form, tmp_path):
    """On a bed of its own, for what stays in lldpad."""
    with bed(form, tmp_path) as own:
        own.start()
        yield Station(own)


@BOTH
def test_an_association_and_its_end(shared):
    shared.associate()
    (entry,) = shared.responder.vsis()[shared.instance].vsi.entries
    assert (entry.mac.hex(":"), entry.vlan) == ("52:54:00:aa:bb:01", 100)
    assert shared.ask(DISASSOCIATE) == 0
    shared.wait_until_out()
    assert shared.asked() == [vdp.Mode.ASSOCIATE, vdp.Mode.DEASSOCIATE]


@pytest.mark.parametrize(("shared", "code"), REFUSALS, indirect=["shared"])
def test_a_refusal_is_told_by_its_code(shared, code):
    shared.responder.behave(Refuse(code))
    assert shared.ask() == 0
    assert shared.settled() == code
    shared.responder.behave(Accept())
    shared.associate()


@BOTH
def test_a_request_that_is_lost_is_sent_again(shared):
    shared.responder.behave(Accept(), lose=1)
    shared.associate()
    assert shared.asked() == [vdp.Mode.ASSOCIATE]


@BOTH
def test_an_answer_may_be_late(shared):
    shared.responder.behave(Accept(), answer_seconds=1.0)
    assert shared.ask() == 0
    assert shared.settled(0.5) is PENDING
    assert shared.settled() == 0


@BOTH
def test_the_bridge_ends_an_association(shared):
    shared.associate()
    shared.responder.deassociate(shared.instance)
    give_up = time.monotonic() + SOON
    while shared.response() == 0:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    shared.associate()


@pytest.mark.parametrize("shared", [Form.RATIFIED], indirect=True)
def test_the_bridge_gives_a_vlan_and_lldpad_does_not_tell_which(shared):
    shared.responder.behave(Accept(vlan=77))
    assert shared.ask(vlan=0) == 0
    assert shared.settled() == 0
    assert shared.ask(DISASSOCIATE, vlan=0) == -errno.EINVAL
    assert shared.ask(DISASSOCIATE, vlan=77) == 0
    shared.wait_until_out()


@EACH
def test_lldpad_starts_anew_and_knows_nothing(alone):
    alone.associate()
    alone.bed.lldpad.stop()
    alone.responder.wait_for("its goodbye", lambda: bool(alone.responder.events(What.LEFT)))
    alone.bed.start()
    assert alone.response() is None
    alone.associate()


@EACH
def test_a_link_that_was_down_is_told_everything_again(alone):
    alone.associate()
    before = len(alone.responder.events(What.ASKED))
    alone.bed.cut_link()
    alone.wait_until_out()
    alone.bed.join_link()
    alone.wait_until_in(12.0)
    assert alone.asked(before) == [vdp.Mode.ASSOCIATE]
    assert alone.response() == 0


@EACH
def test_a_bridge_that_does_not_answer(alone):
    """The draft's VSI goes after 3 s. The standard's stays, and is lost for that lldpad."""
    alone.responder.behave(Silent())
    assert alone.ask() == 0
    if alone.form is Form.DRAFT:
        assert alone.settled(6.0) is None
        alone.responder.behave(Accept())
        alone.associate()
    else:
        assert alone.settled(4.5) is PENDING
        alone.responder.behave(Accept())
        assert alone.ask() == -errno.ENODEV


@EACH
def test_a_bridge_that_is_deaf(alone):
    alone.responder.behave(Deaf())
    assert alone.ask() == 0
    seen = alone.settled(4.5)
    assert seen is (None if alone.form is Form.DRAFT else PENDING)
    assert len(alone.responder.events(What.REQUESTED)) >= 3


@EACH
def test_a_neighbour_without_evb(form, tmp_path):
    with bed(form, tmp_path, announced=frozenset()) as own:
        with own.entered():
            own.lldpad.start()
        station = Station(own)
        own.responder.wait_for("lldpad", lambda: bool(own.responder.events(What.ANNOUNCED)))
        assert station.ask() == {Form.DRAFT: -errno.ENXIO, Form.RATIFIED: -errno.EPROTONOSUPPORT}[form]
