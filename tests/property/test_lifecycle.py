"""The life cycles as graphs: everything can be reached, and nothing is stuck that should not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model.binding import Binding, BindingRole, VifType, Wiring
from fairlead.model.device import DeviceStatus
from fairlead.model.errors import Conflict
from fairlead.model.ids import HostId, PortId
from fairlead.model.lifecycle import DEVICE, MIGRATION, SERVER, WIRING, after, allows, port_status
from fairlead.model.migration import MigrationStatus
from fairlead.model.port import PortStatus
from fairlead.model.server import ServerStatus

CYCLES = [
    (DEVICE, DeviceStatus, DeviceStatus.AVAILABLE),
    (WIRING, Wiring, Wiring.PENDING),
    (SERVER, ServerStatus, ServerStatus.BUILD),
    (MIGRATION, MigrationStatus, MigrationStatus.MIGRATING),
]
ENDS = {
    Wiring.UNWIRING,
    ServerStatus.DELETING,
    MigrationStatus.CONFIRMED,
    MigrationStatus.REVERTED,
    MigrationStatus.ERROR,
}
"""Behind these the row is removed, or it is a record."""


def reached(table, start, without=frozenset()):
    """Every status that events lead to from the start."""
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (status, event), following in table.items():
            if status is here and event not in without and following not in found:
                found.add(following)
                todo.append(following)
    return found


@pytest.mark.parametrize(("table", "statuses", "start"), CYCLES)
def test_every_status_is_reached(table, statuses, start):
    assert reached(table, start) == set(statuses)


@pytest.mark.parametrize(("table", "statuses", "start"), CYCLES)
def test_only_rows_with_which_nothing_more_happens_are_at_an_end(table, statuses, start):
    stuck = {status for status in statuses if reached(table, status) == {status}}
    assert stuck == ENDS & set(statuses)


@pytest.mark.parametrize("status", DeviceStatus)
def test_a_device_can_always_become_free_again(status):
    assert DeviceStatus.AVAILABLE in reached(DEVICE, status)


@pytest.mark.parametrize("status", ServerStatus)
def test_a_server_can_always_be_deleted(status):
    assert after(SERVER, status, "delete") is ServerStatus.DELETING


def test_a_device_that_was_held_is_free_only_after_a_scrub():
    for status in (
        DeviceStatus.CLAIMED,
        DeviceStatus.ALLOCATED,
        DeviceStatus.RELEASING,
        DeviceStatus.MISSING,
    ):
        assert DeviceStatus.AVAILABLE not in reached(DEVICE, status, without={"scrubbed"})


@pytest.mark.parametrize(
    "status", [status for status in DeviceStatus if status is not DeviceStatus.AVAILABLE]
)
def test_only_an_available_device_is_claimed(status):
    assert not allows(DEVICE, status, "claim")


@pytest.mark.parametrize("status", [s for s in DeviceStatus if s is not DeviceStatus.AVAILABLE])
def test_whatever_its_status_a_held_device_can_be_released(status):
    if status is not DeviceStatus.RELEASING:
        assert after(DEVICE, status, "release") is not DeviceStatus.AVAILABLE


@given(st.lists(st.sampled_from(sorted({event for _, event in DEVICE})), max_size=30))
def test_no_events_make_a_used_device_free_without_a_scrub(events):
    status, is_clean = DeviceStatus.AVAILABLE, True
    for event in events:
        if not allows(DEVICE, status, event):
            with pytest.raises(Conflict, match=event):
                after(DEVICE, status, event)
            continue
        status = after(DEVICE, status, event)
        is_clean = event == "scrubbed" or (is_clean and event in {"scrub_failed", "release"})
        assert is_clean or status is not DeviceStatus.AVAILABLE


@pytest.mark.parametrize("guest", ["running", "stopped", "paused", "crashed", ""])
@pytest.mark.parametrize("wiring", Wiring)
def test_a_port_is_active_only_when_wired_and_its_guest_is_up(wiring, guest):
    binding = Binding(PortId("p"), HostId("h"), BindingRole.ACTIVE, wiring, VifType.HW_VEB)
    is_active = port_status(binding, guest) is PortStatus.ACTIVE
    assert is_active == (wiring is Wiring.WIRED and guest in {"running", "paused"})
    assert port_status(None, guest) is PortStatus.DOWN
