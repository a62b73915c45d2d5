"""The station over real lldpad, with a bridge of ours at the other end of the wire, in both forms of 802.1Qbg.

test_lldpad_netlink.py has what the real one does once in a while.
"""

import select
import time
from dataclasses import replace
from uuid import uuid4

import pytest

from evb.behaviour import Accept, Deaf, Refuse, Silent
from evb.events import What
from evb.frames import Form
from evb.vdp import Mode
from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.lldpad import Lldpad, Patience
from fairlead.linux.sysfs import Sysfs
from fairlead.model.errors import Fault
from fairlead.model.ids import PfKey
from fairlead.model.pci import LinkLayer, MacAddress, PciAddress
from fairlead.model.vsi import VsiReading, VsiSettings, VsiState
from tests.lldpad_bed import ADDRESS, UPLINK, bed
from tests.network_namespace import ip

MAC = MacAddress("52:54:00:aa:bb:01")
PF = ObservedPf(
    key=PfKey("mac:x"), name="ens1f0", pci_address=PciAddress(ADDRESS), vendor="8086", product="1572",
    kernel_driver="i40e", numa_node=None, iommu_group=None, link_layer=LinkLayer.ETHERNET, mac=None, is_up=True,
    link_up=True, speed_mbps=None, mtu=1500, total_vfs=8, num_vfs=0, serial=None, capabilities=(), is_management=False,
)  # fmt: skip
ASSOCIATED = VsiReading(VsiState.ASSOCIATED)
# The draft has one code more.
REFUSALS = [
    (form, code) for form, most in ((Form.DRAFT, 6), (Form.RATIFIED, 5)) for code in range(1, most + 1)
]
BOTH = pytest.mark.parametrize("shared", Form, ids=lambda form: form.value, indirect=True)
EACH = pytest.mark.parametrize("form", Form, ids=lambda form: form.value)
SLOW = pytest.mark.slow
SOON, AGREED_SECONDS = 5.0, 20.0
# The first form drops a VSI that has no answer after 3 s; for the second's 4 s nobody waits here.
PATIENCE = Patience(ready=0.5, answer=3.5)


class Host:
    """One VSI on a bed: as the station has it, and as the bridge does."""

    def __init__(self, bed):
        self.bed, self.responder, self.form = bed, bed.responder, bed.form
        self.instance = uuid4()
        self.vsi = VsiSettings(str(self.instance), 11, 0x123456, 2, MAC, 100)

    @property
    def station(self):
        """Made anew each time, so that nothing rests on what it remembers."""
        return _Station(self.bed)

    def associate(self, vsi=None):
        with self.station as station:
            station.associate(PF, vsi or self.vsi)

    def disassociate(self, vsi=None):
        with self.station as station:
            station.disassociate(PF, vsi or self.vsi)

    def agrees(self):
        with self.station as station:
            return station.agrees(PF)

    def reading(self):
        with self.station as station:
            return (station.read(PF) or {}).get(str(self.instance))

    def refusal(self, vsi=None):
        with pytest.raises(Fault) as fault:
            self.associate(vsi)
        return fault.value.failure

    def asked(self):
        """How the bridge was asked for it."""
        told = [event.message for event in self.responder.events(What.ASKED)]
        return [message.mode for message in told if message.vsi.instance_id == self.instance]

    def wait_until_in(self, seconds=SOON):
        self.responder.wait_for("the VSI", lambda: self.instance in self.responder.vsis(), seconds)

    def wait_until_out(self, seconds=SOON):
        self.responder.wait_for("its end", lambda: self.instance not in self.responder.vsis(), seconds)

    def wait_until_station_has_it_no_more(self):
        self.wait_until(lambda: self.reading() is None)

    def wait_until(self, look, seconds=SOON):
        give_up = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < give_up
            time.sleep(0.02)


class _Station:
    def __init__(self, bed):
        self._bed = bed

    def __enter__(self):
        self._entered = self._bed.entered()
        self._entered.__enter__()
        own = Sysfs(self._bed.machine)
        self._own = Lldpad(self._bed.lldpad.run / "lldpad.pid", PATIENCE, sysfs=own)
        return self._own

    def __exit__(self, *error):
        self._own.close()
        self._entered.__exit__(*error)


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
    host = Host(beds(request.param))
    host.responder.behave(Accept())
    return host


@pytest.fixture
def alone(form, tmp_path):
    """On a bed of its own, for what stays in lldpad."""
    with bed(form, tmp_path) as own:
        own.start()
        yield Host(own)


@BOTH
def test_a_vsi_is_associated_as_asked_for_and_let_go(shared):
    shared.associate()
    assert shared.reading() == ASSOCIATED
    seen = shared.responder.vsis()[shared.instance].vsi
    assert (seen.manager[0], seen.type_id, seen.type_version) == (11, 0x123456, 2)
    assert [(entry.mac.hex(":"), entry.vlan) for entry in seen.entries] == [(MAC, 100)]
    shared.disassociate()
    assert shared.reading() is None
    shared.wait_until_out()
    assert shared.asked() == [Mode.ASSOCIATE, Mode.DEASSOCIATE]


@BOTH
def test_one_that_is_not_there_is_let_go_without_a_word(shared):
    shared.disassociate()
    assert shared.asked() == []


@pytest.mark.parametrize(("shared", "code"), REFUSALS, indirect=["shared"])
def test_the_bridge_refuses_and_says_why(shared, code):
    shared.responder.behave(Refuse(code))
    failure = shared.refusal()
    assert failure.code == "vsi_refused"
    assert f"answers {code}: " in failure.answer
    assert shared.reading() is None
    shared.responder.behave(Accept())
    shared.associate()


@BOTH
def test_a_request_that_is_lost_is_sent_again(shared):
    shared.responder.behave(Accept(), lose=1)
    shared.associate()
    assert shared.asked() == [Mode.ASSOCIATE]


@BOTH
def test_an_answer_may_be_late(shared):
    shared.responder.behave(Accept(), answer_seconds=1.0)
    before = time.monotonic()
    shared.associate()
    assert time.monotonic() - before > 1.0


@BOTH
def test_the_bridge_is_asked_first_what_it_would_say_and_what_is_associated_stays(shared):
    """Of one MAC and VLAN, as for a port that is to be of another type."""
    shared.associate()
    first = Host(shared.bed)
    first.vsi = replace(first.vsi, type_id=77)
    with shared.station as station:
        station.preassociate(PF, first.vsi)
        station.disassociate(PF, first.vsi)
        shared.responder.behave(Refuse(3))
        with pytest.raises(Fault) as fault:
            station.preassociate(PF, first.vsi)
        assert fault.value.failure.code == "vsi_refused"
        assert "answers 3: " in fault.value.failure.answer
    assert first.asked() == [
        Mode.PREASSOCIATE_WITH_RESOURCES, Mode.DEASSOCIATE, Mode.PREASSOCIATE_WITH_RESOURCES
    ]  # fmt: skip
    assert (first.reading(), shared.reading()) == (None, ASSOCIATED)
    assert shared.instance in shared.responder.vsis()
    assert shared.asked() == [Mode.ASSOCIATE]
    shared.responder.behave(Accept())
    shared.disassociate()


@SLOW
@EACH
def test_the_bridge_ends_an_association_and_the_station_is_told(alone):
    """On a shared bed an answer to the keepalive of another VSI may come just then, and lldpad loses the end."""
    with alone.station as station:
        station.associate(PF, alone.vsi)
        alone.responder.deassociate(alone.instance)
        assert select.select([station.events], [], [], SOON)[0]
    alone.wait_until_station_has_it_no_more()
    alone.associate()


@BOTH
def test_others_stay_when_one_goes(shared):
    other = Host(shared.bed)
    other.associate()
    shared.associate()
    shared.disassociate()
    shared.wait_until_out()
    assert (shared.reading(), other.reading()) == (None, ASSOCIATED)
    assert other.instance in shared.responder.vsis()
    other.disassociate()


@pytest.mark.parametrize("shared", [Form.RATIFIED], indirect=True)
def test_a_vlan_of_the_bridges_choice_is_not_told_and_so_stays_at_the_bridge(shared):
    untagged = replace(shared.vsi, vlan=None)
    shared.responder.behave(Accept(vlan=77))
    shared.associate(untagged)
    with pytest.raises(Fault, match="EINVAL"):
        shared.disassociate(untagged)
    shared.disassociate(replace(untagged, vlan=77))
    shared.wait_until_out()


@SLOW
@BOTH
@pytest.mark.parametrize("behaviour", [Silent(), Deaf()], ids=["silent", "deaf"])
def test_without_an_answer_there_is_no_association(shared, behaviour):
    """lldpad drops the draft's by itself. The standard's is lost to that lldpad, and others are not."""
    shared.responder.behave(behaviour)
    assert shared.refusal().code == "vsi_unanswered"
    shared.responder.behave(Accept())
    if shared.form is Form.DRAFT:
        shared.associate()
    else:
        assert shared.refusal().code in {"lldpad_refused", "vsi_in_use"}
        other = Host(shared.bed)
        other.associate()
        other.disassociate()


@SLOW
@BOTH
def test_the_bridge_refuses_to_keep_one(shared):
    """lldpad asks again by itself; the standard's timer is the shorter one."""
    shared.associate()
    shared.responder.behave(Refuse(3))
    shared.wait_until_out(12.0)
    shared.wait_until_station_has_it_no_more()


@EACH
def test_lldpad_starts_anew_and_knows_nothing(alone):
    alone.associate()
    alone.bed.lldpad.stop()
    assert alone.refusal().code == "lldpad_refused"
    alone.responder.wait_for("its goodbye", lambda: bool(alone.responder.events(What.LEFT)))
    alone.bed.start()
    assert alone.reading() is None
    alone.associate()


@SLOW
@EACH
def test_a_link_that_was_down_is_told_everything_again(alone):
    alone.associate()
    alone.bed.cut_link()
    alone.wait_until_out()
    alone.bed.join_link()
    # The first form does so with its next keepalive, at most 10 s later.
    alone.wait_until_in(12.0)
    assert alone.asked() == [Mode.ASSOCIATE, Mode.ASSOCIATE]
    assert alone.reading() == ASSOCIATED


@EACH
def test_there_is_an_agreement_while_the_bridge_is_there(alone):
    assert alone.agrees()
    alone.bed.cut_link()
    alone.wait_until(lambda: not alone.agrees(), AGREED_SECONDS)
    alone.bed.join_link()
    alone.wait_until(alone.agrees, AGREED_SECONDS)
    alone.bed.lldpad.stop()
    assert not alone.agrees()


@EACH
def test_a_bridge_that_falls_silent_agrees_no_more(alone):
    """lldpad announces what was agreed on, as before; it forgets the neighbour after the time that that has told."""
    alone.responder.fall_silent()
    alone.wait_until(lambda: not alone.agrees(), AGREED_SECONDS)


@pytest.mark.parametrize("form", [Form.DRAFT], ids=["draft"])
def test_a_station_that_has_heard_itself_has_no_agreement_in_the_drafts_form(alone):
    """lldpad knows the last neighbour that it has heard: now the bridge, and now itself."""
    with alone.station as station:
        with alone.bed.echoing():
            alone.wait_until(lambda: not station.agrees(PF), AGREED_SECONDS)
        alone.bed.lldpad.stop()
        alone.bed.start()
        assert station.agrees(PF)


@SLOW
@pytest.mark.parametrize("form", [Form.RATIFIED], ids=["2012"])
def test_an_agreement_outlives_what_the_station_hears_of_itself_in_the_standards_form(alone):
    with alone.bed.echoing(), alone.station as station:
        give_up = time.monotonic() + 12.0
        while time.monotonic() < give_up:
            assert station.agrees(PF)
            time.sleep(0.02)


@EACH
def test_a_neighbour_without_evb_is_no_bridge_for_it(form, tmp_path):
    with bed(form, tmp_path, announced=frozenset()) as own:
        with own.entered():
            own.lldpad.start()
        own.responder.wait_for("lldpad", lambda: bool(own.responder.events(What.ANNOUNCED)))
        assert not Host(own).agrees()
        failure = Host(own).refusal()
        assert failure.code == "lldpad_refused"
        assert {Form.DRAFT: "ENXIO", Form.RATIFIED: "EPROTONOSUPPORT"}[form] in failure.answer


@pytest.mark.parametrize("form", [Form.DRAFT], ids=["draft"])
@pytest.mark.parametrize(
    "behaviour", [Accept(), Refuse(4), Silent(), Deaf()], ids=lambda each: type(each).__name__
)
def test_a_station_that_hears_itself_is_no_station_of_the_draft(alone, behaviour):
    """As on a NIC whose switch hands the PF its own frames back: lldpad says success whatever the bridge says."""
    with alone.bed.echoing():
        alone.responder.behave(behaviour, answer_seconds=0.3)
        failure = alone.refusal()
        assert failure.code == "vdp_echoed"
        assert "hwmode vepa" in failure.hint
        assert alone.reading() is None
    alone.responder.behave(Accept())
    alone.associate()


@pytest.mark.parametrize("form", [Form.DRAFT], ids=["draft"])
def test_an_echo_is_known_after_the_pfs_mac_has_changed(alone):
    """lldpad sends by the one that the PF had when it started."""
    with alone.bed.entered():
        ip(f"link set {UPLINK} address 02:00:00:00:00:0c")
    with alone.bed.echoing():
        alone.responder.behave(Silent())
        assert alone.refusal().code == "vdp_echoed"


@pytest.mark.parametrize("form", [Form.RATIFIED], ids=["2012"])
def test_a_station_that_hears_itself_waits_for_the_bridges_answer_in_the_standards_form(alone):
    with alone.bed.echoing():
        alone.responder.behave(Accept(), answer_seconds=0.3)
        alone.associate()
        alone.disassociate()
        alone.associate()
        alone.disassociate()
        alone.responder.behave(Refuse(4), answer_seconds=0.3)
        assert alone.refusal().code == "vsi_refused"


@EACH
def test_a_station_that_hears_nobody_but_itself_has_no_bridge(form, tmp_path):
    """In the draft's form lldpad takes its own announcement for a bridge's, and agrees with it."""
    with bed(form, tmp_path, announced=frozenset()) as own, own.echoing():
        with own.entered():
            own.lldpad.start()
        own.responder.behave(Deaf())
        own.responder.wait_for("lldpad", lambda: bool(own.responder.events(What.ANNOUNCED)))
        host = Host(own)
        assert host.refusal().code in {"lldpad_refused", "vsi_unanswered", "vdp_echoed"}
        assert not host.agrees()
