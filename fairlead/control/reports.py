"""What a host tells: applied whole, in one transaction, once, in the order in which it was made."""

from dataclasses import replace

from fairlead.control.assignments import caught_up
from fairlead.control.boundary import Tx, host_wake, server_wake
from fairlead.control.guest_reports import note_failures, note_guests, note_wired
from fairlead.control.holds import holds_of, note_holds
from fairlead.control.releases import release
from fairlead.control.stocktaking import take_stock
from fairlead.hoststate.report import HostEvent, Report
from fairlead.model.host import Host
from fairlead.model.ids import HostId
from fairlead.model.server import Event
from fairlead.wire.documents import Receipt


def apply(tx: Tx, host_id: HostId, report: Report) -> Receipt:
    """The generation that the host is to have now. A report that is not newer than the last is dropped, so a
    repeated or late one does nothing. Raises NotFound.

    A generation that this database never gave (it was restored from a copy) counts as none: what it says of
    bindings and devices is of another history.
    """
    host = tx.hosts.lock(host_id)
    if report.serial <= host.report_serial:
        return Receipt(host.generation)
    generation = report.generation if report.generation <= host.generation else 0
    host = _noted(tx, caught_up(tx, host, report.generation), report, generation)
    _record(tx, host, report.events)
    stock = take_stock(tx, host, report.observed, generation)
    host = note_holds(tx, host, (*report.holds, *holds_of(tx, report.failures)), generation)
    note_wired(tx, host, report.wired, generation)
    failed = note_failures(tx, host, report.failures, generation)
    went_down = note_guests(tx, host, report.observed.guests, failed, generation)
    guests = frozenset(guest.server_id for guest in report.observed.guests)
    has_freed = release(tx, host, stock.sightings, guests, generation)
    if stock.is_news or went_down or has_freed:
        tx.wakes.add(host_wake(host_id))
        host = tx.hosts.put(replace(host, generation=host.generation + 1))
    return Receipt(host.generation)


def _noted(tx: Tx, host: Host, report: Report, generation: int) -> Host:
    return tx.hosts.put(
        replace(
            host,
            last_seen_at=tx.now,
            report_serial=report.serial,
            agent_version=report.agent_version,
            capacity=report.observed.capacity,
            generation_seen=max(host.generation_seen, generation),
        )
    )


def _record(tx: Tx, host: Host, events: tuple[HostEvent, ...]) -> None:
    """Before all that control concludes of the report: what led to it was first. An agent that did not learn
    that its report was taken sends its events again: at least once is kept.
    """
    servers = {server.id: server.name for server in (tx.servers.find(host_id=host.id) if events else ())}
    for event in events:
        name = servers.get(event.server_id, event.server_id) if event.server_id else None
        who = f"Server {name} on host {host.name}" if name else f"Host {host.name}"
        message = f"{who}: {event.message}"
        tx.record(Event(0, event.at, event.kind, event.subject, message, host.id, event.server_id))
        if event.server_id is not None:
            tx.wakes.add(server_wake(event.server_id))
