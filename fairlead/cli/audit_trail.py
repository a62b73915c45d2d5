"""`fairlead audit-trail`: who did what to which thing and when, and what was refused."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import click
import msgspec

from fairlead.cli.invocation import Invocation, pass_invocation
from fairlead.cli.lookup import find_id
from fairlead.cli.output import Record, show_list
from fairlead.client.session import Json, Session
from fairlead.model.audit_trail import Outcome, ResourceKind

_PATH = "/v1/audit-trail"
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LOOK_SECONDS = 2.0
_EVERY = 1_000_000
_LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)
_SHOWN = 5
"""Of the things that a request was about, for people."""
_OVERLAP = timedelta(seconds=30)
"""A record has the time at which its transaction began, so one may come to light behind a later one."""
_COLUMNS = {"At": "at", "Who": "who", "From": "remote_address", "What": "what", "On": "on", "Outcome": "came"}


@click.command("audit-trail")
@click.option("--user", help="Only of this user, by name or id.")
@click.option("--project", help="Only of who was in this project, by name or id.")
@click.option(
    "--action", help="Only what goes by this rule, such as create_port; `fairlead rules` lists them."
)
@click.option(
    "--kind", type=click.Choice([kind.value for kind in ResourceKind]), help="Only about this kind of thing."
)
@click.option("--resource", help="Only about the thing of this id.")
@click.option("--outcome", type=click.Choice([one.value for one in Outcome]), help="Only what came to this.")
@click.option("--code", help="Only what was refused with this code, such as quota_exceeded.")
@click.option(
    "--request", help="Only of this request, by the x-openstack-request-id that it was answered with."
)
@click.option(
    "--since", help="Only from then on: a time such as 2027-01-31T12:00:00Z, or 2h or 3d for so long ago."
)
@click.option("--until", help="Only what was before then.")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Only that many, the newest."
)
@click.option("--follow", is_flag=True, help="Go on with what comes, a line each, until you end it.")
@pass_invocation
def audit_trail(invocation: Invocation, /, *, limit: int, follow: bool, **options: str | None) -> None:
    """List who did what, and what was refused, the newest last."""
    session = invocation.session
    params = _params(session, {name: value for name, value in options.items() if value is not None})
    records = _newest(session, params, limit)[::-1]
    if not follow:
        show_list(invocation, records, _COLUMNS, _words)
        return
    for record in _followed(session, params, records):
        click.echo(msgspec.json.encode(record).decode() if invocation.wants_json else _line(record))


def _params(session: Session, options: dict[str, str]) -> dict[str, str]:
    params = dict(options)
    for name in ("since", "until"):
        if name in params:
            params[name] = _time(params[name])
    if "user" in params and not _ID.fullmatch(params["user"]):
        params["user_name"] = params.pop("user")
    if "project" in params and not _ID.fullmatch(params["project"]):
        params["project"] = find_id(session, "/identity/v3/projects", "project", params["project"])
    return params


def _time(text: str) -> str:
    """A time as control takes it, of one that is so long ago or as it stands."""
    ago = _AGO.fullmatch(text)
    if ago is None:
        return text
    return (datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()


def _newest(session: Session, params: dict[str, str], limit: int) -> list[Json]:
    """The newest records, newest first, from as many pages as it takes."""
    found: list[Json] = []
    asked = {**params, "limit": str(min(limit, 1000))}
    while True:
        page = session.get(_PATH, asked)
        found += cast("list[Json]", page["records"])
        if len(found) >= limit or not page["next"]:
            return found[:limit]
        asked = dict(parse_qsl(urlsplit(str(page["next"])).query))


def _followed(session: Session, params: dict[str, str], records: list[Json]) -> Iterator[Json]:
    """These, and those that come, each once. All times are control's: nobody knows how the clock here goes."""
    first = str(records[0]["id"]) if records else ""
    shown: dict[str, datetime] = {}
    while True:
        for record in records:
            key = str(record["id"])
            if key >= first and key not in shown:
                shown[key] = datetime.fromisoformat(str(record["at"]))
                yield record
        since = max(shown.values(), default=_LONG_AGO) - _OVERLAP
        shown = {key: at for key, at in shown.items() if at >= since}
        time.sleep(_LOOK_SECONDS)
        records = _newest(session, {**params, "since": since.isoformat()}, _EVERY)[::-1]


def _words(record: Record) -> Record:
    resources = cast("list[Json]", record["resources"])
    names = ", ".join(map(str, cast("list[str]", record["attributes"])))
    times = f", {record['times']} times" if record["times"] != 1 else ""
    refusal = f" ({record['status']} {record['code']}{times})" if record["status"] else ""
    return {
        **record,
        "at": str(record["at"])[:19].replace("T", " "),
        "who": record["user_name"] or record["user_id"] or "nobody",
        "what": f"{record['action']} ({names})" if names else record["action"],
        "on": [_resource(each) for each in resources[:_SHOWN]] + _more(len(resources)),
        "came": f"{record['outcome']}{refusal}",
    }


def _more(count: int) -> list[str]:
    return [f"and {count - _SHOWN} more"] if count > _SHOWN else []


def _resource(resource: Json) -> str:
    return " ".join(str(resource[key]) for key in ("kind", "id", "did") if resource[key])


def _line(record: Record) -> str:
    said = _words(record)
    on = ", ".join(cast("list[str]", said["on"]))
    return "  ".join(
        str(part) for part in (*(said[key] for key in ("at", "who", "remote_address", "what", "came")), on)
    )
