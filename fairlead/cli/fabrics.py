"""`fairlead fabric ...`: fabrics of InfiniBand whose subnet managers are told who is in which partition."""

from typing import cast

import click

from fairlead.cli.completing import completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import listed
from fairlead.cli.output import progress, show_list, show_one
from fairlead.client.session import Json

_FABRICS = "/v1/fabrics"


@click.group()
def fabric() -> None:
    """Fabrics of InfiniBand whose subnet managers are told."""


@fabric.command("list")
@pass_invocation
def list_fabrics(invocation: Invocation) -> None:
    """List the fabrics: how much their subnet managers know, and what keeps them from knowing more."""
    columns = {
        "Physical network": "physical_network",
        "Told by": "teller",
        "Last told": "told_at",
        "Told": "told",
        "Waiting": "waiting",
        "Failure": "failure",
    }
    show_list(invocation, listed(invocation.session, _FABRICS), columns)


@fabric.command("show")
@click.argument("physical_network", shell_complete=completes("fabric"))
@pass_invocation
def show_fabric(invocation: Invocation, physical_network: str) -> None:
    """Show a fabric, with the members of its partitions."""
    found = cast("Json", invocation.session.get(f"{_FABRICS}/{physical_network}")["fabric"])
    show_one(invocation, found)


@fabric.command("forget")
@click.argument("physical_network", shell_complete=completes("fabric"))
@pass_invocation
def forget_fabric(invocation: Invocation, physical_network: str) -> None:
    """Tell the fabric's subnet manager no more: its partitions are yours from now on."""
    invocation.session.delete(f"{_FABRICS}/{physical_network}")
    progress(
        f"The subnet manager of {physical_network} is told no more: what it was told stays until you change it."
    )
