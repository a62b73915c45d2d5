"""`fairlead server ...`: what a server is asked to do: start, stop, pause, reboot, be rebuilt."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import cast

import click

from fairlead.cli.completing import completes
from fairlead.cli.images import image_id
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find
from fairlead.cli.output import progress, show_list, show_one
from fairlead.cli.pairs import parse_labels
from fairlead.cli.servers import fault_of, server
from fairlead.cli.waiting import Wait, last_event
from fairlead.client.session import ClientError, Json

_SERVERS = "/compute/v2.1/servers"

IsDone = Callable[[Wait, Json], bool]


def _add_power(word: str, body: Json, wanted: str) -> None:
    @server.command(word, help=f"{word.capitalize()} a server.")
    @click.argument("name", shell_complete=completes("server"))
    @click.option("--wait", is_flag=True, help=f"Until it is {wanted}.")
    @pass_invocation
    def command(invocation: Invocation, name: str, *, wait: bool) -> None:
        _act(invocation, name, body, word, _is_at(wanted) if wait else None)


_add_power("start", {"os-start": None}, "ACTIVE")
_add_power("stop", {"os-stop": None}, "SHUTOFF")
_add_power("pause", {"pause": None}, "PAUSED")
_add_power("unpause", {"unpause": None}, "ACTIVE")
_add_power("suspend", {"suspend": None}, "SUSPENDED")
_add_power("resume", {"resume": None}, "ACTIVE")


@server.command()
@click.argument("name", shell_complete=completes("server"))
@click.option("--hard", is_flag=True, help="Power off without asking the guest.")
@click.option("--wait", is_flag=True, help="Until that is over.")
@pass_invocation
def reboot(invocation: Invocation, name: str, *, hard: bool, wait: bool) -> None:
    """Boot a server's guest anew."""
    body: Json = {"reboot": {"type": "HARD" if hard else "SOFT"}}
    asked = "reboot, by power" if hard else "reboot"
    _act(invocation, name, body, asked, _is_rebooted if wait else None)


def _is_rebooted(_: Wait, server: Json) -> bool:
    """A guest that goes down again while it boots stays down."""
    return not server["OS-EXT-STS:task_state"]


@server.command()
@click.argument("name", shell_complete=completes("server"))
@click.option(
    "--image", help="A name, an id, or a file that is uploaded first; absent: the image that it has."
)
@click.option(
    "--property", "properties", multiple=True, metavar="KEY=VALUE", help="Metadata, in place of what it has."
)
@click.option("--user-data", type=click.Path(exists=True, dir_okay=False), help="A file for the guest.")
@click.option("--wait", is_flag=True, help="Until it is as it was, on its new disk.")
@pass_invocation
def rebuild(
    invocation: Invocation,
    name: str,
    *,
    image: str | None,
    properties: tuple[str, ...],
    user_data: str | None,
    wait: bool,
) -> None:
    """Make a server anew from an image, with the devices and addresses that it has. Its disk is lost."""
    session = invocation.session
    known = find(session, f"{_SERVERS}/detail", "server", name)
    arguments: Json = {"imageRef": image_id(session, image) if image else _image_of(known)}
    if properties:
        arguments["metadata"] = parse_labels("--property", properties)
    if user_data:
        arguments["user_data"] = base64.b64encode(Path(user_data).read_bytes()).decode()
    wanted = "SHUTOFF" if known["status"] == "SHUTOFF" else "ACTIVE"
    _act(invocation, name, {"rebuild": arguments}, "be made anew", _is_at(wanted) if wait else None)


@server.command()
@click.argument("name", shell_complete=completes("server"))
@pass_invocation
def diagnostics(invocation: Invocation, name: str) -> None:
    """Show what a running guest has used: time, memory, disks, and what its NICs have carried."""
    known = find(invocation.session, f"{_SERVERS}/detail", "server", name)
    found = invocation.session.get(f"{_SERVERS}/{known['id']}/diagnostics")
    if invocation.wants_json:
        show_one(invocation, found)
        return
    show_one(invocation, _figures(found))
    for title, rows in (("nic_details", _NIC_COLUMNS), ("disk_details", _DISK_COLUMNS)):
        if details := cast("list[Json]", found[title]):
            click.echo()
            show_list(invocation, details, rows)


_NIC_COLUMNS = {
    "MAC": "mac_address",
    "Received": "rx_octets",
    "Packets in": "rx_packets",
    "Dropped in": "rx_drop",
    "Sent": "tx_octets",
    "Packets out": "tx_packets",
    "Dropped out": "tx_drop",
}
_DISK_COLUMNS = {
    "Read": "read_bytes",
    "Reads": "read_requests",
    "Written": "write_bytes",
    "Writes": "write_requests",
}


def _figures(found: Json) -> Json:
    memory, cpus = (
        cast("Json", found["memory_details"]),
        cast("list[dict[str, int | None]]", found["cpu_details"]),
    )
    return {
        "state": found["state"],
        "hypervisor": found["hypervisor"],
        "uptime_seconds": found["uptime"],
        "memory_mib": memory["maximum"],
        "memory_used_mib": memory["used"],
        "cpu_seconds": [round((cpu["time"] or 0) / 1e9, 1) for cpu in cpus],
    }


def _image_of(known: Json) -> str:
    image = known["image"]
    if not isinstance(image, dict):
        raise ClientError(f"Server {known['name']} has no image.", hint="Name one: --image IMAGE.")
    return str(image["id"])


def _is_at(wanted: str) -> IsDone:
    return lambda _, found: found["status"] == wanted and not found["OS-EXT-STS:task_state"]


def _act(invocation: Invocation, name: str, body: Json, asked: str, is_done: IsDone | None) -> None:
    """Post an action and say so; with `is_done`, wait for it, and fail when the server ends in ERROR."""
    session = invocation.session
    identity = str(find(session, f"{_SERVERS}/detail", "server", name)["id"])
    wait = Wait(session, identity, name, last_event(session, identity) if is_done else 0)
    session.post(f"{_SERVERS}/{identity}/action", body)
    progress(f"Server {name} is asked to {asked}.")
    if is_done is None:
        return
    found = wait.until(lambda server: server["status"] == "ERROR" or is_done(wait, server))
    if found is None:
        raise ClientError(f"Server {name} was deleted meanwhile.")
    if found["status"] == "ERROR":
        raise ClientError(fault_of(found), hint=f"`fairlead server events {name}` says more.")
    progress(f"Server {name} is {found['status']}.")


@server.command()
@click.argument("name", shell_complete=completes("server"))
@click.option(
    "--flavor",
    required=True,
    shell_complete=completes("flavor"),
    help="What it is to become: a flavor's name or id.",
)
@click.option("--wait", is_flag=True, help="Until it is, and waits to be confirmed or reverted.")
@pass_invocation
def resize(invocation: Invocation, name: str, flavor: str, *, wait: bool) -> None:
    """Give a server another flavor. Its guest is booted anew; confirm or revert it afterwards."""
    flavor_id = find(invocation.session, "/compute/v2.1/flavors/detail", "flavor", flavor)["id"]
    body: Json = {"resize": {"flavorRef": flavor_id}}
    _act(invocation, name, body, f"become flavor {flavor}", _is_resized if wait else None)


def _is_resized(_: Wait, server: Json) -> bool:
    return server["status"] == "VERIFY_RESIZE"


@server.command()
@click.argument("name", shell_complete=completes("server"))
@pass_invocation
def confirm(invocation: Invocation, name: str) -> None:
    """Keep what a server was resized to: its old disk and what only its old size needed are given up."""
    _act(invocation, name, {"confirmResize": None}, "stay as it is", None)


@server.command()
@click.argument("name", shell_complete=completes("server"))
@click.option("--wait", is_flag=True, help="Until it is what it was.")
@pass_invocation
def revert(invocation: Invocation, name: str, *, wait: bool) -> None:
    """Give a resized server back the flavor and the disk that it had. What was written since is lost."""
    _act(invocation, name, {"revertResize": None}, "go back", _is_back if wait else None)


def _is_back(_: Wait, server: Json) -> bool:
    return server["status"] in {"ACTIVE", "SHUTOFF"}
