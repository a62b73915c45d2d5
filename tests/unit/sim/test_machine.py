"""The simulated machine: what it knows of who had a VF."""

from dataclasses import replace

from fairlead.model.pci import MacAddress
from fairlead.model.vf import BASELINE
from fairlead.sim.hardware import two_socket_server
from fairlead.sim.machine import Machine

_, NIC, _ = two_socket_server(1).nics


def test_a_vf_that_is_reset_at_its_baseline_is_nobodys_however_it_came_there():
    machine = Machine(two_socket_server(1))
    machine.set_num_vfs(NIC.key, 2)
    machine.write_vf(NIC.key, 1, replace(BASELINE, mac=MacAddress("fa:16:3e:00:00:01")), ("mac",))
    machine.reset(NIC.vf_address(1))
    assert set(machine.told) == {(NIC.key, 1)}
    machine.reset_pf(NIC.key)
    machine.reset(NIC.vf_address(1))
    assert machine.told == {}


def test_a_card_in_the_slot_of_another_has_no_traces_of_its_guest():
    machine = Machine(two_socket_server(1))
    machine.traces[NIC.pci_address] = "fl-1"
    machine.pull(NIC.key)
    machine.plug(NIC.key, NIC.pci_address)
    assert machine.traces == {}
