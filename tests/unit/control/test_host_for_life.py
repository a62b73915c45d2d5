"""What befalls a host under a running server: what control says meanwhile, and that all is as before in the end."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fairlead.model.binding import Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.ids import PfKey, ServerId
from fairlead.model.pci import PciAddress
from fairlead.model.server import ServerStatus
from fairlead.model.vf import VfSettings
from fairlead.sim.domain import DomainState
from fairlead.sim.machine import Machine
from tests.control_world import EnrolledHost, World

Upheaval = Callable[[Machine, PfKey], None]
OTHER_SLOT = PciAddress("0000:c1:00.0")


@dataclass(frozen=True, slots=True)
class Life:
    """A server with one VF that runs on the host, and what that VF was set to."""

    world: World
    host: EnrolledHost
    server_id: ServerId
    settings: VfSettings

    def device(self) -> Device:
        (nic,) = self.world.view(self.server_id).nics
        assert nic.device is not None
        return nic.device

    def wiring(self) -> Wiring:
        (nic,) = self.world.view(self.server_id).nics
        assert nic.binding is not None
        return nic.binding.wiring

    def domain(self) -> DomainState:
        return self.host.sim.machine.domains[f"fl-{self.server_id}"]

    def strike(self, upheaval: Upheaval) -> None:
        pf = self.device().pf
        assert pf is not None
        upheaval(self.host.sim.machine, pf)

    def seen(self) -> VfSettings:
        found = self.host.sim.machine.vf_at(self.device().pci_address)
        assert found is not None
        assert found[0].nic.key == self.device().pf
        return found[0].vfs[found[1]]


@pytest.fixture
def life(world: World) -> Life:
    world.policy()
    host = world.host()
    server = world.run_server(host, "web", world.direct(max_mbps=500))
    life = Life(world, host, server.id, VfSettings())
    return Life(world, host, server.id, life.seen())


def assert_as_before(life: Life) -> None:
    """The guest runs, in the same boot, on a VF of its own that is as its port says; nothing is held twice."""
    life.host.settle()
    assert life.world.server(life.server_id).status is ServerStatus.ACTIVE
    assert life.world.server(life.server_id).fault is None
    assert (life.wiring(), life.device().status) == (Wiring.WIRED, DeviceStatus.ALLOCATED)
    assert life.seen() == life.settings
    domain = life.domain()
    assert domain.live_hostdevs == (life.device().pci_address,)
    assert domain.hostdevs == domain.live_hostdevs, "it would boot on another device"
    assert domain.live_serial == life.world.server(life.server_id).boot_serial
    assert life.world.violations() == ()
    assert life.host.sim.machine.mishaps == []


def unload(machine: Machine, pf: PfKey) -> None:
    machine.unload(pf)


def destroy_vfs(machine: Machine, pf: PfKey) -> None:
    machine.recount(pf, 0)


def pull(machine: Machine, pf: PfKey) -> None:
    machine.pull(pf)


def unload_and_load(machine: Machine, pf: PfKey) -> None:
    machine.unload(pf)
    machine.load(pf)


def move(machine: Machine, pf: PfKey) -> None:
    machine.pull(pf)
    machine.plug(pf, OTHER_SLOT)


def swap(machine: Machine, pf: PfKey) -> None:
    other = next(key for key, state in machine.pfs.items() if key != pf and not state.nic.is_management)
    slots = machine.pfs[pf].nic.pci_address, machine.pfs[other].nic.pci_address
    for key in (pf, other):
        machine.pull(key)
    machine.plug(pf, slots[1])
    machine.plug(other, slots[0])


def flap(machine: Machine, pf: PfKey) -> None:
    machine.pfs[pf].has_cable = False
    machine.pfs[pf].has_cable = True


def rename(machine: Machine, pf: PfKey) -> None:
    machine.rename(pf, "lan7")


def reset(machine: Machine, pf: PfKey) -> None:
    machine.reset_pf(pf)


def take_down(machine: Machine, pf: PfKey) -> None:
    machine.pfs[pf].is_up = False


@pytest.mark.parametrize(
    "upheaval", [destroy_vfs, unload_and_load, move, swap, flap, rename, reset, take_down]
)
def test_what_is_over_before_anybody_looked_is_put_right(life: Life, upheaval: Upheaval) -> None:
    life.strike(upheaval)
    assert_as_before(life)


@pytest.mark.parametrize("driver", ["iavf", None])
def test_a_vf_that_is_bound_to_a_driver_of_the_host_is_its_servers_again(
    life: Life, driver: str | None
) -> None:
    index = life.device().vf_index
    assert index is not None
    life.strike(lambda machine, pf: machine.rebind(pf, index, driver))
    assert life.domain().live_hostdevs == ()
    assert_as_before(life)


@pytest.mark.parametrize("upheaval", [unload, pull])
def test_while_a_pf_is_away_its_server_says_so_and_then_has_its_vf_again(
    life: Life, upheaval: Upheaval
) -> None:
    life.strike(upheaval)
    life.host.settle()

    server = life.world.server(life.server_id)
    assert (server.status, life.wiring()) == (ServerStatus.ERROR, Wiring.FAILED)
    assert server.fault is not None
    assert server.fault.code in {"device_missing", "link_missing"}
    assert life.device().status is DeviceStatus.MISSING
    assert life.domain().is_up, "its guest runs on without"
    assert life.world.violations() == ()

    pf = life.device().pf
    assert pf is not None
    if life.host.sim.machine.pfs[pf].is_present:
        life.host.sim.machine.load(pf)
    else:
        life.host.sim.machine.plug(pf, OTHER_SLOT)
    assert_as_before(life)


def test_a_pf_without_a_driver_is_a_hold(life: Life) -> None:
    life.strike(unload)
    life.host.settle()
    (hold,) = [hold for hold in life.host.link.reports[-1].holds if hold.what == "manage the PF"]
    assert "no driver has it" in hold.reason


def test_after_a_boot_the_vf_is_set_before_its_guest_runs(life: Life) -> None:
    machine, order = life.host.sim.machine, list[str]()
    machine.reboot()
    machine.fuse = order.append
    life.host.settle()

    acts = [act for act in order if act in {"set_num_vfs", "set_vf", "start"}]
    assert acts[0] == "set_num_vfs"
    assert acts.index("set_vf") < acts.index("start")
    assert life.seen() == life.settings
    assert life.world.server(life.server_id).status is ServerStatus.ACTIVE


def test_after_a_boot_the_host_comes_back_while_control_is_away(life: Life) -> None:
    life.host.sim.machine.reboot()
    life.host.agent.tick()
    assert life.domain().is_up
    assert life.seen() == life.settings
