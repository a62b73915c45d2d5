"""Handler of the audit trail: who did what, page by page."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from msgspec import Meta, Struct

from fairlead.api.call import Call
from fairlead.api.native.queries import Query
from fairlead.api.native.records import says, viewed
from fairlead.model.audit_trail import AuditRecord, Did, Outcome, ResourceKind, TrailFilter
from fairlead.model.identity import CredentialKind, Role

PATH = "/v1/audit-trail"
_USUAL, _MOST = 100, 1000
_LARGEST = 10**9 - 1
_Id = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class TrailQuery(Query, frozen=True, kw_only=True):
    """Which records: all that is given must be so."""

    user: Annotated[str | None, says("Of the user of this id.")] = None
    user_name: Annotated[str | None, says("Of a user of this name.")] = None
    project: Annotated[str | None, says("Of who was in the project of this id.")] = None
    request: Annotated[
        str | None, says("Of the request that was answered with this x-openstack-request-id.")
    ] = None
    action: Annotated[str | None, says("What goes by this rule, such as create_port.")] = None
    kind: Annotated[ResourceKind | None, says("About such a thing.")] = None
    resource: Annotated[
        str | None, says("About the thing of this id; a part of an id of several parts will do.")
    ] = None
    outcome: Annotated[Outcome | None, says("What came to this.")] = None
    code: Annotated[str | None, says("What was refused with this code.")] = None
    since: Annotated[datetime | None, says("From this time on; without an offset it is UTC.")] = None
    until: Annotated[datetime | None, says("Before this time.")] = None
    limit: Annotated[
        int, Meta(ge=1, le=_LARGEST), says(f"At most so many; {_MOST} is the most there can be.")
    ] = _USUAL
    marker: Annotated[_Id | None, says("Those before the record of this id; `next` gives it.")] = None


class ResourceView(Struct, frozen=True):
    """A thing that a request was about."""

    kind: ResourceKind
    id: Annotated[
        str, says("Where it has several parts, such as user/project/role, a slash is between them.")
    ]
    did: Annotated[Did | None, says("What was done to it; null: nothing, for it was refused.")]


class RecordView(Struct, frozen=True, kw_only=True):
    """A request that changed something, or was refused."""

    id: Annotated[str, says("A UUID of version 7: they have the order of time.")]
    at: Annotated[datetime, says("When it was begun.")]
    user_id: Annotated[str, says('Who asked; "": nobody knows.')]
    user_name: str
    project_id: Annotated[str, says("The project they were in.")]
    roles: Annotated[tuple[Role, ...], says("What they were there, with what that implies.")]
    credential: Annotated[CredentialKind, says("How they showed who they are.")]
    application_credential_id: Annotated[str | None, says("The application credential that it was shown by.")]
    remote_address: Annotated[str, says('Where they asked from; "": by the unix socket.')]
    request_id: Annotated[str, says("The x-openstack-request-id of the answer.")]
    action: Annotated[str, says("The rule by which it goes; of a refusal by a rule, that rule.")]
    resources: Annotated[
        tuple[ResourceView, ...], says("What was created, changed or deleted; all of a bulk.")
    ]
    attributes: Annotated[tuple[str, ...], says("The names, and no value, of what a change's body had.")]
    outcome: Outcome
    status: Annotated[int | None, says("What was answered; null where it was done.")]
    code: Annotated[str, says('Of the refusal; "" where it was done.')]
    times: Annotated[
        int,
        says("How many refusals it stands for: where they are too many, the last is kept, and their number."),
    ]


class RecordList(Struct, frozen=True):
    """A page of the audit trail."""

    records: list[RecordView]
    next: Annotated[
        str | None,
        says(
            "Where the next page is; null: there is none. A page may be short, or empty, and have a next one."
        ),
    ]


def list_records(call: Call, query: TrailQuery) -> RecordList:
    """Who did what, and what was refused, newest first. What only looks is not in it."""
    wanted = TrailFilter(
        since=_aware(query.since),
        until=_aware(query.until),
        before=query.marker,
        user_id=query.user,
        user_name=query.user_name,
        project_id=query.project,
        request_id=query.request,
        action=query.action,
        outcome=query.outcome,
        code=query.code,
        resource_kind=query.kind,
        resource_id=query.resource,
    )
    page = call.run(lambda tx: tx.audit_trail.page(wanted, min(query.limit, _MOST)))
    link = page.marker and call.url(f"{PATH}?{urlencode({**dict(call.query), 'marker': page.marker})}")
    return RecordList([_view(record) for record in page.records], link)


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _view(record: AuditRecord) -> RecordView:
    resources = tuple(viewed(ResourceView, resource) for resource in record.resources)
    return viewed(RecordView, record, resources=resources)
