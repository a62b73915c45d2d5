"""The agent of this machine: real kernel, real libvirt. Only real hosts import this: libvirt must be there."""

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event, Thread

import click

from fairlead.agent.boundary import Disks, Hypervisor
from fairlead.agent.execute import AfterStep, ignore_step
from fairlead.agent.flights import Threads
from fairlead.agent.hands import Hands
from fairlead.agent.ledger import FileSlots, SlotLedger
from fairlead.agent.loop import Agent
from fairlead.agent.service import serve
from fairlead.client.agent_link import AgentLink
from fairlead.client.session import Session
from fairlead.guestxml.machine import Chipset, CpuModel, DomainType, Machine
from fairlead.hoststate.steps import Step
from fairlead.hypervisor.disks import HostDisks
from fairlead.linux.kernel import LinuxKernel
from fairlead.linux.lldpad import Lldpad
from fairlead.linux.rtnetlink import RtNetlink
from fairlead.linux.wake import LinkEvents
from fairlead.main.clock import SystemClock
from fairlead.main.enrolment import VERSION, enrolled, fresh_token
from fairlead.wire.documents import Enrolled

_CHAINS = 16
"""Chains in flight at a time: most of them wait for an image, or for a guest to go down."""


class RealHost:
    """This machine as a host. Raises click's error where it cannot be one, saying what is missing."""

    def __init__(self, control: str, identity: Enrolled, state: Path, libvirt: str) -> None:
        _check_may_act()
        hypervisor, disks = _libvirt(libvirt, state, self._wake)
        self._agent: Agent | None = None
        station = Lldpad()
        self.hands = hands = Hands(
            kernel=LinuxKernel(RtNetlink(), guests=state),
            vdp=station,
            hypervisor=hypervisor,
            disks=disks,
            control=AgentLink(control, identity.host_id, identity.credential),
            ledger=SlotLedger(FileSlots(state / "ledger"), identity.host_id),
            clock=SystemClock(),
            machine=_machine(),
        )
        self.agent = Agent(
            identity.host_id, VERSION, hands, runner=Threads(_CHAINS), after_step=_after_step()
        )
        self._agent = self.agent
        self._events = LinkEvents(self._wake, station.events)

    def _wake(self) -> None:
        """Libvirt may speak before the agent is made; there is nobody to wake then."""
        if self._agent is not None:
            self._agent.wake.call()


def start_here(session: Session, url: str, state: Path, libvirt: str, stop: Event) -> str:
    """Enrol this machine if it is not yet, and run its agent in a thread; its name once control has its first
    report.
    """
    own = state / "host"
    own.mkdir(exist_ok=True)
    token = None if (own / "credential.json").exists() else fresh_token(session, os.uname().nodename)
    identity = enrolled(url, own, token)
    host = RealHost(url, identity, own, libvirt)
    host.agent.poll(0)
    host.agent.tick()
    Thread(target=serve, args=(host.agent, stop), name="agent", daemon=True).start()
    return identity.host_name


def _libvirt(uri: str, state: Path, wake: Callable[[], None]) -> tuple[Hypervisor, Disks]:
    try:
        from fairlead.hypervisor.connection import LibvirtConnection  # noqa: PLC0415 - to say what is missing
        from fairlead.hypervisor.guests import LibvirtHypervisor  # noqa: PLC0415 - as above
    except ImportError as error:
        raise click.ClickException(
            f"An agent needs libvirt's Python binding: {error}. Debian has it as python3-libvirt."
        ) from error
    return LibvirtHypervisor(LibvirtConnection(uri, wake)), HostDisks(state)


def _check_may_act() -> None:
    if os.geteuid() != 0:
        raise click.ClickException(
            "An agent needs root: it configures VFs, bridges and guests. To look around without, try "
            "`fairlead up --sim 3`."
        )


def _machine() -> Machine:
    """With KVM where the kernel has it; without, guests are emulated, which is slow but works anywhere."""
    if Path("/dev/kvm").exists():
        return Machine()
    return Machine(DomainType.QEMU, Chipset.Q35, CpuModel.QEMU64)


def _after_step() -> AfterStep:
    """The lab's switch: with FAIRLEAD_DIE_AFTER_STEP=N the agent is killed after its N-th step, unannounced,
    as a power cut would.
    """
    wanted = os.environ.get("FAIRLEAD_DIE_AFTER_STEP", "")
    if not wanted.isdigit():
        return ignore_step
    steps = count(1)

    def die(_: Step) -> None:
        if next(steps) == int(wanted):
            os.kill(os.getpid(), signal.SIGKILL)

    return die
