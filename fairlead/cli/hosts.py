"""`fairlead host|device ...`: the machines, what is in them, and who speaks for them."""

from collections.abc import Iterable
from typing import cast

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, find_id, listed
from fairlead.cli.output import Record, deleted, natural, progress, show_list, show_one
from fairlead.cli.pairs import parse_labels
from fairlead.client.session import ClientError, Json, Session
from fairlead.model.device import DeviceStatus

_HOSTS = "/v1/hosts"
_SERVERS = "/compute/v2.1/servers"
_NOT_OFFERED = (
    "MANAGEMENT",
    "HOST_USES",
    "UNMANAGED",
    "IOMMU_GROUP",
    "PF_HELD",
    "BEYOND_COUNT",
    "VFS_HELD",
    "BRIDGED",
)
_STANDINGS = (*(status.value for status in DeviceStatus), *_NOT_OFFERED)
"""What `device list` shows as a device's status: AVAILABLE, where it is offered to nobody, says why."""


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
        answer = _new_host(session, name, parse_labels("--label", labels))
    if invocation.wants_json:
        show_one(invocation, answer)
        return
    progress(f"In /etc/fairlead/agent.env of {name}, mode 600, with the URL by which {name} reaches control:")
    click.echo(f"FAIRLEAD_CONTROL={session.url}")
    click.echo(f"FAIRLEAD_TOKEN={answer['token']}")
    progress("Then there: `systemctl enable --now fairlead-agent`. The token is good once, within 24 hours.")


@host.command("list")
@pass_invocation
def list_hosts(invocation: Invocation) -> None:
    """List the hosts."""
    columns = {
        "Name": "name",
        "Takes servers": "admin",
        "Reason": "admin_reason",
        "Agent": "liveness",
        "Labels": "labels",
        "Holds": "holds",
    }
    records = sorted(listed(invocation.session, _HOSTS), key=lambda record: natural(record["name"]))
    show_list(invocation, records, columns, lambda record: {**record, "holds": _count(record["holds"])})


@host.command()
@click.argument("name", shell_complete=completes("host"))
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show a host."""
    show_one(invocation, find(invocation.session, _HOSTS, "host", name), _host_words)


@host.command("set")
@click.argument("name", shell_complete=completes("host"))
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Its labels, all of them.")
@click.option("--enable", is_flag=True, help="It takes new servers.")
@click.option("--disable", is_flag=True, help="It keeps what it has and takes none.")
@click.option("--reason", help="Why, for whoever asks; '' for none.")
@pass_invocation
def set_host(invocation: Invocation, /, name: str, **options: object) -> None:
    """Change a host, and show it."""
    if options["enable"] and options["disable"]:
        raise click.UsageError("--enable and --disable contradict each other: give one of them.")
    body: Json = {}
    if labels := cast("tuple[str, ...]", options["labels"]):
        body["labels"] = parse_labels("--label", labels)
    if options["enable"] or options["disable"]:
        body["admin"] = "enabled" if options["enable"] else "disabled"
    if options["reason"] is not None:
        body["admin_reason"] = options["reason"]
    if not body:
        raise click.UsageError("Nothing to set: give --label, --enable, --disable or --reason.")
    identity = find(invocation.session, _HOSTS, "host", name)["id"]
    answer = invocation.session.patch(f"{_HOSTS}/{identity}", body)
    show_one(invocation, cast("Json", answer["host"]), _host_words)


@host.command()
@click.argument("name", shell_complete=completes("host"))
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
    deleted("host", name)


@host.command("remove-guest")
@click.argument("name", shell_complete=completes("host"))
@click.argument("server_id")
@pass_invocation
def remove_guest(invocation: Invocation, name: str, server_id: str) -> None:
    """Remove a guest that is no server's from a host.

    `host show` lists such guests among the holds: they were there before this database knew of them, or after it had
    forgotten them. The guest is powered off, and its disk, its config drive and its console log are deleted: what is
    on them is lost for good. Its devices are scrubbed and offered again.
    """
    identity = find(invocation.session, _HOSTS, "host", name)["id"]
    invocation.session.delete(f"{_HOSTS}/{identity}/guests/{server_id}")
    progress(f"Guest {server_id} of host {name} is asked to go.")


@click.group()
def device() -> None:
    """PFs, VFs and plain PCI devices."""


@device.command("list")
@click.option("--host", "on_host", shell_complete=completes("host"), help="Only of this host.")
@click.option("--kind", type=click.Choice(["pf", "vf", "pci"]))
@click.option("--physical-network")
@click.option(
    "--server", "of_server", shell_complete=completes("server"), help="Only what this server holds."
)
@click.option("--status", type=click.Choice(_STANDINGS, case_sensitive=False), help="As shown.")
@pass_invocation
def list_devices(
    invocation: Invocation, /, of_server: str | None, status: str | None, **options: object
) -> None:
    """List devices, and who holds them."""
    names = {"on_host": "host"}
    params = {names.get(key, key): str(value) for key, value in options.items() if value}
    if of_server:
        params["server"] = find_id(invocation.session, _SERVERS, "server", of_server)
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
    every = listed(invocation.session, "/v1/devices", params)
    records = [record for record in every if status is None or record["standing"] == status]
    records.sort(key=lambda record: (natural(record["host_name"]), record["pci_address"]))
    show_list(invocation, records, columns, _device_words)


_on_host = click.option(
    "--host", "on_host", shell_complete=completes("host"), help="Needed where two hosts have the address."
)


@device.command("show")
@click.argument("address")
@_on_host
@pass_invocation
def show_device(invocation: Invocation, address: str, on_host: str | None) -> None:
    """Show a device, by its id, PCI address or PF name, with its settings as read back."""
    show_one(invocation, _device(invocation.session, address, on_host))


@device.command("forget")
@click.argument("address")
@_on_host
@pass_invocation
def forget_device(invocation: Invocation, address: str, on_host: str | None) -> None:
    """Forget a device that is MISSING for good, by its id, PCI address or PF name, with its VFs."""
    invocation.session.delete(f"/v1/devices/{_device(invocation.session, address, on_host)['id']}")
    deleted("device", address)


@host.command("agents")
@pass_invocation
def list_agents(invocation: Invocation) -> None:
    """List the hosts' agents: whether they are there and report, and how far they have got."""
    columns = {
        "Host": "host_name",
        "Agent": "liveness",
        "Last seen": "last_seen_at",
        "Reported": "reported_at",
        "Version": "agent_version",
        "Wanted": "generation",
        "Done": "generation_seen",
    }
    records = sorted(
        listed(invocation.session, "/v1/agents"), key=lambda record: natural(record["host_name"])
    )
    show_list(invocation, records, columns)


def _device(session: Session, address: str, on_host: str | None) -> Record:
    records = listed(session, "/v1/devices", {"host": on_host} if on_host else {})
    found = [record for record in records if address in (record["id"], record["pci_address"], record["name"])]
    if not found:
        where = f" on host {on_host}" if on_host else ""
        raise click.UsageError(f"There is no device '{address}'{where}. `fairlead device list` shows them.")
    if len(found) > 1:
        raise click.UsageError(f"{len(found)} hosts have a device '{address}'. --host says whose is meant.")
    return found[0]


def _new_host(session: Session, name: str, labels: dict[str, str]) -> Json:
    try:
        return session.post(_HOSTS, {"name": name, "labels": labels})
    except ClientError as error:
        if error.code != "name_in_use":
            raise
        raise ClientError(
            error.message,
            status=error.status,
            code=error.code,
            hint=f"For another token of that host: `fairlead host enrol {name} --again`.",
        ) from error


def _host_words(record: Record) -> Record:
    """The host with its size in a few lines, and its holds in words."""
    words = {**record, "holds": [_hold_words(hold) for hold in cast("list[Json]", record.get("holds") or [])]}
    if capacity := cast("Json | None", record.get("capacity")):
        cells = cast("list[Json]", capacity["numa"])
        words["capacity"] = [
            f"{capacity['vcpus']} CPUs, {capacity['memory_mib']} MiB, {capacity['disk_gib']} GiB of disk",
            *(_cell_words(cell) for cell in cells),
        ]
    return words


def _cell_words(cell: Json) -> str:
    cpus = _ranges(cast("list[int]", cell["cpus"]))
    return f"NUMA cell {cell['node']}, socket {cell['socket']}: CPUs {cpus}, {cell['memory_mib']} MiB"


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: 0-7,16-23."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def _hold_words(hold: Json) -> str:
    holders = cast("list[str]", hold.get("holders") or [])
    whose = f" (held by {', '.join(holders)})" if holders else ""
    return f"{hold['subject']}: {hold['what']}: {hold['reason']}{whose}"


def _count(holds: object) -> object:
    """How many things wait; `host show` says which."""
    return len(holds) if isinstance(holds, list) and holds else None


def _device_words(record: Record) -> Record:
    """The device with its holder by name: an unnamed port's id would be wider than the rest."""
    if not record["server_id"]:
        return record
    port = f" (port {record['port_name']})" if record["port_name"] else ""
    return {**record, "holder": f"server {record['server_name'] or record['server_id']}{port}"}
