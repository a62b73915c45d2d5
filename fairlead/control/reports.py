"""What a host tells: applied whole, in one transaction, once, in the order in which it was made.

A report builds on the newest one that its agent knew to be applied (`Report.serial`), and is applied only while that
is the newest: who made one later and had it applied has moved the serial on. So one that was repeated, or was on its
way while its agent died and was started anew, does nothing, and an agent that knows no serial is told it.

What is refused of one server, or of one device, is left out, and its server and host say so; the rest is applied.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from fairlead.control import hosts
from fairlead.control.agent_words import MESSAGE_LIMIT, SUBJECT_LIMIT, WORD_LIMIT, said
from fairlead.control.assignments import caught_up
from fairlead.control.boundary import Tx, server_wake
from fairlead.control.generations import advance
from fairlead.control.guest_removals import without_gone
from fairlead.control.guest_reports import note_failures, note_guests, note_wired
from fairlead.control.holds import holds_of, note_holds
from fairlead.control.releases import release
from fairlead.control.report_parts import Parts, apply_in_parts, holds_of_refused, note_refused
from fairlead.control.stocktaking import take_stock
from fairlead.hoststate.possession import guests_with_all_devices
from fairlead.hoststate.report import HostEvent, Report
from fairlead.model.host import Host
from fairlead.model.ids import HostId
from fairlead.model.server import Event
from fairlead.wire.documents import Heartbeat, Receipt

_SKEW_LIMIT = timedelta(days=1)


def apply(tx: Tx, host_id: HostId, report: Report) -> Receipt:
    """The host's generation now, and whether the report was applied: it is when it follows the newest one.
    Raises NotFound, InvalidValue for a generation that no database can have given.

    A generation that this database never gave (it was restored from a copy) counts as none: what it says of
    bindings and devices is of another history.
    """
    host = tx.hosts.lock(host_id)
    if report.serial != host.report_serial + 1:
        return Receipt(host.generation, host.report_serial, is_taken=False)
    generation = report.generation if report.generation <= host.generation else 0
    noted = _noted(tx, caught_up(tx, host, report.generation), report, generation)
    _record(tx, noted, report.events)
    host, left_out = apply_in_parts(tx, lambda parts: _applied(tx, noted, report, generation, parts))
    note_refused(tx, host, left_out)
    return Receipt(host.generation, host.report_serial, is_taken=True)


def _applied(tx: Tx, host: Host, report: Report, generation: int, parts: Parts) -> Host:
    """The host, once all parts of the report are applied that are not left out."""
    stock = take_stock(tx, host, report.observed, generation, parts)
    holds = (*report.holds, *holds_of(tx, report.failures), *holds_of_refused(parts.left_out))
    host = note_holds(tx, host, holds, generation, parts)
    note_wired(tx, host, report.wired, generation, parts)
    failed = note_failures(tx, host, report.failures, generation, parts)
    went_down = note_guests(tx, host, guests_with_all_devices(report.observed), failed, generation, parts)
    guests = frozenset(guest.server_id for guest in report.observed.guests)
    has_freed = release(tx, host, stock.sightings, report.observed, generation, parts)
    told = without_gone(tx, host, guests)
    is_news = stock.is_news or went_down or has_freed or told != host
    return advance(tx, told) if is_news else host


def note_heartbeat(tx: Tx, host_id: HostId, heartbeat: Heartbeat) -> Receipt:
    """The host has reported, if all is as in the newest report applied; else its agent is to tell it whole.
    Raises NotFound.
    """
    host = tx.hosts.lock(host_id)
    is_taken = heartbeat.serial == host.report_serial
    if is_taken:
        hosts.reported(tx, host, heartbeat.serial)
    return Receipt(host.generation, host.report_serial, is_taken)


def _noted(tx: Tx, host: Host, report: Report, generation: int) -> Host:
    """A report that says what the one before it said leaves the host's revision as it is."""
    host = hosts.reported(tx, host, report.serial)
    changed = replace(
        host,
        agent_version=report.agent_version,
        capacity=report.observed.capacity,
        generation_seen=max(host.generation_seen, generation),
    )
    return host if changed == host else tx.hosts.put(changed)


def _record(tx: Tx, host: Host, events: tuple[HostEvent, ...]) -> None:
    """Before all that control concludes of the report: what led to it was first. An agent that did not learn
    that its report was taken sends its events again: at least once is kept. What names a server of another host
    is not that server's.
    """
    servers = {server.id: server.name for server in (tx.servers.find(host_id=host.id) if events else ())}
    for event in events:
        server_id = event.server_id if event.server_id in servers else None
        name = servers[server_id] if server_id else said(event.server_id or "", WORD_LIMIT)
        who = f"Server {name} on host {host.name}" if name else f"Host {host.name}"
        message = f"{who}: {said(event.message, MESSAGE_LIMIT)}"
        kind, subject = said(event.kind, WORD_LIMIT), said(event.subject, SUBJECT_LIMIT)
        tx.record(Event(0, _happened(event.at, tx.now), kind, subject, message, host.id, server_id))
        if server_id is not None:
            tx.wakes.add(server_wake(server_id))


def _happened(at: datetime, now: datetime) -> datetime:
    """The agent's time of it; now, where its clock is so far off that the time says nothing."""
    return at if at.tzinfo is not None and abs(now - at) <= _SKEW_LIMIT else now
