"""Ports, whose addresses are kept twice: in the port for reading, in a table of their own for uniqueness."""

from fairlead.model.port import Port
from fairlead.store.rows import Mapped, SqlRows
from fairlead.store.session import Session
from fairlead.store.tables.networking import HeldAddress


class PortRows(SqlRows[Port]):
    """All ports. Every write keeps the addresses in step; they go with their port by the foreign key."""

    __slots__ = ("_addresses",)

    def __init__(self, session: Session, noun: Mapped[Port], addresses: SqlRows[HeldAddress]) -> None:
        super().__init__(session, noun)
        self._addresses = addresses

    def add(self, row: Port) -> None:
        """Insert; also raises Conflict `ip_in_use`."""
        super().add(row)
        for address in _held(row):
            self._addresses.add(address)

    def put(self, row: Port) -> Port:
        """Replace; also raises Conflict `ip_in_use`."""
        changed = super().put(row)
        before, after = self._addresses.find(port_id=row.id), _held(row)
        for address in before:
            if address not in after:
                self._addresses.remove((address.subnet_id, address.ip_address))
        for address in after:
            if address not in before:
                self._addresses.add(address)
        return changed


def _held(port: Port) -> tuple[HeldAddress, ...]:
    return tuple(HeldAddress(ip.subnet_id, ip.ip_address, port.id) for ip in port.fixed_ips)
