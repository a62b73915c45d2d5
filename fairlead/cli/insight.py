"""`fairlead explain|event|audit|health`: why, what happened, and whether all is well."""

from typing import cast

import click

from fairlead.cli.completing import complete_nic, completes
from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find, find_id, listed, names, newest_events
from fairlead.cli.nics import parse_nic
from fairlead.cli.output import Record, Words, as_it_is, progress, show_list, show_one
from fairlead.client.session import ClientError, Json, Session

_SERVERS = "/compute/v2.1/servers/detail"


@click.command()
@click.option(
    "--server",
    "server_name",
    shell_complete=completes("server"),
    help="A server that is there, placed or not.",
)
@click.option(
    "--flavor", shell_complete=completes("flavor"), help="The flavor of a server that is not booted yet."
)
@click.option(
    "--nic",
    "nics",
    multiple=True,
    metavar="KEY=VALUE,...",
    shell_complete=complete_nic,
    help="As for `server create`.",
)
@click.option("--host", shell_complete=completes("host"), help="The host that it should take.")
@pass_invocation
def explain(invocation: Invocation, /, **options: object) -> None:
    """Say where a server fits, or host by host why not: what was asked, how many there were, who holds them,
    and what would help.
    """
    session = invocation.session
    if options["server_name"]:
        found = find(session, _SERVERS, "server", str(options["server_name"]))
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
@click.option(
    "--server", "server_name", shell_complete=completes("server"), help="Only of this server, by name or id."
)
@click.option("--subject", help="Only of this device, by id, or of this host or port, by name or id.")
@click.option(
    "--limit", type=click.IntRange(1), default=200, show_default=True, help="Only that many, the newest."
)
@pass_invocation
def event(invocation: Invocation, server_name: str | None, subject: str | None, limit: int) -> None:
    """List what happened, the newest last."""
    session = invocation.session
    params = {"subject": _subject_id(session, subject)} if subject else {}
    if server_name:
        params["server"] = find_id(session, _SERVERS, "server", server_name)
    records = newest_events(session, params, limit)
    columns = {"At": "at", "Host": "host", "Server": "server", "Event": "kind", "What": "message"}
    show_list(invocation, records, columns, as_it_is if invocation.wants_json else _event_wording(session))


@click.command()
@pass_invocation
def audit(invocation: Invocation) -> None:
    """Check every invariant of what is held and bound; fails when one is broken."""
    violations = listed(invocation.session, "/v1/audit")
    if violations or invocation.wants_json:
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


def _event_wording(session: Session) -> Words:
    hosts, servers = names(session, "/v1/hosts"), names(session, _SERVERS)

    def words(record: Record) -> Record:
        host, server = str(record["host_id"] or ""), str(record["server_id"] or "")
        return {**record, "host": hosts.get(host, host), "server": servers.get(server, server)}

    return words


def _subject_id(session: Session, wanted: str) -> str:
    """The id of the host or port of that name; what is neither must be an id."""
    for collection in ("/v1/hosts", "/network/v2.0/ports"):
        for identity, name in names(session, collection).items():
            if wanted == name:
                return identity
    return find_id(session, "/v1/devices", "device", wanted)
