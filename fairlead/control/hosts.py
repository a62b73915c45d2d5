"""Hosts: enrol, authenticate, enable, disable, label, delete; and whether their agents are alive.

Tokens and credentials are `<host id>.<secret>`; only the digest of the secret is kept. Secrets are the
caller's randomness (at least 256 bits): control functions may be run twice, and take no randomness.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from hmac import compare_digest

from msgspec import UNSET, UnsetType

from fairlead.control import aggregates
from fairlead.control.boundary import SCHEDULER, Tx, host_wake
from fairlead.control.changes import applied, check_revision
from fairlead.control.events import tell_host
from fairlead.control.policy_matches import rematch
from fairlead.model.binding import BindingRole
from fairlead.model.errors import Conflict, InvalidValue, NotAllowed
from fairlead.model.host import Host, HostAdmin
from fairlead.model.ids import HostId
from fairlead.model.pci import DeviceKind
from fairlead.wire.documents import Enrolled, Enrolment

SILENT = timedelta(seconds=30)
"""An agent reports or sends a heartbeat at least every ten seconds: after three missed ones its host takes no
new servers.
"""
UNREPORTED = timedelta(seconds=60)
"""Its polls go on while its loop hangs, or cannot read its host. A tick that makes hundreds of VFs may take long."""
_ANOTHER = "On control's side `fairlead host enrol NAME --again` makes another."
TOKEN_LASTS = timedelta(hours=24)
_SEEN_EVERY = timedelta(seconds=5)
_SKEW = SILENT
"""How far ahead a time may be that another control wrote, whose clock is not ours."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?")
_NAMED = 5


class Liveness(Enum):
    """Derived from when a host's agent was last heard of, and last reported. NOT_REPORTING: it answers, and does not
    tell how its host is.
    """

    NEVER_SEEN = "never_seen"
    ALIVE = "alive"
    NOT_REPORTING = "not_reporting"
    SILENT = "silent"

    @property
    def is_heard(self) -> bool:
        """Whether the agent is there, and may act on its host."""
        return self in {Liveness.ALIVE, Liveness.NOT_REPORTING}


@dataclass(frozen=True, slots=True)
class NewHost:
    """What a host is made from; `labels` are for device policies to match."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostChanges:
    """What may change. What is not given (UNSET) stays as it is."""

    name: str | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    admin: HostAdmin | UnsetType = UNSET
    admin_reason: str | UnsetType = UNSET


def create(tx: Tx, new: NewHost, secret: str) -> tuple[Host, str]:
    """The new host, and the token with which its agent enrols, once, within a day. Raises InvalidValue for
    the name, Conflict `name_in_use`.
    """
    _check_name(new.name)
    host = Host(
        id=HostId(tx.new_id()),
        name=new.name,
        created_at=tx.now,
        labels=new.labels,
        token=_digest(secret),
        token_expires_at=tx.now + TOKEN_LASTS,
    )
    tx.hosts.add(host)
    return host, f"{host.id}.{secret}"


def renew_token(tx: Tx, host_id: HostId, secret: str) -> str:
    """Another token for a known host; its old credential works until the token is used. Raises NotFound."""
    host = tx.hosts.lock(host_id)
    tx.hosts.put(replace(host, token=_digest(secret), token_expires_at=tx.now + TOKEN_LASTS))
    return f"{host.id}.{secret}"


def enrol(tx: Tx, enrolment: Enrolment, secret: str) -> Enrolled:
    """Trades the token for a credential.
    Raises NotAllowed `bad_token` for a token that is unknown, used or too old.
    """
    host_id, _, told = enrolment.token.partition(".")
    host = tx.hosts.lock(host_id) if tx.hosts.get(host_id) else None
    if host is None or not _is_same(told, host.token):
        raise NotAllowed(f"This token is not known, or was used already. {_ANOTHER}", code="bad_token")
    if host.token_expires_at is not None and host.token_expires_at < tx.now:
        raise NotAllowed(f"The token of host {host.name} has expired. {_ANOTHER}", code="bad_token")
    enrolled = replace(
        host,
        token=None,
        token_expires_at=None,
        credential=_digest(secret),
        enrolled_at=tx.now,
        agent_version=enrolment.agent_version,
    )
    tx.hosts.put(enrolled)
    message = f"Agent {enrolment.agent_version} on {enrolment.hostname} enrolled as {host.name}."
    tell_host(tx, enrolled, "host_enrolled", message)
    return Enrolled(host.id, host.name, f"{host.id}.{secret}")


def authenticate(tx: Tx, host_id: HostId, credential: str) -> Host:
    """The host whose credential it is. Raises NotAllowed `bad_credential` for any other, known or not."""
    host = tx.hosts.get(host_id)
    owner, _, secret = credential.partition(".")
    if host is None or owner != host_id or not _is_same(secret, host.credential):
        raise NotAllowed("This is not the credential of that host.", code="bad_credential")
    return host


def update(tx: Tx, host_id: HostId, changes: HostChanges, revision: int | None = None) -> Host:
    """The changed host; new labels are matched by the device policies at once. Raises NotFound, InvalidValue,
    Conflict `revision`, `name_in_use`, and `in_use` where a device that is held would lose its policy.
    """
    host = tx.hosts.lock(host_id)
    check_revision(host, revision)
    changed = applied(replace, host, changes)
    _check_name(changed.name)
    if changed.admin is HostAdmin.ENABLED and changes.admin_reason is UNSET:
        changed = replace(changed, admin_reason="")
    changed = tx.hosts.put(changed)
    if changed.labels != host.labels or changed.name != host.name:
        changed = rematch(tx, changed, tx.policies.find())
    if changed.admin is not host.admin:
        reason = f": {changed.admin_reason}" if changed.admin_reason else ""
        tell_host(
            tx,
            changed,
            f"host_{changed.admin.value}",
            f"Host {changed.name} was {changed.admin.value}{reason}.",
        )
    tx.wakes |= {SCHEDULER, host_wake(host_id)}
    return changed


def delete(tx: Tx, host_id: HostId) -> None:
    """The host and its inventory are forgotten, and its credential is worth nothing. Raises NotFound, and
    Conflict `in_use` that names the servers on it.
    """
    host = tx.hosts.lock(host_id)
    if servers := tx.servers.find(host_id=host_id):
        named = ", ".join(server.name or server.id for server in servers[:_NAMED])
        more = f" and {len(servers) - _NAMED} more" if len(servers) > _NAMED else ""
        raise Conflict(
            "in_use",
            f"Host {host.name} has servers: {named}{more}. Delete them first; where the machine is gone for good, "
            "`fairlead host delete --force` leaves them without a host.",
            field="host",
        )
    for binding in tx.bindings.find(host_id=host_id, role=BindingRole.INACTIVE):
        tx.bindings.remove((binding.port_id, host_id))
        if binding.device_id is not None:
            tx.allocations.remove(binding.device_id)
    devices = tx.devices.find(host_id=host_id)
    for device in sorted(devices, key=lambda device: device.kind is not DeviceKind.VF):
        tx.devices.remove(device.id)
    aggregates.forget_host(tx, host_id)
    tx.hosts.remove(host_id)
    tx.wakes |= {SCHEDULER, host_wake(host_id)}


def seen(tx: Tx, host: Host) -> Host:
    """The locked host, marked as heard of just now; written at most every five seconds, and no change of it."""
    if host.last_seen_at is not None and abs(tx.now - host.last_seen_at) < _SEEN_EVERY:
        return host
    return tx.hosts.touch(host, last_seen_at=tx.now)


def reported(tx: Tx, host: Host, serial: int) -> Host:
    """The locked host, which is as in its agent's report of that serial; no change of it."""
    return tx.hosts.touch(host, last_seen_at=tx.now, reported_at=tx.now, report_serial=serial)


def liveness(host: Host, now: datetime) -> Liveness:
    """Whether the host's agent is there, and tells how the host is."""
    if host.last_seen_at is None:
        return Liveness.NEVER_SEEN
    if not _is_recent(host.last_seen_at, now, SILENT):
        return Liveness.SILENT
    is_told = host.reported_at is not None and _is_recent(host.reported_at, now, UNREPORTED)
    return Liveness.ALIVE if is_told else Liveness.NOT_REPORTING


def why_not(host: Host, now: datetime) -> str:
    """Why the host takes no servers now, for people; "" when it does."""
    if host.admin is HostAdmin.DISABLED:
        return f"it is disabled: {host.admin_reason}" if host.admin_reason else "it is disabled"
    match liveness(host, now):
        case Liveness.NEVER_SEEN:
            return (
                "its agent has not reported yet" if host.enrolled_at else "no agent has enrolled for it yet"
            )
        case Liveness.SILENT if host.last_seen_at and host.last_seen_at > now:
            at = _shown(host.last_seen_at)
            return f"its agent was last heard of at {at}, which is still to come: is the clock right?"
        case Liveness.SILENT:
            return f"its agent has not been heard of since {_shown(host.last_seen_at)}"
        case Liveness.ALIVE | Liveness.NOT_REPORTING if not host.report_serial:
            return "its agent has not reported yet"
        case Liveness.NOT_REPORTING:
            return (
                f"its agent answers, and has not reported since {_shown(host.reported_at)}: its log says why"
            )
        case Liveness.ALIVE:
            return ""


def _is_recent(at: datetime, now: datetime, within: timedelta) -> bool:
    """A time to come is not: the clock was set back, and says nothing of how long ago that was."""
    return -_SKEW <= now - at <= within


def _shown(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "it enrolled"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidValue("name", name, "a host name: letters, digits, '.', '_' and '-'")


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _is_same(secret: str, digest: str | None) -> bool:
    """In a time that tells nothing of how much of it was right."""
    return digest is not None and compare_digest(_digest(secret), digest)
