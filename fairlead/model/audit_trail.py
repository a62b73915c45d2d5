"""The audit trail: who did what to which thing and when, and what was refused to whom.

A record is of a request that changed something, or was refused. It has names of attributes and never a value, for
values are where passwords, keys and user data are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from fairlead.model.identity import CredentialKind, Role
from fairlead.model.time_ids import time_ordered_id


class ResourceKind(Enum):
    """What people call a thing that they change; the words of the glossary with underscores."""

    NETWORK = "network"
    SUBNET = "subnet"
    PORT = "port"
    QOS_POLICY = "qos_policy"
    QOS_RULE = "qos_rule"
    PORT_PROFILE = "port_profile"
    RBAC_POLICY = "rbac_policy"
    FLAVOR = "flavor"
    IMAGE = "image"
    IMAGE_MEMBER = "image_member"
    SERVER = "server"
    KEYPAIR = "keypair"
    SERVER_GROUP = "server_group"
    AGGREGATE = "aggregate"
    HOST = "host"
    DEVICE = "device"
    DEVICE_POLICY = "device_policy"
    ALIAS = "alias"
    FABRIC = "fabric"
    QUOTA = "quota"
    PROJECT = "project"
    USER = "user"
    ROLE_ASSIGNMENT = "role_assignment"
    APPLICATION_CREDENTIAL = "application_credential"


class Did(Enum):
    """What was done to a thing."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class Outcome(Enum):
    """What came of a request."""

    DONE = "done"
    REFUSED = "refused"
    """Nothing was changed; the record has the status and the code of the refusal."""
    FAILED = "failed"
    """A fault of ours; the log has its story under the request's id."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing that a request was about. `did` None: nothing was done to it. The parts of an id of several parts (a role
    assignment's user, project and role) have a slash between them.
    """

    kind: ResourceKind
    id: str
    did: Did | None = None


@dataclass(frozen=True, slots=True)
class Doer:
    """Who asks, and from where. Without `user_id` nobody knows who: `user_name` is never what somebody only says to
    be, for it may be a password in the wrong field. `remote_address` "": by the unix socket.
    """

    user_id: str = ""
    user_name: str = ""
    project_id: str = ""
    roles: tuple[Role, ...] = ()
    credential: CredentialKind = CredentialKind.NONE
    application_credential_id: str | None = None
    remote_address: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody asks for: the rule by which it goes, what its path names, and which attributes its body does."""

    doer: Doer
    action: str
    named: Resource | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry of the trail; its fields are those of Doer and Deed, and what came of it.

    id: a UUID of version 7, so that ids have the order of time. status: HTTP's, of what was refused or failed; None for
    what was done, for its record is written before it is answered. times: how many refusals it stands for, where there
    were too many to keep each (api/refusals.py): it is then the last of them.
    """

    id: str
    at: datetime
    user_id: str
    user_name: str
    project_id: str
    roles: tuple[Role, ...]
    credential: CredentialKind
    application_credential_id: str | None
    remote_address: str
    request_id: str
    action: str
    resources: tuple[Resource, ...]
    attributes: tuple[str, ...]
    outcome: Outcome
    status: int | None = None
    code: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True)
class AuditedResource:
    """By which ids a record is found: a resource's own, and each part of one of several parts."""

    record_id: str
    resource_id: str
    kind: ResourceKind


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which records: all that is given must be so. `since` and before `until`; `before`: older than the record of
    that id. `resource_id` is a whole id or a part of one.
    """

    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    project_id: str | None = None
    request_id: str | None = None
    action: str | None = None
    outcome: Outcome | None = None
    code: str | None = None
    resource_kind: ResourceKind | None = None
    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Records, newest first, and the id that the next page is before; None: there is no more. A page may have less than
    was asked for, or nothing, and still have a next one.
    """

    records: tuple[AuditRecord, ...]
    marker: str | None


Write = tuple[str, str, Did]
"""A row that a transaction wrote: the glossary word of its noun, its key, and how."""

_KINDS: Mapping[str, ResourceKind] = {kind.value.replace("_", " "): kind for kind in ResourceKind}
_KEPT_BY_CONTROL = {(ResourceKind.HOST, Did.CHANGED), (ResourceKind.SUBNET, Did.CHANGED)} | {
    (ResourceKind.DEVICE, did) for did in Did
}
"""What control writes by itself with much of what anybody does: it counts where the path names one of the kind."""
_LOOKS = frozenset({"question"})
"""Nouns whose rows are written to look: a host is asked for a console's text."""
_LONGEST_ID = 255
_FAULTS = 500


def kind_of(word: str) -> ResourceKind | None:
    """The kind of a glossary word; None for what is no thing of its own to people, such as an allocation."""
    return _KINDS.get(word.lower())


def is_change(writes: Iterable[Write]) -> bool:
    """Whether a transaction that wrote these rows changed something."""
    return any(word not in _LOOKS for word, _, _ in writes)


def done(deed: Deed, writes: Iterable[Write], at: datetime, random: str) -> AuditRecord:
    """The record of a deed that wrote these rows."""
    found = _concerned(writes, deed.named)
    if deed.named is not None and all(resource.kind is not deed.named.kind for resource in found):
        # What was written belongs to it, such as a port's binding.
        found = (Resource(deed.named.kind, deed.named.id[:_LONGEST_ID], Did.CHANGED), *found)
    return _record(deed, Outcome.DONE, found, at, random)


def refused(deed: Deed, status: int, code: str, times: int, at: datetime, random: str) -> AuditRecord:
    """The record of a deed that was refused, or that failed by a fault of ours."""
    named = (Resource(deed.named.kind, deed.named.id[:_LONGEST_ID]),) if deed.named else ()
    outcome = Outcome.FAILED if status >= _FAULTS else Outcome.REFUSED
    record = _record(deed, outcome, named, at, random)
    return replace(record, status=status, code=code, times=times)


def found_by(record: AuditRecord) -> tuple[AuditedResource, ...]:
    """By what the record's resources are found."""
    keys = {
        key: resource.kind
        for resource in record.resources
        for key in (*resource.id.split("/"), resource.id)
        if key
    }
    return tuple(AuditedResource(record.id, key, kind) for key, kind in keys.items())


def _concerned(writes: Iterable[Write], named: Resource | None) -> tuple[Resource, ...]:
    """The things that people would say were written, each once, in the order in which they first were."""
    found: dict[tuple[ResourceKind, str], Did] = {}
    for word, key, did in writes:
        kind = kind_of(word)
        is_named = named is not None and named.kind is kind
        if kind is None or ((kind, did) in _KEPT_BY_CONTROL and not is_named):
            continue
        before = found.get((kind, key))
        if before is Did.CREATED and did is Did.DELETED:
            del found[(kind, key)]
        elif before is not Did.CREATED:
            found[(kind, key)] = did
    return tuple(Resource(kind, key, did) for (kind, key), did in found.items())


def _record(
    deed: Deed, outcome: Outcome, resources: tuple[Resource, ...], at: datetime, random: str
) -> AuditRecord:
    doer = deed.doer
    return AuditRecord(
        id=time_ordered_id(at, random),
        at=at,
        user_id=doer.user_id,
        user_name=doer.user_name,
        project_id=doer.project_id,
        roles=doer.roles,
        credential=doer.credential,
        application_credential_id=doer.application_credential_id,
        remote_address=doer.remote_address,
        request_id=doer.request_id,
        action=deed.action,
        resources=resources,
        attributes=deed.attributes,
        outcome=outcome,
    )
