"""`fairlead server ...`: boot, look at and delete servers. What they are asked to do is in `server_actions`."""

import base64
import sys
from pathlib import Path
from typing import cast

import click

from fairlead.cli.attachments import attach, detach
from fairlead.cli.completing import VNIC_TYPES, complete_nic, completes
from fairlead.cli.images import image_id
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, find_id, listed, names, newest_events
from fairlead.cli.nics import parse_nic
from fairlead.cli.output import deleted, progress, show_list, show_one
from fairlead.cli.pairs import parse_labels
from fairlead.cli.waiting import Wait, last_event, read_server
from fairlead.client.session import ClientError, Json, Session

_SERVERS = "/compute/v2.1/servers"
_COLUMNS = {
    "ID": "id",
    "Name": "name",
    "Status": "status",
    "Host": "host",
    "Networks": "networks",
    "Flavor": "flavor",
}
_PORT_COLUMNS = {
    "Port": "id",
    "Network": "network",
    "MAC": "mac",
    "Addresses": "addresses",
    "Type": "vnic_type",
    "Device": "device",
    "VLAN": "vlan",
    "Status": "status",
}


@click.group()
def server() -> None:
    """Boot, look at, stop and delete servers."""


@server.command()
@click.argument("name")
@click.option(
    "--flavor", required=True, shell_complete=completes("flavor"), help="Its size: a flavor's name or id."
)
@click.option(
    "--image",
    required=True,
    shell_complete=completes("image"),
    help="A name, an id, or a file that is uploaded first: a path with a slash.",
)
@click.option(
    "--nic",
    "nics",
    multiple=True,
    metavar="KEY=VALUE,...",
    shell_complete=complete_nic,
    help=f"network=NAME or port=NAME, and of vnic-type={'|'.join(VNIC_TYPES)}, alias, max-mbps, min-mbps, fixed-ip, "
    "trusted, vlan-priority, qos-policy, port-profile, tag. Again for each NIC, in the guest's order.",
)
@click.option("--host", shell_complete=completes("host"), help="The host to take, if it can.")
@click.option("--user-data", type=click.Path(exists=True, dir_okay=False), help="A file for the guest.")
@click.option("--property", "properties", multiple=True, metavar="KEY=VALUE", help="Metadata of the server.")
@click.option("--wait", is_flag=True, help="Show what happens until it runs, or cannot.")
@pass_invocation
def create(invocation: Invocation, /, name: str, **options: object) -> None:
    """Boot a server. Without --nic it gets one ordinary vNIC on the only network, if there is just one."""
    session = invocation.session
    body = _boot_request(session, name, options)
    created = cast("Json", session.post(_SERVERS, {"server": body})["server"])
    identity = str(created["id"])
    found = read_server(session, identity) or created
    if options["wait"]:
        found = Wait(session, identity, name).until(lambda server: server["status"] != "BUILD") or created
    _show(invocation, found)
    if found.get("status") == "ERROR":
        raise ClientError(fault_of(found), hint=f"`fairlead explain --server {name}` says more.")


@server.command("list")
@pass_invocation
def list_servers(invocation: Invocation) -> None:
    """List the servers."""
    show_list(
        invocation, [_row(found) for found in listed(invocation.session, f"{_SERVERS}/detail")], _COLUMNS
    )


@server.command()
@click.argument("name", shell_complete=completes("server"))
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show a server, its NICs and their devices."""
    found = find(invocation.session, f"{_SERVERS}/detail", "server", name)
    _show(invocation, found)


@server.command()
@click.argument("names", nargs=-1, required=True, shell_complete=completes("server"))
@click.option("--wait", is_flag=True, help="Until it is gone and its devices are clean.")
@pass_invocation
def delete(invocation: Invocation, names: tuple[str, ...], *, wait: bool) -> None:
    """Delete servers: their guests go, their devices are scrubbed."""
    session = invocation.session
    found = [str(find(session, f"{_SERVERS}/detail", "server", name)["id"]) for name in names]
    waits = [
        Wait(session, identity, name, last_event(session, identity) if wait else 0)
        for identity, name in zip(found, names, strict=True)
    ]
    for each in waits:
        session.delete(f"{_SERVERS}/{each.server_id}")
        progress(f"Server {each.name} is asked to go.")
    for each in waits if wait else ():
        each.until(lambda _: False)
        deleted("server", each.name)


@server.command()
@click.argument("name", shell_complete=completes("server"))
@click.option("--lines", type=click.IntRange(1), help="Only the last lines.")
@pass_invocation
def console(invocation: Invocation, name: str, lines: int | None) -> None:
    """Print a guest's console log."""
    found = find(invocation.session, f"{_SERVERS}/detail", "server", name)
    body: Json = {"os-getConsoleOutput": {"length": lines}}
    answer = invocation.session.post(f"{_SERVERS}/{found['id']}/action", body)
    if not answer["output"]:
        progress(f"The guest of {name} has written nothing to its console.")
    click.echo(str(answer["output"]), nl=False)


@server.command()
@click.argument("name", shell_complete=completes("server"))
@pass_invocation
def domain(invocation: Invocation, name: str) -> None:
    """Print a guest's domain as libvirt on its host has it."""
    found = find(invocation.session, f"{_SERVERS}/detail", "server", name)
    click.echo(str(invocation.session.get(f"/v1/servers/{found['id']}/domain")["domain"]))


@server.command()
@click.argument("name", shell_complete=completes("server"))
@click.option(
    "--limit", type=click.IntRange(1), default=200, show_default=True, help="Only that many, the newest."
)
@pass_invocation
def events(invocation: Invocation, name: str, limit: int) -> None:
    """List what happened to a server, each with its time. Takes the id of one that is gone."""
    identity = find_id(invocation.session, f"{_SERVERS}/detail", "server", name)
    records = newest_events(invocation.session, {"server": identity}, limit)
    show_list(invocation, records, {"At": "at", "Event": "kind", "What": "message"})


server.add_command(attach)
server.add_command(detach)


def _boot_request(session: Session, name: str, options: dict[str, object]) -> Json:
    body: Json = {
        "name": name,
        "flavorRef": find(session, "/compute/v2.1/flavors/detail", "flavor", str(options["flavor"]))["id"],
    }
    nics = [parse_nic(session, text) for text in cast("tuple[str, ...]", options["nics"])]
    body["networks"] = nics or "auto"
    body["imageRef"] = image_id(session, str(options["image"]))
    if options["host"]:
        body["host"] = options["host"]
    if options["user_data"]:
        body["user_data"] = base64.b64encode(Path(str(options["user_data"])).read_bytes()).decode()
    if properties := parse_labels("--property", cast("tuple[str, ...]", options["properties"])):
        body["metadata"] = properties
    return body


def _show(invocation: Invocation, server: Json) -> None:
    ports = _ports(invocation.session, str(server["id"]))
    if invocation.wants_json:
        show_one(invocation, {**server, "ports": ports})
        return
    row = _row(server)
    if server.get("fault"):
        row["fault"] = fault_of(server)
    show_one(invocation, row)
    if ports:
        sys.stdout.write("\n")
        networks = names(invocation.session, "/network/v2.0/networks")
        show_list(invocation, [_port_row(port, networks) for port in ports], _PORT_COLUMNS)
    elif server.get("status") == "BUILD":
        progress("It is being built; --wait shows how.")


def _ports(session: Session, server_id: str) -> list[Json]:
    """The server's ports in the guest's order, which only the compute API knows."""
    ports = listed(session, "/network/v2.0/ports", {"device_id": server_id})
    if len(ports) > 1:
        nics = listed(session, f"{_SERVERS}/{server_id}/os-interface")
        order = {nic["port_id"]: at for at, nic in enumerate(nics)}
        ports.sort(key=lambda port: order.get(port["id"], len(order)))
    return ports


def _row(server: Json) -> Json:
    addresses = cast("dict[str, list[dict[str, str]]]", server.get("addresses") or {})
    flavor = cast("Json", server.get("flavor") or {})
    return {
        "id": server["id"],
        "name": server.get("name"),
        "status": server.get("status"),
        "host": server.get("OS-EXT-SRV-ATTR:host"),
        "networks": [f"{net}={', '.join(a['addr'] for a in found)}" for net, found in addresses.items()],
        "flavor": flavor.get("original_name") or flavor.get("id"),
    }


def _port_row(port: Json, networks: dict[str, str]) -> Json:
    profile = cast("dict[str, str]", port.get("binding:profile") or {})
    details = cast("dict[str, str]", port.get("binding:vif_details") or {})
    fixed = cast("list[dict[str, str]]", port.get("fixed_ips") or [])
    return {
        "id": port["id"],
        "network": networks.get(str(port["network_id"]), port["network_id"]),
        "mac": port["mac_address"],
        "addresses": [address["ip_address"] for address in fixed],
        "vnic_type": port["binding:vnic_type"],
        "device": profile.get("pci_slot") or details.get("bridge_name"),
        "vlan": details.get("vlan"),
        "status": port["status"],
    }


def fault_of(server: Json) -> str:
    """Why it failed, in the words that whoever asks may read."""
    fault = cast("dict[str, object]", server.get("fault") or {})
    return str(fault.get("details") or fault.get("message") or "It ended in ERROR without a reason.")
