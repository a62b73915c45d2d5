"""A domain of the simulated libvirt."""

from dataclasses import dataclass, field

from fairlead.hoststate.observed import GuestState
from fairlead.model.ids import ServerId
from fairlead.model.pci import PciAddress


@dataclass(slots=True)
class DomainState:
    """A domain in the fake libvirt. `server_id` None: it is not ours. `live_*` is what it has since its start.
    `is_by_hand`: somebody else than the agent started it.
    """

    name: str
    server_id: ServerId | None
    spec: str
    boot_serial: int
    hostdevs: tuple[PciAddress, ...]
    taps: tuple[str, ...]
    xml: str
    state: GuestState = GuestState.STOPPED
    reason: str = ""
    live_serial: int = 0
    live_disk_serial: int = 0
    live_hostdevs: tuple[PciAddress, ...] = ()
    live_taps: tuple[str, ...] = ()
    saved_taps: tuple[str, ...] = ()
    boot_files: tuple[str, ...] = ()
    disk_serial: int = 0
    opened: dict[str, int] = field(default_factory=dict)
    """Which making of each of its live taps it has open."""
    is_by_hand: bool = False
    boots: int = 0
    marked: int = 0
    """How often it was started, and which of its starts the agent has marked."""
    room: int | None = None
    live_room: int | None = None
    """How many NICs and devices it has PCI Express ports for; None: it has a bus with room enough."""

    @property
    def is_up(self) -> bool:
        """Whether it has its devices now."""
        return self.state.is_up

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be plugged into it until it boots anew."""
        return self.live_room is not None and len(self.live_hostdevs) + len(self.live_taps) >= self.live_room

    def boot(self) -> None:
        """It runs, with all that it is defined with; one that was saved with what it had."""
        self.is_by_hand = False
        self.boots += 1
        if self.state is GuestState.SAVED:
            self.state, self.reason, self.live_taps = GuestState.RUNNING, "restored", self.saved_taps
            return
        self.state, self.reason = GuestState.RUNNING, "booted"
        self.live_serial, self.live_disk_serial = self.boot_serial, self.disk_serial
        self.live_hostdevs, self.live_taps, self.live_room = self.hostdevs, self.taps, self.room

    def save(self) -> None:
        """It is down, and goes on from there."""
        self.saved_taps = self.live_taps
        self.go_down(GuestState.SAVED, "saved")

    def go_down(self, state: GuestState, reason: str) -> None:
        """It runs no more, and has nothing."""
        self.state, self.reason = state, reason
        self.live_hostdevs, self.live_taps = (), ()
        self.opened.clear()
