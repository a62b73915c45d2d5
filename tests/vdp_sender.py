"""What asks lldpad for an association over netlink, until the agent's own client is there to do it."""

import socket
import struct
from uuid import UUID

GETLINK, SETLINK, ERROR = 18, 19, 2
NESTED = 0x8000
ASSOCIATE, DISASSOCIATE = 2, 3
PENDING = "pending"
MAC = bytes.fromhex("525400aabb01")


def attribute(kind, data):
    return (struct.pack("=HH", len(data) + 4, kind) + data).ljust((len(data) + 7) & ~3, b"\0")


def attributes(data):
    at, found = 0, []
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        found.append((kind & 0x3FFF, data[at + 4 : at + size]))
        at += (size + 3) & ~3
    return found


class Sender:
    def __init__(self, pid_file, uplink):
        self.pid = int(pid_file.read_text().strip("\0 \n"))
        self.uplink, self.index, self.sequence = uplink, socket.if_nametoindex(uplink), 0
        self.commands, self.news = self._open(), self._open()

    def _open(self):
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        made.bind((0, 0))
        made.settimeout(5)
        return made

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.commands.close()
        self.news.close()

    def _ask(self, kind, body):
        self.sequence += 1
        body = struct.pack("=BxHiII", 0, 0, self.index, 0, 0) + body
        head = struct.pack("=IHHII", len(body) + 16, kind, 5, self.sequence, self.news.getsockname()[0])
        self.commands.sendto(head + body, (self.pid, 0))
        return self.commands.recv(65536)

    def request(self, operation, instance, vlan=100):
        vf = attribute(1, struct.pack("=I", 0xFFFFFFFF) + MAC.ljust(32, b"\0"))
        vf += attribute(2, struct.pack("=III", 0xFFFFFFFF, vlan, 0))
        vsi = attribute(3, bytes([11, *(0x123456).to_bytes(3, "little"), 2, 0, 0, 0]))
        port = vsi + attribute(4, instance.bytes) + attribute(6, bytes([operation]))
        answer = self._ask(
            SETLINK,
            attribute(3, self.uplink.encode() + b"\0")
            + attribute(NESTED | 22, attribute(NESTED | 1, vf))
            + attribute(NESTED | 24, attribute(NESTED | 1, port)),
        )
        return struct.unpack_from("=i", answer, 16)[0]

    def responses(self):
        """By instance; OSError when lldpad has none."""
        answer = self._ask(GETLINK, attribute(29, struct.pack("=I", 1)))
        if struct.unpack_from("=H", answer, 4)[0] == ERROR:
            raise OSError(-struct.unpack_from("=i", answer, 16)[0], "lldpad has no list")
        found = {}
        for kind, ports in attributes(answer[32:]):
            for _, port in attributes(ports) if kind == 24 else ():
                said = dict(attributes(port))
                response = said.get(7)
                found[UUID(bytes=said[4])] = (
                    PENDING if response is None else struct.unpack("=H", response[:2])[0]
                )
        return found
