"""`fairlead explain|event|audit|health`: why, what happened, and whether all is well."""

from typing import cast

import click

from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, listed
from fairlead.cli.nics import parse_nic
from fairlead.cli.output import progress, show_list, show_one
from fairlead.client.session import ClientError, Json


@click.command()
@click.option("--server", "server_name", help="A server that is there, placed or not.")
@click.option("--flavor", help="The flavor of a server that is not booted yet.")
@click.option("--nic", "nics", multiple=True, metavar="KEY=VALUE,...", help="As for `server create`.")
@click.option("--host", help="The host that it should take.")
@pass_invocation
def explain(invocation: Invocation, /, **options: object) -> None:
    """Say where a server fits, or host by host why not: what was asked, how many there were, who holds them,
    and what would help.
    """
    session = invocation.session
    if options["server_name"]:
        found = find(session, "/compute/v2.1/servers/detail", "server", str(options["server_name"]))
        answer = session.get(f"/v1/servers/{found['id']}/explain")
    elif options["flavor"]:
        flavor = find(session, "/compute/v2.1/flavors/detail", "flavor", str(options["flavor"]))
        nics = [parse_nic(session, text) for text in cast("tuple[str, ...]", options["nics"])]
        body: Json = {"name": "explain", "flavorRef": flavor["id"], "networks": nics or "none"}
        if options["host"]:
            body["host"] = options["host"]
        answer = session.post("/v1/explain", {"server": body})
    else:
        raise click.UsageError("Give --server NAME, or --flavor NAME and its --nic.")
    _show_explanation(invocation, cast("Json", answer["explanation"]))


@click.command()
@click.option("--server", "server_name", help="Only of this server.")
@click.option("--subject", help="Only of this device, port or host, by id.")
@pass_invocation
def event(invocation: Invocation, server_name: str | None, subject: str | None) -> None:
    """List what happened."""
    params = {"subject": subject} if subject else {}
    if server_name:
        found = find(invocation.session, "/compute/v2.1/servers/detail", "server", server_name)
        params["server"] = str(found["id"])
    columns = {"At": "at", "Event": "kind", "What": "message"}
    show_list(invocation, listed(invocation.session, "/v1/events", params), columns)


@click.command()
@pass_invocation
def audit(invocation: Invocation) -> None:
    """Check every invariant of what is held and bound; fails when one is broken."""
    violations = listed(invocation.session, "/v1/audit")
    show_list(invocation, violations, {"Invariant": "code", "Subject": "subject", "What": "message"})
    if violations:
        raise ClientError(
            f"{len(violations)} invariants are broken.", hint="Please report this with its events."
        )
    progress("Nothing is held twice, lost or half-bound.")


@click.command()
@pass_invocation
def health(invocation: Invocation) -> None:
    """Say whether control, its database and the hosts are well."""
    show_one(invocation, invocation.session.get("/v1/health"))


def _show_explanation(invocation: Invocation, explanation: Json) -> None:
    if invocation.wants_json:
        show_one(invocation, explanation)
        return
    click.echo(str(explanation["summary"]))
    for host in cast("list[Json]", explanation["hosts"]):
        click.echo(f"\n{host['host_name']}")
        for reason in cast("list[Json]", host["reasons"]):
            click.echo(f"  - {reason['message']}")
            holders = cast("list[str]", reason.get("holders") or [])
            if holders:
                click.echo(f"    held by: {', '.join(holders)}")
            if reason.get("hint"):
                click.echo(f"    what would help: {reason['hint']}")
