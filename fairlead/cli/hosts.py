"""`fairlead host|device ...`: the machines, what is in them, and who speaks for them."""

from typing import cast

import click

from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.output import progress, show_list, show_one
from fairlead.cli.pairs import parse_labels
from fairlead.client.session import Json

_HOSTS = "/v1/hosts"


@click.group()
def host() -> None:
    """Machines that run guests."""


@host.command()
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="For device policies to match.")
@click.option("--again", is_flag=True, help="The host is known and needs a new credential.")
@pass_invocation
def enrol(invocation: Invocation, name: str, labels: tuple[str, ...], *, again: bool) -> None:
    """Make a one-time token with which an agent enrols as this host."""
    session = invocation.session
    if again:
        identity = find(session, _HOSTS, "host", name)["id"]
        answer = session.post(f"{_HOSTS}/{identity}/token", {})
    else:
        answer = session.post(_HOSTS, {"name": name, "labels": parse_labels("--label", labels)})
    if invocation.wants_json:
        show_one(invocation, answer)
        return
    progress(f"On {name}, once, as root:")
    click.echo(f"fairlead agent --control {session.url} --token {answer['token']}")


@host.command("list")
@pass_invocation
def list_hosts(invocation: Invocation) -> None:
    """List the hosts."""
    columns = {
        "Name": "name",
        "Takes servers": "admin",
        "Alive": "is_alive",
        "Labels": "labels",
        "Holds": "holds",
    }
    show_list(invocation, listed(invocation.session, _HOSTS), columns)


@host.command()
@click.argument("name")
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show a host."""
    show_one(invocation, find(invocation.session, _HOSTS, "host", name))


@host.command("set")
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Its labels, all of them.")
@click.option("--enable", "admin", flag_value="enabled", help="It takes new servers.")
@click.option("--disable", "admin", flag_value="disabled", help="It keeps what it has and takes none.")
@click.option("--reason", help="Why, for whoever asks.")
@pass_invocation
def set_host(invocation: Invocation, /, name: str, **options: object) -> None:
    """Change a host."""
    body: Json = {}
    if labels := cast("tuple[str, ...]", options["labels"]):
        body["labels"] = parse_labels("--label", labels)
    if options["admin"]:
        body["admin"] = options["admin"]
    if options["reason"]:
        body["admin_reason"] = options["reason"]
    identity = find(invocation.session, _HOSTS, "host", name)["id"]
    invocation.session.patch(f"{_HOSTS}/{identity}", body)


@host.command()
@click.argument("name")
@click.option(
    "--force",
    is_flag=True,
    help="The machine is dead for good: forget it with its servers' disks. They are in ERROR then, without a host.",
)
@pass_invocation
def delete(invocation: Invocation, name: str, *, force: bool) -> None:
    """Forget a host that has no servers, or one that is dead."""
    path = f"{_HOSTS}/{find(invocation.session, _HOSTS, 'host', name)['id']}"
    invocation.session.delete(f"{path}?force=true" if force else path)


@click.group()
def device() -> None:
    """PFs, VFs and plain PCI devices."""


@device.command("list")
@click.option("--host", "on_host", help="Only of this host.")
@click.option("--kind", type=click.Choice(["pf", "vf", "pci"]))
@click.option("--physical-network")
@click.option("--status", help="Such as AVAILABLE or ALLOCATED.")
@pass_invocation
def list_devices(invocation: Invocation, /, **options: object) -> None:
    """List devices, and who holds them."""
    names = {"on_host": "host"}
    params = {names.get(key, key): str(value) for key, value in options.items() if value}
    columns = {
        "Host": "host_name",
        "Address": "pci_address",
        "Kind": "kind",
        "Name": "name",
        "Physical network": "physical_network",
        "NUMA": "numa_node",
        "Status": "standing",
        "Held by": "holder",
    }
    show_list(invocation, listed(invocation.session, "/v1/devices", params), columns)


@device.command("show")
@click.argument("address")
@click.option("--host", "on_host", help="Needed where two hosts have the address.")
@pass_invocation
def show_device(invocation: Invocation, address: str, on_host: str | None) -> None:
    """Show a device, by its id or PCI address, with its settings as read back."""
    params = {"host": on_host} if on_host else {}
    records = listed(invocation.session, "/v1/devices", params)
    found = [record for record in records if address in (record["id"], record["pci_address"])]
    if len(found) != 1:
        raise click.UsageError(
            f"{len(found)} devices are '{address}'. `fairlead device list` shows them; --host says whose."
        )
    show_one(invocation, found[0])


@host.command("agents")
@pass_invocation
def list_agents(invocation: Invocation) -> None:
    """List the hosts' agents: alive, and how far they have got."""
    columns = {
        "Host": "host_name",
        "Alive": "is_alive",
        "Last seen": "last_seen_at",
        "Version": "agent_version",
        "Wanted": "generation",
        "Done": "generation_seen",
    }
    show_list(invocation, listed(invocation.session, "/v1/agents"), columns)
