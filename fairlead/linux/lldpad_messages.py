"""Netlink messages that go to lldpad and back: from process to process, not to the kernel (docs/decisions/0004).

Answers come from lldpad's own process, so what another port number sends is no answer. Messages that nobody asked for
go to the socket that the request named; what they say is not read: see `wake`.
"""

import errno
import os
import socket
import struct
from pathlib import Path
from threading import Lock

from fairlead.linux.message import ACK, REQUEST
from fairlead.linux.netlink import NetlinkRefusal

_ERROR = 2
_HEADER = struct.Struct("=IHHII")
_BUFFER = 256 * 1024
_EVENT_PORT = 0x0046_4C56
"""Above every process id (PID_MAX_LIMIT, 2^22), which netlink gives as port numbers. Always the same, so that what
lldpad has to tell of VSIs that an agent before this one asked for comes here.
"""


class Messages:
    """Made in lldpad's network namespace; close it after use. Thread-safe. `seconds`: how long lldpad may take."""

    def __init__(self, pid_file: Path, seconds: float) -> None:
        self._pid_file = pid_file
        self._seconds = seconds
        self._talk = Lock()
        self._serial = 0
        self._requests = _bound(0)
        self._requests.settimeout(seconds)
        self.events = _events()
        """Where lldpad tells what nobody asked for."""

    def close(self) -> None:
        """Give the sockets back."""
        self._requests.close()
        self.events.close()

    def exchange(self, kind: int, body: bytes) -> bytes:
        """One message, and the body of its answer. Raises NetlinkRefusal."""
        with self._talk:
            self._serial += 1
            lldpad, own = self.port(), int(self.events.getsockname()[0])
            header = _HEADER.pack(_HEADER.size + len(body), kind, REQUEST | ACK, self._serial, own)
            try:
                self._requests.sendto(header + body, (lldpad, 0))
                return self._received(lldpad)
            except TimeoutError:
                said = f"lldpad has not answered for {self._seconds:.0f} s"
                raise NetlinkRefusal(errno.ETIMEDOUT, said) from None
            except OSError as error:
                number = error.errno or errno.EIO
                raise NetlinkRefusal(number, error.strerror or os.strerror(number)) from error

    def port(self) -> int:
        """Of lldpad: its process id. The file is filled up with zero octets."""
        try:
            said = self._pid_file.read_bytes().partition(b"\0")[0].strip()
        except FileNotFoundError:
            raise NetlinkRefusal(errno.ENOENT, f"lldpad does not run: there is no {self._pid_file}") from None
        if not said.isdigit() or not int(said):  # port 0 is the kernel
            raise NetlinkRefusal(errno.ENOENT, f"lldpad does not run: {self._pid_file} names no process")
        return int(said)

    def _received(self, lldpad: int) -> bytes:
        """Of the answer to what was asked last: not of one that was given up, nor of another process."""
        while True:
            data, (sender, _) = self._requests.recvfrom(_BUFFER)
            if sender != lldpad or len(data) < _HEADER.size:
                continue
            length, kind, _, serial, _ = _HEADER.unpack_from(data)
            if serial == self._serial:
                body = data[_HEADER.size : length]
                if kind == _ERROR:
                    _raise_refusal(body)
                return body


def _raise_refusal(body: bytes) -> None:
    number = -int(struct.unpack_from("=i", body)[0])
    if number:
        raise NetlinkRefusal(number, os.strerror(number))


def _bound(port: int) -> socket.socket:
    found = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    try:
        found.bind((port, 0))
    except OSError:
        found.close()
        raise
    return found


def _events() -> socket.socket:
    """On the lasting port; on any where somebody has that, and then a lost VSI is seen at the next look."""
    try:
        events = _bound(_EVENT_PORT)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        events = _bound(0)
    events.settimeout(0)
    return events
