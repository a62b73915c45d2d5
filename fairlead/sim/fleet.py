"""Simulated hosts: a machine, and the real agent on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fairlead.agent.boundary import Clock, Control, Kernel
from fairlead.agent.execute import AfterStep, ignore_step
from fairlead.agent.flights import InTurn, Runner
from fairlead.agent.hands import Hands
from fairlead.agent.ledger import SlotLedger
from fairlead.agent.loop import Agent
from fairlead.guestxml import machine as guest_machine
from fairlead.model.ids import HostId
from fairlead.sim.disks import SimDisks
from fairlead.sim.hardware import Hardware, two_socket_server
from fairlead.sim.hypervisor import SimHypervisor
from fairlead.sim.kernel import SimKernel
from fairlead.sim.lldpad import SimLldpad
from fairlead.sim.machine import BeforeCall, Machine, ignore_call
from fairlead.sim.tree import TreeKernel

VERSION = "simulated"


class SimClock:
    """A clock that is set forward by hand."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        """Some day, and the seconds since."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Seconds."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._seconds += seconds


def ignore_write(name: str, data: bytes) -> None:
    """At a write nothing is looked at, but in tests."""


class MemorySlots:
    """agent.ledger.Slots that outlive an agent, as a disk does."""

    def __init__(self, before_call: BeforeCall = ignore_call) -> None:
        self._kept: dict[str, bytes] = {}
        self._before_call = before_call
        self.on_write: Callable[[str, bytes], None] = ignore_write

    def read(self, name: str) -> bytes | None:
        """What was last written."""
        return self._kept.get(name)

    def write(self, name: str, data: bytes) -> None:
        """Keep it."""
        self._before_call(f"write {name}")
        self._kept[name] = data
        self.on_write(name, data)

    def lose(self) -> None:
        """As when the disk is lost: nothing was ever written."""
        self._kept.clear()


@dataclass(frozen=True, slots=True)
class SimHost:
    """A machine with what is on its disks: all that a crash of its agent leaves."""

    name: str
    machine: Machine
    kernel: Kernel
    vdp: SimLldpad
    hypervisor: SimHypervisor
    disks: SimDisks
    slots: MemorySlots
    clock: Clock

    def agent(
        self,
        host_id: HostId,
        control: Control,
        after_step: AfterStep = ignore_step,
        runner: Runner = InTurn(),  # noqa: B008 - it keeps nothing
    ) -> Agent:
        """The agent, as it starts: it knows what its ledger says and nothing else."""
        hands = self.hands(host_id, control)
        return Agent(host_id, VERSION, hands, runner=runner, after_step=after_step)

    def hands(self, host_id: HostId, control: Control) -> Hands:
        """The host, as an agent reaches it."""
        return Hands(
            kernel=self.kernel,
            vdp=self.vdp,
            hypervisor=self.hypervisor,
            disks=self.disks,
            control=control,
            ledger=SlotLedger(self.slots, host_id),
            clock=self.clock,
            machine=guest_machine.Machine(),
        )


def sim_host(
    name: str,
    number: int,
    *,
    clock: Clock | None = None,
    root: Path | None = None,
    built: Callable[[int], Hardware] = two_socket_server,
) -> SimHost:
    """A host as it comes from the factory, `built` as one of `hardware`. With a `root`, its /sys and /proc are files
    there, read by the real kernel adapter; without, all of it is in memory, and ten times faster.
    """
    machine, clock = Machine(built(number)), clock or SimClock()
    return SimHost(
        name,
        machine,
        SimKernel(machine) if root is None else TreeKernel(machine, root),
        SimLldpad(machine),
        SimHypervisor(machine),
        SimDisks(clock, machine.called),
        MemorySlots(machine.before_call),
        clock,
    )
