"""One connection to libvirt, opened again after libvirt was away, whose events wake the agent.

Source: libvirt's "Event loop" and "Keepalive" pages (libvirt-event.html, virConnectSetKeepAlive).
"""

import time
from collections.abc import Callable
from threading import Condition, Lock, Thread

import libvirt
import structlog

from fairlead.hypervisor.faults import refusal

_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT = 5, 3
_LOOK_SECONDS = 1.0
_loop_lock = Lock()
_loops: list[Thread] = []

_log = structlog.get_logger("fairlead.hypervisor")


class LibvirtConnection:
    """libvirt at `uri`. `wake` is called from libvirt's event thread when a domain changes its state and
    when the connection is lost. `monotonic` tells seconds that never go back. Safe to use from several threads.
    """

    def __init__(
        self, uri: str, wake: Callable[[], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._uri = uri
        self._wake = wake
        self._monotonic = monotonic
        self._lock = Lock()
        self._changed = Condition()
        self._refusals: set[tuple[str, str]] = set()
        self._open: libvirt.virConnect | None = None
        _run_event_loop()

    def get(self) -> libvirt.virConnect:
        """A connection that is alive; raises Fault when libvirt cannot be reached."""
        with self._lock:
            if self._open is not None and self._is_alive(self._open):
                return self._open
            self._give_up()
            try:
                self._open = self._connect()
            except libvirt.libvirtError as error:
                raise refusal("Connecting to", f"libvirt at {self._uri}", said(error)) from error
            return self._open

    def close(self) -> None:
        """Let it go; guests run on."""
        with self._lock:
            self._give_up()

    def wait_until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in time; asked after each event, and each second in case one was lost. Events of
        other domains, however many, do not cut the time short.
        """
        deadline = self._monotonic() + seconds
        while not is_so():
            left = deadline - self._monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(_LOOK_SECONDS, left))
        return True

    def forget_refusal(self, domain: libvirt.virDomain, alias: str) -> None:
        """The guest is about to be asked for the device anew."""
        self._refusals.discard((domain.UUIDString(), alias))

    def has_refused(self, domain: libvirt.virDomain, alias: str) -> bool:
        """Whether the guest has said, since it was asked, that it does not let go of the device."""
        return (domain.UUIDString(), alias) in self._refusals

    def _connect(self) -> libvirt.virConnect:
        connection = libvirt.open(self._uri)
        event = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        connection.domainEventRegisterAny(None, event, self._on_lifecycle, None)
        removed, kept = (
            libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
            libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
        )
        connection.domainEventRegisterAny(None, removed, self._on_device_removed, None)
        connection.domainEventRegisterAny(None, kept, self._on_device_kept, None)
        connection.registerCloseCallback(self._on_close, None)
        try:
            connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_COUNT)
        except libvirt.libvirtError as error:
            # A driver inside this process (test:///) has no other end to keep alive.
            _log.debug("no_keepalive", uri=self._uri, answer=said(error))
        return connection

    def _give_up(self) -> None:
        if self._open is None:
            return
        try:
            self._open.close()
        except libvirt.libvirtError as error:
            _log.debug("libvirt_not_closed", uri=self._uri, answer=said(error))
        self._open = None

    def _is_alive(self, connection: libvirt.virConnect) -> bool:
        try:
            return connection.isAlive() == 1
        except libvirt.libvirtError:
            return False

    def _on_lifecycle(
        self, _connection: libvirt.virConnect, _domain: libvirt.virDomain, _event: int, _detail: int, _: None
    ) -> None:
        self._tell()

    def _on_device_removed(
        self, _connection: libvirt.virConnect, _domain: libvirt.virDomain, _alias: str, _: None
    ) -> None:
        self._tell()

    def _on_device_kept(
        self, _connection: libvirt.virConnect, domain: libvirt.virDomain, alias: str, _: None
    ) -> None:
        self._refusals.add((domain.UUIDString(), alias))
        self._tell()

    def _on_close(self, _connection: libvirt.virConnect, reason: int, _: None) -> None:
        _log.warning("libvirt_connection_lost", uri=self._uri, reason=reason)
        self._tell()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
        self._wake()


def said(error: libvirt.libvirtError) -> str:
    """What libvirt answered, in its own words."""
    return error.get_error_message() or str(error)


def _run_event_loop() -> None:
    """A process has one event loop for libvirt, which must be there before the first connection is opened.
    Its errors come as exceptions; it shall not print them as well.
    """
    with _loop_lock:
        if _loops:
            return
        libvirt.registerErrorHandler(_ignore, None)
        libvirt.virEventRegisterDefaultImpl()
        thread = Thread(target=_loop, name="libvirt-events", daemon=True)
        _loops.append(thread)
        thread.start()


def _loop() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError as error:
            _log.warning("libvirt_events_failed", answer=said(error))


def _ignore(_context: None, _error: tuple[object, ...]) -> None:
    """Nothing: see _run_event_loop."""
