"""What every ledger keeps, on disk and in the simulator."""

from dataclasses import replace

import pytest

from fairlead.agent.ledger import FileSlots, SlotLedger, Started
from fairlead.agent.station import AskedVsi
from fairlead.hoststate.desired import DesiredState, DesiredVsi
from fairlead.model.errors import Fault
from fairlead.model.ids import HostId, PfKey, PortId, ServerId
from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE
from fairlead.model.vsi import VsiSettings
from fairlead.sim.fleet import MemorySlots

HOST = HostId("h1")
NOTHING: frozenset[str] = frozenset()
GPU = "address:0000:5e:00.0"
PF = PfKey("mac:3c:fd:fe:00:01:01")
SERVER = ServerId("5e000000-0000-0000-0000-000000000001")


@pytest.fixture(params=["files", "memory"])
def slots(request, tmp_path):
    return FileSlots(tmp_path / "agent") if request.param == "files" else MemorySlots()


VSI = DesiredVsi(
    PortId("a0000000-0000-0000-0000-000000000001"),
    SERVER,
    PF,
    3,
    VsiSettings("09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f", 11, 7, 2, MacAddress("fa:16:3e:00:00:01"), 100),
)


def document(generation: int) -> DesiredState:
    return DesiredState(HOST, generation)


def test_it_begins_with_nothing(slots):
    ledger = SlotLedger(slots, HOST)
    assert ledger.accepted() is None
    assert ledger.is_new()
    assert ledger.dirty_vfs() == frozenset()
    assert ledger.started() == {}


def test_an_accepted_document_outlives_the_agent(slots):
    assert SlotLedger(slots, HOST).accept(document(3))
    assert SlotLedger(slots, HOST).accepted() == document(3)


def test_an_older_document_is_refused(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.accept(document(3))
    assert not ledger.accept(document(2))
    assert ledger.accept(document(3))
    assert ledger.accepted() == document(3)


def test_a_vsi_is_entered_once_and_outlives_the_agent(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.mark_vsi(AskedVsi(VSI))
    ledger.mark_vsi(AskedVsi(replace(VSI, settings=replace(VSI.settings, type_id=8)), is_granted=True))
    (kept,) = SlotLedger(slots, HOST).vsis()
    assert (kept.vsi.settings.type_id, kept.is_granted) == (8, True)


def test_a_vsi_is_forgotten(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.mark_vsi(AskedVsi(VSI))
    ledger.forget_vsi(VSI.settings.instance_id)
    ledger.forget_vsi(VSI.settings.instance_id)
    assert SlotLedger(slots, HOST).vsis() == ()


def test_a_document_of_another_host_is_refused(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.accept(document(3))
    assert not ledger.accept(replace(document(4), host_id=HostId("h2")))
    assert ledger.accepted() == document(3)


def test_a_machine_that_enrolled_as_another_host_begins_without_a_document(slots):
    before = SlotLedger(slots, HOST)
    before.accept(document(3))
    before.mark_dirty(PF, 1)
    ledger = SlotLedger(slots, HostId("h2"))
    assert ledger.accepted() is None
    assert ledger.dirty_vfs() == {(PF, 1)}
    assert ledger.accept(replace(document(1), host_id=HostId("h2")))


def test_dirt_outlives_the_agent(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.mark_found(frozenset({(PF, 0)}), frozenset({(PF, 2)}))
    ledger.mark_dirty(PF, 1)
    ledger.mark_clean(PF, 0)
    again = SlotLedger(slots, HOST)
    assert (again.dirty_vfs(), again.given_vfs()) == ({(PF, 1), (PF, 2)}, {(PF, 2)})
    assert not again.is_new()


def test_who_opened_a_vf_is_known_until_its_scrub(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.mark_opened(frozenset({(PF, 0)}))
    ledger.mark_opened(frozenset({(PF, 1)}))
    assert SlotLedger(slots, HOST).opened_vfs() == {(PF, 0), (PF, 1)}
    ledger.mark_clean(PF, 0)
    assert SlotLedger(slots, HOST).opened_vfs() == {(PF, 1)}
    ledger.mark_opened(frozenset({(PF, 2)}), sealed=frozenset({(PF, 1)}))
    assert SlotLedger(slots, HOST).opened_vfs() == {(PF, 2)}


def test_what_was_verified_outlives_the_agent_and_the_newest_stands(slots):
    SlotLedger(slots, HOST).mark_verified({(PF, 1): BASELINE, (PF, 0): BASELINE})
    ledger = SlotLedger(slots, HOST)
    assert ledger.verified() == {(PF, 0): BASELINE, (PF, 1): BASELINE}
    ledger.mark_verified({(PF, 0): replace(BASELINE, vlan=7)})
    assert SlotLedger(slots, HOST).verified() == {(PF, 0): replace(BASELINE, vlan=7)}


def test_dirt_alone_does_not_make_a_ledger_old(slots):
    SlotLedger(slots, HOST).mark_dirty(PF, 1)
    assert SlotLedger(slots, HOST).is_new()


def test_what_was_started_outlives_the_agent(slots):
    SlotLedger(slots, HOST).mark_started(SERVER, Started(2, "boot-1"))
    ledger = SlotLedger(slots, HOST)
    assert ledger.started() == {SERVER: Started(2, "boot-1")}
    ledger.mark_started(SERVER, None)
    assert SlotLedger(slots, HOST).started() == {}


def test_an_unreadable_ledger_says_what_helps(slots):
    slots.write("desired", b"{torn")
    with pytest.raises(Fault, match="ledger's desired") as caught:
        SlotLedger(slots, HOST)
    assert "delete it" in caught.value.failure.hint


def test_a_file_is_readable_by_the_agent_alone(tmp_path):
    FileSlots(tmp_path / "agent").write("desired", b"{}")
    assert (tmp_path / "agent" / "desired.json").stat().st_mode & 0o777 == 0o600


def test_devices_given_whole_are_dirty_until_reset(slots):
    ledger = SlotLedger(slots, HOST)
    assert ledger.dirty_devices() == frozenset()
    ledger.mark_devices_dirty(frozenset({PF, GPU}))
    ledger.mark_device_clean(PF)
    again = SlotLedger(slots, HOST)
    assert again.dirty_devices() == {GPU}
    assert again.dirty_vfs() == frozenset()


def test_a_plain_device_that_the_ledger_does_not_know_is_dirty_until_reset(slots):
    ledger = SlotLedger(slots, HOST)
    ledger.meet_devices(frozenset({GPU}), NOTHING)
    assert ledger.dirty_devices() == {GPU}
    ledger.mark_device_clean(GPU)
    again = SlotLedger(slots, HOST)
    again.meet_devices(frozenset({GPU}), NOTHING)
    assert again.dirty_devices() == frozenset()
