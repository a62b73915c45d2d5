"""`fairlead clouds`: a clouds.yaml for the standard OpenStack clients.

The clients get a token with it where nobody has to log in, too. With `auth_type: none` they fail by themselves at
`quota show`, `limits show`, `catalog list`, `versions show` and `token issue`; that of Debian 12 finds no compute API.
"""

import json
from pathlib import Path

import click

from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.output import progress

_TEMPLATE = """\
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
_ANYBODY = "operator"
"""Whom clients name where control asks nobody: any name and password do there."""


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
    password = click.prompt("Password", hide_input=True) if user else _ANYBODY
    named = {"user": user or _ANYBODY, "password": password, "project": project or _ANYBODY}
    # JSON's texts are YAML's.
    return _TEMPLATE.format(url=url, **{name: json.dumps(value) for name, value in named.items()})
