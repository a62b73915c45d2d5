"""`fairlead server attach` and `detach`: NICs of servers that are there."""

from collections.abc import Callable
from functools import partial
from typing import cast

import click

from fairlead.cli.completing import complete_nic, completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import choose, find, listed, names
from fairlead.cli.nics import parse_nic
from fairlead.cli.output import progress
from fairlead.cli.waiting import Wait, events_after, last_event
from fairlead.client.session import ClientError, Json, Session

_SERVERS = "/compute/v2.1/servers"
_PORTS = "/network/v2.0/ports"
_KEYS = {"uuid": "net_id", "port": "port_id"}
"""What an item of --nic is called as an attachment."""
_TROUBLES = frozenset({"server_troubled", "server_failed"})


@click.command()
@click.argument("name", shell_complete=completes("server"))
@click.option(
    "--nic",
    required=True,
    metavar="KEY=VALUE,...",
    shell_complete=complete_nic,
    help="As of `server create`: network=NAME or port=NAME, and what the NIC shall be like.",
)
@click.option("--wait", is_flag=True, help="Until the guest has it, or cannot have it.")
@pass_invocation
def attach(invocation: Invocation, name: str, nic: str, *, wait: bool) -> None:
    """Give a server one more NIC; its guest goes on meanwhile.

    A device is held on the server's host, set as the port says, and plugged in.
    """
    session = invocation.session
    identity = str(find(session, f"{_SERVERS}/detail", "server", name)["id"])
    seen = last_event(session, identity) if wait else 0
    body: Json = {"interfaceAttachment": _attachment(parse_nic(session, nic))}
    made = cast("Json", session.post(f"{_SERVERS}/{identity}/os-interface", body)["interfaceAttachment"])
    port_id = str(made["port_id"])
    progress(f"Port {port_id} is to be attached to server {name}.")
    if wait:
        _wait(Wait(session, identity, name, seen), port_id, partial(_is_wired, session, port_id), "attached")


@click.command()
@click.argument("name", shell_complete=completes("server"))
@click.argument("port", metavar="PORT|MAC", shell_complete=completes("port"))
@click.option("--wait", is_flag=True, help="Until the guest has let go of it and its device is clean.")
@click.option(
    "--force",
    is_flag=True,
    help="Also from a guest that does not let go: reboots the server HARD, without asking its guest, which starts "
    "without the NIC. Nothing else can take a device from a guest that holds it.",
)
@pass_invocation
def detach(invocation: Invocation, name: str, port: str, *, wait: bool, force: bool) -> None:
    """Take a NIC from a server; its guest goes on meanwhile.

    The guest is asked to let go of it, and asked again until it does; nobody else gets the device before, and it is
    scrubbed first. The NIC is named by its port's name or id, the first eight digits of that, or its MAC.
    """
    session = invocation.session
    identity = str(find(session, f"{_SERVERS}/detail", "server", name)["id"])
    port_id = _attached(session, identity, name, port)
    seen = last_event(session, identity) if wait else 0
    session.delete(f"{_SERVERS}/{identity}/os-interface/{port_id}")
    progress(f"Port {port} is to be detached from server {name}.")
    if force:
        session.post(f"{_SERVERS}/{identity}/action", {"reboot": {"type": "HARD"}})
        progress(f"Server {name} is asked to reboot, by power.")
    if wait:
        is_gone = partial(_is_detached, session, identity, port_id)
        _wait(Wait(session, identity, name, seen), port_id, is_gone, "detached", stops_at_error=not force)


def _attached(session: Session, server_id: str, name: str, wanted: str) -> str:
    """The server's port that is called so, whatever other servers' are called. Raises ClientError."""
    named = names(session, _PORTS)
    nics = [
        {"id": nic["port_id"], "name": named.get(str(nic["port_id"])), "mac_address": nic["mac_addr"]}
        for nic in listed(session, f"{_SERVERS}/{server_id}/os-interface")
    ]
    try:
        return str(choose(nics, "port", wanted)["id"])
    except ClientError as error:
        if error.code != "not_found":
            raise
        raise ClientError(
            f"No port '{wanted}' is attached to server {name}.",
            code=error.code,
            hint=f"`fairlead server show {name}` shows its NICs.",
        ) from error


def _attachment(item: Json) -> Json:
    found = {_KEYS.get(key, key): value for key, value in item.items()}
    address = found.pop("fixed_ip", None)
    return {**found, "fixed_ips": [{"ip_address": address}]} if address else found


def _wait(
    wait: Wait, port_id: str, is_done: Callable[[], bool], what: str, *, stops_at_error: bool = True
) -> None:
    """Until it is done; fails where the port is in ERROR meanwhile: the agent goes on trying."""
    session = wait.session

    def is_over(server: Json) -> bool:
        return server["status"] == "ERROR" or is_done() or (stops_at_error and _failed(session, port_id))

    found = wait.until(is_over)
    if found is None:
        raise ClientError(f"Server {wait.name} was deleted meanwhile.")
    if not is_done():
        # Asked for again, the failure that stands is older than what was shown.
        why = "" if wait.happened & _TROUBLES else _last_trouble(wait)
        raise ClientError(
            f"Port {port_id} is not {what} yet. {why}".rstrip(),
            hint=f"`fairlead server events {wait.name}` says more.",
        )
    progress(f"Port {port_id} is {what}.")


def _last_trouble(wait: Wait) -> str:
    """What was last told of the server that went wrong; "" where nothing was."""
    words, newest = "", 0
    while found := events_after(wait.session, wait.server_id, newest):
        newest = max(cast("int", event["id"]) for event in found)
        words = next((str(one["message"]) for one in reversed(found) if one["kind"] in _TROUBLES), words)
    return words


def _port(session: Session, port_id: str) -> Json | None:
    return next(iter(listed(session, _PORTS, {"id": port_id})), None)


def _failed(session: Session, port_id: str) -> bool:
    port = _port(session, port_id)
    return port is not None and port["status"] == "ERROR"


def _is_wired(session: Session, port_id: str) -> bool:
    """ACTIVE in a guest that runs, DOWN in one that does not."""
    port = _port(session, port_id)
    return port is not None and port["status"] in {"ACTIVE", "DOWN"}


def _is_detached(session: Session, server_id: str, port_id: str) -> bool:
    nics = listed(session, f"{_SERVERS}/{server_id}/os-interface")
    return all(nic["port_id"] != port_id for nic in nics)
