"""`fairlead clouds`: a clouds.yaml for the standard OpenStack clients.

The overrides are the roots that each client library wants: network and image without a version, compute with.
"""

import json
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
_WITH_LOGIN = """\
clouds:
  fairlead:
    auth_type: password
    identity_api_version: 3
    auth:
      auth_url: {url}/identity/v3
      username: {user}
      password: {password}
      project_name: {project}
      user_domain_id: default
      project_domain_id: default
"""


@click.command()
@click.option("--output", default="clouds.yaml", show_default=True, help="A file, or - for standard output.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--user", help="Where control asks for logins: as whom. The password is asked for.")
@click.option("--project", help="In which of the user's projects.")
@pass_invocation
def clouds(
    invocation: Invocation, output: str, user: str | None, project: str | None, *, force: bool
) -> None:
    """Write a clouds.yaml, so that `openstack --os-cloud fairlead ...` speaks to this control."""
    if bool(user) != bool(project):
        raise click.UsageError("--user and --project go together.")
    text = _text(invocation.session.url, user, project)
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output)
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already. --force replaces it; --output - prints instead.")
    try:
        # Before the text is in it: it may have a password.
        path.touch(mode=0o600)
        path.write_text(text)
    except OSError as error:
        raise click.UsageError(f"Cannot write {path}: {error.strerror}.") from error
    progress(f"Wrote {path}. Try: openstack --os-cloud fairlead server list")


def _text(url: str, user: str | None, project: str | None) -> str:
    if user is None or project is None:
        return _TEMPLATE.format(url=url)
    password = click.prompt("Password", hide_input=True)
    quoted = {"user": user, "password": password, "project": project}
    # JSON's texts are YAML's.
    return _WITH_LOGIN.format(url=url, **{name: json.dumps(value) for name, value in quoted.items()})
