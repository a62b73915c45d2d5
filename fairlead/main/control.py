"""`fairlead control`: the control side as a process of its own."""

import click

from fairlead.main.logs import configure
from fairlead.main.serving import ControlProcess, serving_from
from fairlead.main.settings import control_settings, setting


@click.command()
@control_settings
@setting("tls_certificate")
@setting("tls_key")
def control(**settings: str | None) -> None:
    """Run control: the APIs, placement, and what agents ask for."""
    configure()
    serving = serving_from(settings)
    ControlProcess(serving).run(lambda: click.echo(f"ready {serving.url}"))
