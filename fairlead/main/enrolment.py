"""Who this host is to control: kept in a file of its state directory since a one-time token was traded for it."""

import socket
from importlib import metadata
from pathlib import Path

import click

from fairlead.agent.boundary import ControlAway
from fairlead.client.agent_link import enrol
from fairlead.client.session import ClientError, Session
from fairlead.main.secret_file import write_secret
from fairlead.model.errors import InvalidValue
from fairlead.wire import codec
from fairlead.wire.documents import Enrolled, Enrolment

VERSION = metadata.version("fairlead")


def enrolled(control: str, state: Path, token: str | None) -> Enrolled:
    """The host's identity and credential: as kept, or traded for `token` now. A token that is given wins, for
    a host is enrolled again that way. Raises click's error, which says what would help.
    """
    kept = state / "credential.json"
    if token is None:
        return _read(kept)
    try:
        found = enrol(control, Enrolment(token, socket.gethostname(), VERSION))
    except ControlAway as away:
        if kept.exists():
            # The unit file of a host often keeps the token that was used up at the first start.
            return _read(kept)
        raise click.ClickException(str(away)) from away
    write_secret(kept, codec.encode(found))
    return found


def fresh_token(session: Session, name: str) -> str:
    """A fresh enrolment token of the host of that name, known or not."""
    try:
        return str(session.post("/v1/hosts", {"name": name})["token"])
    except ClientError as error:
        if error.code != "name_in_use":
            raise
        return str(session.post(f"/v1/hosts/{name}/token", {})["token"])


def _read(kept: Path) -> Enrolled:
    try:
        return codec.decode(Enrolled, kept.read_bytes())
    except FileNotFoundError:
        raise click.UsageError(
            f"This host is not enrolled ({kept} is not there). `fairlead host enrol NAME` on the side of control "
            "prints a token; give it once with --token."
        ) from None
    except (OSError, InvalidValue) as error:
        raise click.ClickException(
            f"Cannot read this host's credential {kept}: {error} Enrol it again: `fairlead host enrol NAME --again`."
        ) from error
