"""A device that was given whole is nobody's before it is reset; one that cannot be reset stays as dirty as it is."""

from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.sim.fleet import sim_host
from fairlead.sim.hardware import Hardware, two_socket_server
from tests.control_stand_in import ControlStandIn
from tests.host_wishes import GPU, HOST, HostWish, desired


def without_reset(number: int) -> Hardware:
    """Its GPU shares a slot with another function, and has no FLR."""
    whole = two_socket_server(number)
    plain = (replace(each, has_reset=each.pci_address != GPU.pci_address) for each in whole.plain)
    return replace(whole, plain=tuple(plain))


@pytest.mark.parametrize("is_tree", [False, True])
def test_one_that_cannot_be_reset_stays_dirty_and_says_why(tmp_path: Path, *, is_tree: bool):
    host = sim_host("h1", 1, root=tmp_path if is_tree else None, built=without_reset)
    host.machine.traces[GPU.pci_address] = "whoever had it before"
    control = ControlStandIn(desired(HostWish()))
    agent = host.agent(HOST, control)
    agent.poll(0)
    for _ in range(2):
        agent.tick()
    report = control.reports[-1]
    assert [failure.failure.code for failure in report.failures] == ["reset_missing"]
    assert [pci.key for pci in report.observed.pcis if pci.is_dirty] == [GPU.key]
    assert "device_reset" not in [event.kind for told in control.reports for event in told.events]


@pytest.mark.parametrize("is_tree", [False, True])
def test_one_that_can_be_is_clean_then(tmp_path: Path, *, is_tree: bool):
    host = sim_host("h1", 1, root=tmp_path if is_tree else None)
    host.machine.traces[GPU.pci_address] = "whoever had it before"
    control = ControlStandIn(desired(HostWish()))
    agent = host.agent(HOST, control)
    agent.poll(0)
    agent.tick()
    assert not any(pci.is_dirty for pci in control.reports[-1].observed.pcis)
    assert GPU.pci_address not in host.machine.traces
