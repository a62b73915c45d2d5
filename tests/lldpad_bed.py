"""Real lldpad on one end of a veth and a bridge of ours on the other, in network namespaces of their own.

Netlink finds lldpad in the station's namespace alone, so what speaks to it is `entered()`. The bridge is told how to
behave through `responder`. lldpad has a mount namespace of its own as well: it keeps its process id in /run and in
/dev/shm, and takes another one that it finds there for itself.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from evb.frames import NEAREST_BRIDGE, Form
from evb.ports import InterfacePort
from evb.responder import Responder
from evb.station import lldpad_conf
from tests.machine_tree import nic_at
from tests.network_namespace import Network, ip, new_network

UPLINK, ADDRESS = "st0", "0000:af:00.0"
_BRIDGE_END = "br0"
_READY_SECONDS, _STOP_SECONDS = 20.0, 5.0
_ETH_P_ALL, _ECHO_POLL_SECONDS = 3, 0.1


class Lldpad:
    """The daemon, started and ended as a test wants. `run` is its /run, in which `lldpad.pid` lies."""

    def __init__(self, folder: Path, form: Form) -> None:
        self.run = folder / "run"
        self.run.mkdir()
        self._settings = folder / "lldpad.conf"
        self._settings.write_text(lldpad_conf(form, UPLINK))
        self._log = folder / "lldpad.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in the namespace of this thread."""
        # mount -n: the new /run has no place for the table that mount keeps.
        script = 'mount -n --bind "$1" /run && mount -n -t tmpfs own /dev/shm && exec lldpad -t -V7 -f "$2"'
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "sh",
                 "-ec", script, "sh", str(self.run), str(self._settings)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        """End it as an init system would; it says goodbye to its neighbour and keeps nothing."""
        if self._process:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End it now; what has ended stays so."""
        if self._process:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)

    @property
    def words(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-2000:]


class Bed:
    """lldpad is to speak `form` with the bridge on its `uplink`."""

    def __init__(
        self, form: Form, lldpad: Lldpad, responder: Responder, networks: tuple[Network, Network]
    ) -> None:
        self.form = form
        self.uplink = UPLINK
        self.lldpad = lldpad
        self.responder = responder
        self._station, self._other_end = networks
        self.entered = self._station.entered
        self.machine = lldpad.run.parent / "machine"
        """Where sysfs has the uplink as the network device of a PF, at ADDRESS."""
        with self.entered():
            nic_at(self.machine, ADDRESS, UPLINK, socket.if_nametoindex(UPLINK))

    def start(self) -> None:
        """Start lldpad, and return when it and the bridge agree."""
        with self.entered():
            self.lldpad.start()
        self.wait_until_agreed()

    def wait_until_agreed(self) -> None:
        """Return when both sides speak the form; TimeoutError with what lldpad said."""
        try:
            self.responder.wait_for("EVB", lambda: self.responder.agrees(self.form), _READY_SECONDS)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\nlldpad's log ends:\n{self.lldpad.words}") from error

    @contextmanager
    def echoing(self) -> Iterator[None]:
        """Inside the block the station hears what it sends to bridges, too."""
        with self._other_end.entered():
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            wire.bind((_BRIDGE_END, 0))
        wire.settimeout(_ECHO_POLL_SECONDS)
        is_over = Event()
        thread = Thread(target=_echo, args=(wire, is_over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
            wire.close()

    def cut_link(self) -> None:
        """As if the cable were pulled at the bridge's end."""
        with self._other_end.entered():
            ip(f"link set {_BRIDGE_END} down")

    def join_link(self) -> None:
        """Put the cable back."""
        with self._other_end.entered():
            ip(f"link set {_BRIDGE_END} up")


def _echo(wire: socket.socket, is_over: Event) -> None:
    while not is_over.is_set():
        try:
            frame, (_, _, direction, *_) = wire.recvfrom(2048)
        except TimeoutError:
            continue
        if direction != socket.PACKET_OUTGOING and frame[:5] == NEAREST_BRIDGE[:5]:
            wire.send(frame)


@contextmanager
def bed(form: Form, folder: Path, announced: frozenset[Form] | None = None) -> Iterator[Bed]:
    """A bed whose lldpad is not started yet. The bridge announces `announced`, its own form where that is None."""
    if shutil.which("lldpad") is None:
        pytest.skip("lldpad is not installed: apt-get install lldpad")
    with new_network() as station, new_network() as other_end:
        with other_end.entered():
            ip(f"link add {_BRIDGE_END} type veth peer name {UPLINK} netns {station.path}")
            ip(f"link set {_BRIDGE_END} up")
            port = InterfacePort(_BRIDGE_END)
        with station.entered():
            ip(f"link set {UPLINK} up")
        lldpad = Lldpad(folder, form)
        forms = frozenset([form]) if announced is None else announced
        with Responder(port, forms, folder / "bridge.log") as responder:
            try:
                yield Bed(form, lldpad, responder, (station, other_end))
            finally:
                lldpad.kill()
