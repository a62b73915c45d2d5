"""What a host holds back, by the names that people know; an event when a hold begins, and when it ends."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from fairlead.control.agent_words import MESSAGE_LIMIT, SUBJECT_LIMIT, said
from fairlead.control.boundary import Tx
from fairlead.control.events import tell_host, tell_server
from fairlead.control.report_parts import Parts, about_server
from fairlead.hoststate.report import SubjectFailure
from fairlead.model.errors import Failure
from fairlead.model.host import Hold, Host
from fairlead.model.pci import DeviceKind
from fairlead.model.server import Server, ServerStatus
from fairlead.placement.snapshot import label

HELD_BACK = "held_back"
"""The code of the fault of a server that waits for a hold to end."""


def holds_of(tx: Tx, failures: Iterable[SubjectFailure]) -> tuple[Hold, ...]:
    """Failures that are no server's and leave no traces of one: something is not as it should be, and the host
    tries again and again.
    """
    found = (_hold_of(tx, f) for f in failures if f.server_id is None and not f.leaves_traces)
    return tuple(dict.fromkeys(found))


def _hold_of(tx: Tx, failed: SubjectFailure) -> Hold:
    device = tx.devices.get(failed.device_id) if failed.device_id else None
    failure = failed.failure
    what = f"{failure.doing[:1].lower()}{failure.doing[1:]} {failure.subject}"
    hint = f". {failure.hint.rstrip('.')}" if failure.hint else ""
    return Hold(device.pci_address if device else failure.subject, what, f"{failure.answer}{hint}")


def note_holds(tx: Tx, host: Host, reported: Sequence[Hold], generation: int, parts: Parts) -> Host:
    """The locked host with the holds of its newest report. One that goes on is told once, also while those it
    waits for change. A server that waits for one says so, and while; `generation` is what the host had acted on.
    """
    holds = _named(tx, host, reported) if reported else ()
    if any(hold.server_id for hold in (*host.holds, *holds)):
        _note_waits(tx, host, holds, generation, parts)
    before, now = _by_deed(host.holds), _by_deed(holds)
    for deed in (deed for deed in now if deed not in before):
        tell_host(tx, host, "hold_began", _began(now[deed]))
    for subject, what in (deed for deed in before if deed not in now):
        tell_host(tx, host, "hold_ended", f"{subject}: {what} is held back no more.")
    return host if holds == host.holds else tx.hosts.put(replace(host, holds=holds))


def _named(tx: Tx, host: Host, reported: Sequence[Hold]) -> tuple[Hold, ...]:
    """The agent knows addresses and ids, its own host's too. What is neither is in words already."""
    servers: dict[str, str] = {
        server.id: f"server {server.name}" for server in tx.servers.find(host_id=host.id)
    }
    pfs: dict[str, str] = {
        device.pci_address: f"PF {label(device)}"
        for device in tx.devices.find(host_id=host.id, kind=DeviceKind.PF)
    }
    return tuple(
        _left_out(hold, servers[hold.subject])
        if hold.is_unnamed_guest and hold.subject in servers
        else replace(
            hold,
            subject=said(pfs.get(hold.subject, hold.subject), SUBJECT_LIMIT),
            what=said(
                hold.what.replace(f"server {hold.server_id}", servers.get(hold.server_id or "", "a server")),
                MESSAGE_LIMIT,
            ),
            reason=said(hold.reason.replace(host.id, host.name), MESSAGE_LIMIT),
            holders=tuple(said(servers.get(holder, holder), SUBJECT_LIMIT) for holder in hold.holders),
        )
        for hold in reported
    )


def _left_out(hold: Hold, who: str) -> Hold:
    """The guest of a server that is here: to be mended, not to be removed."""
    why = f"the host cannot be told how it shall be, so all of it stays as it is: see the fault of {who}"
    return replace(
        hold, subject=who, what="changing anything of its guest", reason=why, is_unnamed_guest=False
    )


def _note_waits(tx: Tx, host: Host, holds: Sequence[Hold], generation: int, parts: Parts) -> None:
    """It is no failure: the server stays what it is, and goes on when the hold ends."""
    waits = {hold.server_id: hold for hold in reversed(holds) if hold.server_id}
    for server in tx.servers.find(host_id=host.id):
        if server.status in {ServerStatus.DELETING, ServerStatus.ERROR} or server.generation > generation:
            continue
        failure = _wait(server, waits[server.id]) if server.id in waits else None
        was_waiting = server.fault is not None and server.fault.code == HELD_BACK
        if failure == server.fault or not (failure or was_waiting):
            continue
        parts.apply(about_server(server), "for what it waits", partial(_note_wait, tx, server, failure))


def _note_wait(tx: Tx, server: Server, failure: Failure | None) -> None:
    saved = tx.servers.put(replace(server, fault=failure, fault_at=tx.now if failure else None))
    if failure is not None:
        tell_server(tx, saved, "server_waits", f"Server {server.name} waits: {failure.answer}.")


def _wait(server: Server, hold: Hold) -> Failure:
    by = f" ({', '.join(hold.holders)})" if hold.holders else ""
    answer = f"{hold.subject} cannot be its device now: {hold.reason}{by}"
    return Failure(
        HELD_BACK, "Starting", f"server {server.name}", answer, "It starts as soon as that is over."
    )


def _by_deed(holds: Sequence[Hold]) -> dict[tuple[str, str], Hold]:
    return {(hold.subject, hold.what): hold for hold in holds}


def _began(hold: Hold) -> str:
    waits = f", and waits for {', '.join(hold.holders)}" if hold.holders else ""
    return f"{hold.subject}: {hold.what} is held back{waits}: {hold.reason}."
