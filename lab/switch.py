"""The switch at the other end of the wire: a bridge of evb/ on this machine, and lldpad, its station, in the host."""

from collections.abc import Iterator
from contextlib import contextmanager

from evb.frames import Form
from evb.ports import DatagramPort
from evb.responder import Responder
from evb.station import lldpad_conf
from lab.errors import PhaseFailed
from lab.machine.host import Host

LLDPAD_LOG = "/var/log/lldpad.log"
_AGREED_SECONDS, _END_SECONDS = 60.0, 20.0


@contextmanager
def switched(host: Host, form: Form, *uplinks: str) -> Iterator[Responder]:
    """Inside the block lldpad and a switch speak that form of 802.1Qbg over the uplinks, of which one is joined."""
    log = host.files.directory / f"bridge-{form.value}.log"
    port = DatagramPort(host.files.switch, host.files.switch_peer)
    try:
        with Responder(port, frozenset([form]), log) as responder:
            pid = _start_lldpad(host, form, uplinks)
            try:
                _wait_until_agreed(host, responder, form)
                yield responder
            finally:
                stop_lldpad(host, pid)
    finally:
        host.files.switch.unlink()


def _start_lldpad(host: Host, form: Form, uplinks: tuple[str, ...]) -> int:
    host.must("mkdir -p /var/lib/lldpad")
    host.write("/var/lib/lldpad/lldpad.conf", lldpad_conf(form, *uplinks))
    return host.channel.start(["lldpad", "-t", "-V7"], log=LLDPAD_LOG)


def _wait_until_agreed(host: Host, responder: Responder, form: Form) -> None:
    try:
        responder.wait_for("EVB", lambda: responder.agrees(form), _AGREED_SECONDS)
    except TimeoutError as error:
        words = host.run(f"tail -n 30 {LLDPAD_LOG}").output
        raise PhaseFailed(f"{error}\nlldpad's log ends:\n{words}") from error


def stop_lldpad(host: Host, pid: int) -> None:
    """End it, as an init system would; returns when it is gone."""
    host.run(f"kill {pid}")
    host.wait_for("lldpad's end", _END_SECONDS, lambda: host.read(f"/proc/{pid}/cmdline") in (None, ""))
