"""What a host holds back, by the names that people know; an event when a hold begins, and when it ends."""

from collections.abc import Sequence
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.events import tell_host
from fairlead.model.host import Hold, Host
from fairlead.model.pci import DeviceKind
from fairlead.placement.snapshot import label


def note_holds(tx: Tx, host: Host, reported: Sequence[Hold]) -> Host:
    """The locked host with the holds of its newest report. One that goes on is told once, also while those it
    waits for change.
    """
    holds = _named(tx, host, reported) if reported else ()
    before, now = _by_deed(host.holds), _by_deed(holds)
    for deed in (deed for deed in now if deed not in before):
        tell_host(tx, host, "hold_began", _began(now[deed]))
    for subject, what in (deed for deed in before if deed not in now):
        tell_host(tx, host, "hold_ended", f"{subject}: {what} is held back no more.")
    return host if holds == host.holds else tx.hosts.put(replace(host, holds=holds))


def _named(tx: Tx, host: Host, reported: Sequence[Hold]) -> tuple[Hold, ...]:
    """The agent knows addresses and ids. What is neither is in words already."""
    servers: dict[str, str] = {
        server.id: f"server {server.name}" for server in tx.servers.find(host_id=host.id)
    }
    pfs: dict[str, str] = {
        device.pci_address: f"PF {label(device)}"
        for device in tx.devices.find(host_id=host.id, kind=DeviceKind.PF)
    }
    return tuple(
        replace(
            hold,
            subject=pfs.get(hold.subject, hold.subject),
            holders=tuple(servers.get(holder, holder) for holder in hold.holders),
        )
        for hold in reported
    )


def _by_deed(holds: Sequence[Hold]) -> dict[tuple[str, str], Hold]:
    return {(hold.subject, hold.what): hold for hold in holds}


def _began(hold: Hold) -> str:
    waits = f", and waits for {', '.join(hold.holders)}" if hold.holders else ""
    return f"{hold.subject}: {hold.what} is held back{waits}: {hold.reason}."
