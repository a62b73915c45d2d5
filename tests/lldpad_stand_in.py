"""A process's end of netlink that answers as lldpad does, by a script: for what the real one does once in a while."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from uuid import UUID

from fairlead.linux.message import attribute, nested, parts
from fairlead.linux.witness import Heard, Listen, Witness
from fairlead.model.vsi import VsiReading, VsiState

_HEADER = struct.Struct("=IHHII")
_GETLINK, _ERROR, _DONE = 18, 2, 3
_LINK = bytes(16)
_STOP = 0

Listed = tuple[str, int | None]
"""An instance and the response that is told with it, None while there is none."""


@dataclass(slots=True)
class Script:
    """What is answered. `lists`: one for each question, and the last for all after it. `refusals`: errno for each
    request, 0 for yes and after the last. `asked`: what was requested, as (request, instance), and `called` of which
    network device, as (ifindex, name). `on_request` is called before each is answered.
    """

    lists: list[tuple[Listed, ...]] = field(default_factory=lambda: [()])
    refusals: list[int] = field(default_factory=list)
    asked: list[tuple[int, str]] = field(default_factory=list)
    called: list[tuple[int, str]] = field(default_factory=list)
    on_request: Callable[[], None] = lambda: None
    is_silent: bool = False
    event_port: int = 0

    def answer(self, kind: int, body: bytes) -> tuple[int, bytes]:
        """Type and body of the answer to a message."""
        if kind == _GETLINK:
            listed = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
            return _DONE, _LINK + nested(24, *map(_port, listed))
        self.asked.append(_read(body))
        self.called.append(_read_device(body))
        self.on_request()
        refusal = self.refusals.pop(0) if self.refusals else 0
        return _ERROR, struct.pack("=i", -refusal) + bytes(_HEADER.size)


@dataclass(frozen=True, slots=True)
class Told:
    """A witness of a wire on which nothing was to be heard but `heard`."""

    heard: Heard

    def hear(self, seconds: float) -> Heard:
        """At once."""
        return self.heard


YES = Heard(VsiReading(VsiState.ASSOCIATED))


def told(heard: Heard = YES) -> Listen:
    """What each request hears on the wire."""

    @contextmanager
    def listen(*_: object) -> Iterator[Witness]:
        yield Told(heard)

    return listen


@contextmanager
def lldpad_stand_in(directory: Path, script: Script) -> Iterator[Path]:
    """In this thread's network namespace; the pid file that names it."""
    own = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    own.bind((0, 0))
    pid_file = directory / "lldpad.pid"
    pid_file.write_bytes(str(own.getsockname()[0]).encode() + bytes(8))
    thread = Thread(target=_serve, args=(own, script), daemon=True)
    thread.start()
    try:
        yield pid_file
    finally:
        own.settimeout(0.01)
        end = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        end.sendto(_HEADER.pack(_HEADER.size, _STOP, 0, 0, 0), own.getsockname())
        thread.join()
        end.close()
        own.close()


def _serve(own: socket.socket, script: Script) -> None:
    while True:
        try:
            message, sender = own.recvfrom(65536)
        except TimeoutError:
            continue
        _, kind, _, serial, event_port = _HEADER.unpack_from(message)
        if kind == _STOP:
            return
        script.event_port = event_port
        if script.is_silent:
            continue
        answer, body = script.answer(kind, message[_HEADER.size :])
        own.sendto(_HEADER.pack(_HEADER.size + len(body), answer, 0, serial, event_port) + body, sender)


def _port(listed: Listed) -> bytes:
    instance, response = listed
    own = attribute(4, UUID(instance).bytes) + attribute(1, struct.pack("=i", -1))
    return nested(1, own if response is None else own + attribute(7, struct.pack("=H", response)))


def _read(body: bytes) -> tuple[int, str]:
    said = dict(parts(dict(parts(dict(parts(body[16:]))[24]))[1]))
    return said[6][0], str(UUID(bytes=said[4]))


def _read_device(body: bytes) -> tuple[int, str]:
    name = dict(parts(body[16:]))[3]
    return struct.unpack_from("=i", body, 4)[0], name.rstrip(b"\0").decode()
