"""`fairlead flavor ...`: sizes of servers, and the devices they ask for."""

from typing import cast

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.output import deleted, show_list, show_one
from fairlead.cli.pairs import parse_labels
from fairlead.cli.undoing import taken_back
from fairlead.client.session import Json

_FLAVORS = "/compute/v2.1/flavors"
_DETAIL = f"{_FLAVORS}/detail"


@click.group()
def flavor() -> None:
    """Sizes of servers."""


@flavor.command()
@click.argument("name")
@click.option("--vcpus", type=click.IntRange(1), default=1, show_default=True)
@click.option("--memory-mib", type=click.IntRange(1), required=True)
@click.option(
    "--disk-gib", type=click.IntRange(0), default=0, show_default=True, help="0: as large as the image."
)
@click.option("--alias", "aliases", multiple=True, metavar="NAME[:COUNT]", help="Devices that it asks for.")
@click.option("--numa-nodes", type=click.IntRange(1), help="NUMA cells of its guests.")
@click.option("--numa-policy", type=click.Choice(["required", "preferred", "legacy", "socket"]))
@click.option("--property", "properties", multiple=True, metavar="KEY=VALUE", help="Any other extra spec.")
@pass_invocation
def create(invocation: Invocation, /, name: str, **options: object) -> None:
    """Make a flavor."""
    body: Json = {
        "name": name,
        "vcpus": options["vcpus"],
        "ram": options["memory_mib"],
        "disk": options["disk_gib"],
    }
    specs = parse_labels("--property", cast("tuple[str, ...]", options["properties"]))
    if aliases := cast("tuple[str, ...]", options["aliases"]):
        counted = [alias if ":" in alias else f"{alias}:1" for alias in aliases]
        specs["pci_passthrough:alias"] = ",".join(counted)
    if options["numa_nodes"] is not None:
        specs["hw:numa_nodes"] = str(options["numa_nodes"])
    if options["numa_policy"]:
        specs["hw:pci_numa_affinity_policy"] = str(options["numa_policy"])
    session = invocation.session
    created = cast("Json", session.post(_FLAVORS, {"flavor": body})["flavor"])
    path = f"{_FLAVORS}/{created['id']}"
    if specs:
        with taken_back(session, path):
            session.post(f"{path}/os-extra_specs", {"extra_specs": specs})
    show_one(invocation, find(session, _DETAIL, "flavor", str(created["id"])))


@flavor.command("list")
@pass_invocation
def list_flavors(invocation: Invocation) -> None:
    """List the flavors."""
    columns = {
        "ID": "id",
        "Name": "name",
        "vCPUs": "vcpus",
        "MiB": "ram",
        "GiB": "disk",
        "Asks for": "extra_specs",
    }
    show_list(invocation, listed(invocation.session, _DETAIL), columns)


@flavor.command()
@click.argument("name", shell_complete=completes("flavor"))
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show a flavor."""
    show_one(invocation, find(invocation.session, _DETAIL, "flavor", name))


@flavor.command()
@click.argument("names", nargs=-1, required=True, shell_complete=completes("flavor"))
@pass_invocation
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Delete flavors; servers that were booted with one keep their size."""
    for name in names:
        invocation.session.delete(f"{_FLAVORS}/{find(invocation.session, _DETAIL, 'flavor', name)['id']}")
        deleted("flavor", name)
