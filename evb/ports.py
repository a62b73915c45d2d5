"""Where a bridge's wire is: a network interface, or the datagrams that QEMU makes of a hub's frames."""

import socket
import struct
from pathlib import Path
from typing import Protocol

from evb.frames import NEAREST_BRIDGE, NEAREST_CUSTOMER_BRIDGE

# linux/if_packet.h and asm-generic/socket.h; Python names neither.
_SOL_PACKET, _ADD_MEMBERSHIP, _MULTICAST = 263, 1, 0
_MEMBERSHIP = struct.Struct("=iHH8s")
_EVERY_PROTOCOL = 0x0003
_LONGEST_FRAME = 65536
_OF_NOBODY = bytes.fromhex("020000be0001")


class Port(Protocol):
    """A wire. It has a descriptor to wait on."""

    mac: bytes
    name: str

    def fileno(self) -> int:
        """Readable when there is something to receive."""
        ...

    def receive(self) -> bytes | None:
        """The next frame; empty for one that is not for us, None when the wire went dead."""
        ...

    def send(self, octets: bytes) -> None:
        """Put a frame on the wire; one that is dead swallows it."""
        ...

    def close(self) -> None:
        """Leave it."""
        ...


class InterfacePort:
    """A network interface of the network namespace in which this is made, such as one end of a veth."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
        self._socket.bind((name, 0))
        index = socket.if_nametoindex(name)
        for group in (NEAREST_CUSTOMER_BRIDGE, NEAREST_BRIDGE):
            joined = _MEMBERSHIP.pack(index, _MULTICAST, len(group), group)
            self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, joined)
        self.mac: bytes = self._socket.getsockname()[4]

    def fileno(self) -> int:
        """Readable when there is something to receive."""
        return self._socket.fileno()

    def receive(self) -> bytes | None:
        """The next frame; the kernel tells once, by ENETDOWN, that the interface went down."""
        try:
            octets, address = self._socket.recvfrom(_LONGEST_FRAME)
        except OSError:
            return None
        return b"" if address[2] == socket.PACKET_OUTGOING else octets

    def send(self, octets: bytes) -> None:
        """Put a frame on the wire."""
        send(self._socket, octets)

    def close(self) -> None:
        """Leave it."""
        self._socket.close()


class DatagramPort:
    """The end of a `-netdev dgram` of QEMU: each datagram is a frame. `own` is made here, `peer` by QEMU."""

    mac = _OF_NOBODY

    def __init__(self, own: Path, peer: Path) -> None:
        self.name = own.name
        self._peer = str(peer)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(own))

    def fileno(self) -> int:
        """Readable when there is something to receive."""
        return self._socket.fileno()

    def receive(self) -> bytes | None:
        """The next frame; a hub never dies."""
        return self._socket.recv(_LONGEST_FRAME)

    def send(self, octets: bytes) -> None:
        """Put a frame on the wire."""
        send(self._socket, octets, self._peer)

    def close(self) -> None:
        """Leave it."""
        self._socket.close()


def send(own: socket.socket, octets: bytes, peer: str | None = None) -> None:
    """A frame that the wire does not take is lost, as on any: ENETDOWN of an interface, ENOENT where QEMU ended."""
    try:
        if peer is None:
            own.send(octets)
        else:
            own.sendto(octets, peer)
    except OSError:
        return
