"""All commands for people, on one screen."""

import click

from fairlead.cli.flavors import flavor
from fairlead.cli.hosts import device, host
from fairlead.cli.images import image
from fairlead.cli.insight import audit, event, explain, health
from fairlead.cli.networks import network, port, qos, subnet
from fairlead.cli.policies import alias, policy
from fairlead.cli.servers import server

COMMANDS = (
    server,
    network,
    subnet,
    port,
    qos,
    image,
    flavor,
    policy,
    alias,
    host,
    device,
    explain,
    event,
    audit,
    health,
)


def add_to(group: click.Group) -> None:
    """Add them to the program's group."""
    for command in COMMANDS:
        group.add_command(command)
