"""`fairlead clouds`: a clouds.yaml for the standard OpenStack clients.

The overrides are the roots that each client library wants: network and image without a version, compute with.
"""

from pathlib import Path

import click

from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.output import progress

_TEMPLATE = """\
clouds:
  fairlead:
    auth_type: none
    identity_api_version: 3
    auth: {{endpoint: "{url}/identity"}}
    network_endpoint_override: {url}/network
    compute_endpoint_override: {url}/compute/v2.1
    image_endpoint_override: {url}/image
"""


@click.command()
@click.option("--output", default="clouds.yaml", show_default=True, help="A file, or - for standard output.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@pass_invocation
def clouds(invocation: Invocation, output: str, *, force: bool) -> None:
    """Write a clouds.yaml, so that `openstack --os-cloud fairlead ...` speaks to this control."""
    text = _TEMPLATE.format(url=invocation.session.url)
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output)
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already. --force replaces it; --output - prints instead.")
    try:
        path.write_text(text)
    except OSError as error:
        raise click.UsageError(f"Cannot write {path}: {error.strerror}.") from error
    progress(f"Wrote {path}. Try: openstack --os-cloud fairlead server list")
