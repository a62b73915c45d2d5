"""Hosts as the compute API counts them: a host, its compute service and its hypervisor are one thing, with one id.

Before 2.53 Nova's ids of these were numbers. A number of ours is made of the host's id, the same for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.api.compute.microversions import Microversion
from fairlead.control.boundary import Tx
from fairlead.control.host_rules import zones_by_host
from fairlead.control.hosts import Liveness, liveness
from fairlead.model.aggregate import DEFAULT_ZONE
from fairlead.model.errors import NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId
from fairlead.model.server import Server

BY_ID: Microversion = (2, 53)
"""From here on hosts have their own ids."""
_DIGITS = 13
"""52 bits: what every JSON reader keeps exactly."""


@dataclass(frozen=True, slots=True)
class HostRows:
    """A host, whether its agent is there, its servers, and its availability zone."""

    host: Host
    is_up: bool
    servers: tuple[Server, ...]
    zone: str


def all_rows(tx: Tx) -> Sequence[HostRows]:
    """Every host."""
    return rows_of(tx, tx.hosts.find())


def rows_of(tx: Tx, hosts: tuple[Host, ...]) -> Sequence[HostRows]:
    """Those hosts."""
    servers = tx.servers.find(host_id=tuple(host.id for host in hosts)) if hosts else ()
    zones = zones_by_host(tx.aggregates.find())
    return [
        HostRows(
            host,
            liveness(host, tx.now) is Liveness.ALIVE,
            tuple(server for server in servers if server.host_id == host.id),
            zones.get(host.id, DEFAULT_ZONE),
        )
        for host in hosts
    ]


def shown_id(version: Microversion, host: Host) -> str | int:
    """The id that a host has in that microversion."""
    return host.id if version >= BY_ID else int(host.id.replace("-", "")[:_DIGITS], 16)


def host_by(tx: Tx, version: Microversion, key: str) -> Host:
    """The host that a path names; raises NotFound."""
    if version >= BY_ID:
        return tx.hosts.fetch(HostId(key))
    found = next((host for host in tx.hosts.find() if str(shown_id(version, host)) == key), None)
    if found is None:
        raise NotFound("host", key)
    return found
