"""What guests wrote to their disks is there for as long as their servers, but for what their owners gave up."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fairlead.model.ids import HostId, ServerId
from fairlead.model.server import Server
from fairlead.sim.disks import SimDisk
from fairlead.sim.fleet import SimHost

_WORD = "word "


@dataclass(slots=True)
class _Known:
    """A disk as its guest left it. `floor`: what was on it when its resize was asked for, which going back keeps; None
    while nothing may go back.
    """

    serial: int
    written: tuple[str, ...]
    floor: tuple[str, ...] | None = None


@dataclass(slots=True)
class DiskJudge:
    """Guests that are up write a word each time that it looks. `mishaps`: disks that lost a word, in words."""

    mishaps: list[str] = field(default_factory=list)
    _known: dict[ServerId, _Known] = field(default_factory=dict)
    _count: int = 0

    def look(self, servers: Iterable[Server], hosts: dict[HostId, SimHost]) -> None:
        """What is on the disks now, beside what was; then guests write on."""
        for server in servers:
            host = hosts.get(server.host_id) if server.host_id else None
            if host is None or server.id not in host.disks.roots:
                continue
            self._compare(server, host)
            domain = host.machine.domains.get(f"fl-{server.id}")
            if domain is not None and domain.is_up:
                self._write(server.id, host)

    def missing(self, servers: Iterable[Server], hosts: dict[HostId, SimHost]) -> list[ServerId]:
        """Servers at rest that have no disk, though it was seen."""
        return [
            server.id
            for server in servers
            if server.id in self._known and server.host_id and server.has_disk
            if server.id not in hosts[server.host_id].disks.roots
        ]

    def _compare(self, server: Server, host: SimHost) -> None:
        disk, known = host.disks.roots[server.id], self._known.get(server.id)
        found = _words(disk)
        if known is None:
            self._known[server.id] = _Known(disk.serial, found, None if server.resize is None else ())
            return
        if disk.serial != known.serial:
            if not known.serial < disk.serial <= server.disk_serial:
                self.mishaps.append(f"{server.id} has disk {disk.serial} in place of {known.serial}, unasked")
            known.serial, known.written, known.floor = disk.serial, found, None
        elif found != known.written:
            floor = known.floor
            if floor is None or found[: len(floor)] != floor:
                self.mishaps.append(f"{server.id} has {found}, and wrote {known.written}")
            known.written = found
        if server.resize is None:
            known.floor = None
        elif known.floor is None:
            known.floor = known.written

    def _write(self, server_id: ServerId, host: SimHost) -> None:
        self._count += 1
        disk = host.disks.roots[server_id]
        host.disks.roots[server_id] = written = replace(
            disk, written=(*disk.written, f"{_WORD}{self._count}")
        )
        self._known[server_id].written = _words(written)


def _words(disk: SimDisk) -> tuple[str, ...]:
    return tuple(word for word in disk.written if word.startswith(_WORD))
