"""`fairlead port-profile ...`: settings of ports under one name."""

from collections.abc import Callable
from typing import TypeVar, cast

import click

from fairlead.cli import sharing
from fairlead.cli.completing import completes
from fairlead.cli.hexadecimal import Hexadecimal
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.network_paths import PORT_PROFILES
from fairlead.cli.output import Record, deleted, show_list, show_one
from fairlead.client.session import Json

Command = TypeVar("Command", bound=Callable[..., object])

_WORD = "port profile"
_KINDS = ("ethernet", "802.1Qbh", "802.1Qbg", "infiniband")
_FIELDS = (
    click.option("--vlan-priority", type=click.IntRange(0, 7), help="802.1p priority of the frames."),
    click.option("--vlan-protocol", type=click.Choice(["802.1Q", "802.1ad"]), help="The network's tag."),
    click.option(
        "--allowed-vlans", metavar="100,200-299", help="A trunk: the guest's own tags pass, of these VLANs."
    ),
    click.option("--trust/--no-trust", default=None, help="The guest may change its MAC and listen to all."),
    click.option("--spoof-check/--no-spoof-check", default=None, help="Frames leave from its MAC alone."),
    click.option("--link-state", type=click.Choice(["auto", "enable", "disable"])),
    click.option("--mtu", type=click.IntRange(68, 65535)),
    click.option("--min-mbps", "min_rate_mbps", type=click.IntRange(1), help="What it must be able to send."),
    click.option("--max-mbps", "max_rate_mbps", type=click.IntRange(1), help="What it may send at most."),
    click.option("--profile-id", help="802.1Qbh: the name of the switch's profile."),
    click.option("--manager-id", type=click.IntRange(1, 255), help="802.1Qbg."),
    click.option("--type-id", type=click.IntRange(0, 2**24 - 1), help="802.1Qbg."),
    click.option("--type-id-version", type=click.IntRange(0, 255), help="802.1Qbg."),
    click.option("--instance-id", help="802.1Qbg: a UUID; a port's own id if absent."),
    click.option(
        "--partition-key",
        type=Hexadecimal(1, 0x7FFF, "The bit above it, 0x8000, is told by --membership."),
        help="InfiniBand, such as 0x7abc or 31420.",
    ),
    click.option("--membership", type=click.Choice(["full", "limited"]), help="InfiniBand."),
)
_MAY_SAY_NOTHING = (
    "vlan-priority",
    "vlan-protocol",
    "allowed-vlans",
    "trust",
    "spoof-check",
    "link-state",
    "mtu",
    "min-mbps",
    "max-mbps",
    "instance-id",
)
_FIELD_OF = {"min-mbps": "min_rate_mbps", "max-mbps": "max_rate_mbps"}
"""What the API calls a field whose option has another name."""
_REST = frozenset(
    {"is_offered", "kept_as", "id", "name", "description", "project_id", "tenant_id", "shared", "kind"}
)
_COLUMNS = {"ID": "id", "Name": "name", "Kind": "kind", "Settings": "settings", "Shared": "shared"}
_OFFERED = "/v1/offered-port-profiles"
_OFFERED_COLUMNS = {"Kind": "kind", "Settings": "settings", "Offered": "is_offered", "Kept as": "kept_as"}
_STAMPS = frozenset({"created_at", "updated_at", "revision_number"})


def _with_fields(command: Command) -> Command:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@click.group()
def port_profile() -> None:
    """Settings of ports under one name, for networks and ports to have."""


@port_profile.command("create")
@click.argument("name")
@click.option("--kind", type=click.Choice(_KINDS), default="ethernet", show_default=True)
@click.option("--description")
@click.option("--project", "project_id", help="Whose it is, by id; yours if absent.")
@click.option("--share", "shared", is_flag=True, help="Everybody may choose it.")
@_with_fields
@pass_invocation
def create(invocation: Invocation, /, name: str, **options: object) -> None:
    """Make a port profile."""
    body = {"name": name, **_said(options)}
    answer = invocation.session.post(PORT_PROFILES, {"port_profile": body})
    show_one(invocation, cast("Json", answer["port_profile"]))


@port_profile.command("list")
@pass_invocation
def list_all(invocation: Invocation) -> None:
    """List: every port profile."""
    show_list(invocation, listed(invocation.session, PORT_PROFILES), _COLUMNS, _words)


@port_profile.command("offered")
@pass_invocation
def offered(invocation: Invocation) -> None:
    """List what a product that manages port profiles has, and what is kept of it here."""
    show_list(invocation, listed(invocation.session, _OFFERED), _OFFERED_COLUMNS, _words)


@port_profile.command("show")
@click.argument("name", shell_complete=completes(_WORD))
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show one port profile."""
    show_one(invocation, find(invocation.session, PORT_PROFILES, _WORD, name))


@port_profile.command("set")
@click.argument("wanted", metavar="NAME", shell_complete=completes(_WORD))
@click.option("--name", help="Its new name.")
@click.option("--description")
@_with_fields
@click.option(
    "--unset", multiple=True, type=click.Choice(_MAY_SAY_NOTHING), help="It says nothing of this any longer."
)
@pass_invocation
def change(invocation: Invocation, /, wanted: str, **options: object) -> None:
    """Change a port profile; the ports that have it follow at once, or it stays."""
    unset = cast("tuple[str, ...]", options.pop("unset"))
    body = _said(options) | dict.fromkeys(
        (_FIELD_OF.get(name, name.replace("-", "_")) for name in unset), None
    )
    if not body:
        raise click.UsageError("Nothing to set: `fairlead port-profile set --help` lists what can be.")
    found = find(invocation.session, PORT_PROFILES, _WORD, wanted)
    answer = invocation.session.put(f"{PORT_PROFILES}/{found['id']}", {"port_profile": body})
    show_one(invocation, cast("Json", answer["port_profile"]))


@port_profile.command("delete")
@click.argument("names", nargs=-1, required=True, shell_complete=completes(_WORD))
@pass_invocation
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Delete: a port profile that nothing uses."""
    for name in names:
        found = find(invocation.session, PORT_PROFILES, _WORD, name)
        invocation.session.delete(f"{PORT_PROFILES}/{found['id']}")
        deleted(_WORD, name)


@port_profile.command("share")
@click.argument("name", shell_complete=completes(_WORD))
@click.option("--project", default=sharing.EVERYBODY, help="A project's id; everybody if absent.")
@pass_invocation
def share(invocation: Invocation, /, name: str, project: str) -> None:
    """Let another project, or all, choose a port profile: what it grants, they may have."""
    sharing.share(invocation, PORT_PROFILES, _WORD, name, project)


@port_profile.command("unshare")
@click.argument("name", shell_complete=completes(_WORD))
@click.option("--project", default=sharing.EVERYBODY, help="A project's id; everybody if absent.")
@pass_invocation
def unshare(invocation: Invocation, /, name: str, project: str) -> None:
    """Let another project, or all, choose it no longer; refused while they have it."""
    sharing.unshare(invocation, PORT_PROFILES, _WORD, name, project)


def _said(options: dict[str, object]) -> Json:
    """The options that were given, as the API's fields."""
    body: Json = {name: value for name, value in options.items() if value is not None}
    if isinstance(vlans := body.get("allowed_vlans"), str):
        body["allowed_vlans"] = [part.strip() for part in vlans.split(",")]
    return body


def _words(record: Record) -> Record:
    """With what it says in one cell."""
    said = {key: value for key, value in record.items() if key not in _REST | _STAMPS}
    return {**record, "settings": said}
