"""Netlink messages as bytes, and a socket that sends a request and collects its answers.

Sources: include/uapi/linux/netlink.h, netlink(7), Documentation/userspace-api/netlink/intro.rst. Why this is
not a library: docs/decisions/0004-netlink-spoken-directly.md.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from threading import Lock

from fairlead.linux.netlink import NetlinkRefusal

REQUEST, ACK, REPLACE, EXCLUSIVE, CREATE, DUMP = 0x1, 0x4, 0x100, 0x200, 0x400, 0x300
_ERROR, _DONE = 2, 3
_CAPPED, _ACK_TLVS, _INTERRUPTED = 0x100, 0x200, 0x10
_EXTACK_MESSAGE = 1
_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT_CHECK = 270, 10, 11, 12
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
# A PF's message can hold two attributes of 64 KiB (VFs, port profiles); a short buffer would cut it.
_BUFFER = 256 * 1024
_ANSWER_SECONDS = 60.0
_TRIES = 5


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute with its header, padded to four octets."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *children: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | _NESTED, b"".join(children))


def number(kind: int, value: int) -> bytes:
    """An attribute with an unsigned 32-bit number in host order."""
    return attribute(kind, struct.pack("=I", value))


def octet(kind: int, value: int) -> bytes:
    """An attribute with one octet."""
    return attribute(kind, bytes((value,)))


def short(kind: int, value: int) -> bytes:
    """An attribute with an unsigned 16-bit number in host order."""
    return attribute(kind, struct.pack("=H", value))


def string(kind: int, value: str) -> bytes:
    """An attribute with text, ended by a zero octet."""
    return attribute(kind, value.encode() + b"\0")


def parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes in `data`, in order. What is shorter than its own length says ends the list."""
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > len(data):
            return
        yield kind & _TYPE_MASK, data[offset + _ATTRIBUTE.size : offset + length]
        offset += length + (-length % 4)


class Channel:
    """A NETLINK_ROUTE socket of the network namespace it was made in. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._serial = 0
        self._buffer = bytearray(_BUFFER)
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        for option in (_CAP_ACK, _EXT_ACK, _STRICT_CHECK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.settimeout(_ANSWER_SECONDS)
        self._socket.bind((0, 0))

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def request(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        """Send one message; the bodies of its answers. Raises NetlinkRefusal with what the kernel said.

        A dump that changed while it was read is read again.
        """
        with self._lock:
            for _ in range(_TRIES):
                answers = self._exchange(kind, body, flags)
                if answers is not None:
                    return answers
        raise NetlinkRefusal(errno.EINTR, "the list changed each time while it was read")

    def _exchange(self, kind: int, body: bytes, flags: int) -> list[bytes] | None:
        self._serial += 1
        wanted = REQUEST | flags | (0 if flags & DUMP == DUMP else ACK)
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, wanted, self._serial, 0) + body)
        answers: list[bytes] = []
        interrupted = False
        while True:
            for answer, answer_flags, serial, content in _messages(self._receive()):
                if serial != self._serial:
                    continue  # of a request that timed out
                interrupted = interrupted or bool(answer_flags & _INTERRUPTED)
                if answer in (_ERROR, _DONE):
                    _raise_refusal(answer, answer_flags, content)
                    return None if interrupted else answers
                answers.append(content)

    def _receive(self) -> bytes:
        try:
            length, _, flags, _ = self._socket.recvmsg_into([self._buffer])
        except TimeoutError:
            said = f"the kernel has not answered for {_ANSWER_SECONDS:.0f} s"
            raise NetlinkRefusal(errno.ETIMEDOUT, said) from None
        if flags & socket.MSG_TRUNC:
            raise NetlinkRefusal(errno.EMSGSIZE, f"an answer of more than {_BUFFER} octets")
        return bytes(memoryview(self._buffer)[:length])


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, serial, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield kind, flags, serial, data[offset + _HEADER.size : offset + length]
        offset += length + (-length % 4)


def _raise_refusal(kind: int, flags: int, content: bytes) -> None:
    """NLMSG_ERROR carries errno, then the request's header (alone, if capped), then what else was said."""
    code = int(struct.unpack_from("=i", content)[0]) if len(content) >= struct.calcsize("=i") else 0
    if code >= 0:
        return
    said = ""
    if flags & _ACK_TLVS:
        said = _extended(content, 4 if kind == _DONE else _extended_start(flags, content))
    raise NetlinkRefusal(-code, said or os.strerror(-code))


def _extended_start(flags: int, content: bytes) -> int:
    if flags & _CAPPED:
        return 4 + _HEADER.size
    length = int(_HEADER.unpack_from(content, 4)[0])
    return 4 + length + (-length % 4)


def _extended(content: bytes, start: int) -> str:
    for kind, value in parts(content[start:]):
        if kind == _EXTACK_MESSAGE:
            return value.rstrip(b"\0").decode("utf-8", "replace")
    return ""
