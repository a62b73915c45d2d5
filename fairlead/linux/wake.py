"""When to look at the host: the kernel says that a link, an address, a traffic rule or a device has changed.

What it says is not read further: an event wakes a tick, and the tick looks for itself. So a lost event costs
nothing but a wait, and a flood of them (ENOBUFS) is one more reason to look.

Sources: include/uapi/linux/rtnetlink.h (groups), netlink(7), Documentation/core-api/kobject.rst (uevents),
net/core/rtnetlink.c: a VF's settings, written by anybody, send RTM_NEWLINK of the PF while it is up.
"""

import errno
import os
import selectors
import socket
from collections.abc import Callable
from threading import Thread
from typing import Self

import structlog

_NETLINK_KOBJECT_UEVENT = 15
_KERNEL_UEVENTS = 1
_GROUP_LINK, _GROUP_TC, _GROUP_IPV4_ADDRESS, _GROUP_IPV6_ADDRESS = 1, 4, 5, 9
_GROUPS = sum(
    1 << (group - 1) for group in (_GROUP_LINK, _GROUP_TC, _GROUP_IPV4_ADDRESS, _GROUP_IPV6_ADDRESS)
)
_SUBSYSTEMS = (b"SUBSYSTEM=pci", b"SUBSYSTEM=net")
_LARGEST_EVENT = 1 << 16

_log = structlog.get_logger("fairlead.linux")


class LinkEvents:
    """Calls `wake` after each event, from a thread of its own, until closed. Of the network namespace and
    the devices that this process sees. `others`: netlink sockets that do not block; a message there is an
    event, too.
    """

    def __init__(self, wake: Callable[[], None], *others: socket.socket) -> None:
        self._wake = wake
        self._others = others
        self._links = _subscribe(socket.NETLINK_ROUTE, _GROUPS)
        self._devices = _subscribe(_NETLINK_KOBJECT_UEVENT, _KERNEL_UEVENTS)
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        self._thread = Thread(target=self._run, name="link-events", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Return once no more wakes come."""
        os.write(self._stop_write, b"\0")
        self._thread.join()
        self._links.close()
        self._devices.close()
        os.close(self._stop_read)
        os.close(self._stop_write)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._links, selectors.EVENT_READ, _is_any)
            selector.register(self._devices, selectors.EVENT_READ, concerns_us)
            for other in self._others:
                selector.register(other, selectors.EVENT_READ, _is_any)
            selector.register(self._stop_read, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == self._stop_read:
                        return
                    if isinstance(key.fileobj, socket.socket) and _has_news(key.fileobj, key.data):
                        self._wake()


class KernelLinkChanges:
    """netlink.LinkChanges of the network namespace of this process; closed when its block ends."""

    def __init__(self) -> None:
        self._source = _subscribe(socket.NETLINK_ROUTE, 1 << (_GROUP_LINK - 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def wait(self, seconds: float) -> bool:
        """See LinkChanges.wait."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._source, selectors.EVENT_READ)
            return bool(selector.select(seconds)) and _has_news(self._source, _is_any)


def concerns_us(uevent: bytes) -> bool:
    """Whether a uevent is of a PCI or network device: `action@path`, then KEY=value, each ended by zero."""
    return any(part in _SUBSYSTEMS for part in uevent.split(b"\0"))


def _is_any(_: bytes) -> bool:
    return True


def _has_news(source: socket.socket, is_news: Callable[[bytes], bool]) -> bool:
    """Read all that is there, so that a burst is one wake."""
    found = False
    while True:
        try:
            found = is_news(source.recv(_LARGEST_EVENT)) or found
        except BlockingIOError:
            return found
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            _log.info("link_events_lost")
            found = True


def _subscribe(family: int, groups: int) -> socket.socket:
    source = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, family
    )
    source.bind((0, groups))
    return source
