"""Hosts: machines that run guests, each with one agent."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from fairlead.model.count import Count
from fairlead.model.ids import HostId, ServerId
from fairlead.model.numa import NumaNode


class HostAdmin(Enum):
    """What the operator wants: ENABLED takes new servers, DISABLED keeps what it has and takes none."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class HostCapacity:
    """What a host has for guests, after what it keeps for itself."""

    vcpus: Count = 0
    memory_mib: Count = 0
    disk_gib: Count = 0
    numa: tuple[NumaNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """A host. The row is the lock of everything on it: whoever changes what it holds locks it first.

    `generation` counts changes of its desired state; `generation_seen` is the newest that its agent has
    reported on. `report_serial` is that of the newest report applied: only its successor is applied next.
    `last_seen_at`: its agent was heard of, if only by a poll; `reported_at`: it told how the host is, by a report or by
    a heartbeat that said "as before".
    `removals` are guests that are no server's and that the operator wants gone.
    `credential` and `token` are SHA-256 digests; `token` None: already enrolled.
    """

    id: HostId
    name: str
    created_at: datetime
    labels: dict[str, str] = field(default_factory=dict)
    admin: HostAdmin = HostAdmin.ENABLED
    admin_reason: str = ""
    generation: int = 1
    generation_seen: int = 0
    capacity: HostCapacity = HostCapacity()
    token: str | None = None
    token_expires_at: datetime | None = None
    credential: str | None = None
    enrolled_at: datetime | None = None
    last_seen_at: datetime | None = None
    reported_at: datetime | None = None
    agent_version: str = ""
    report_serial: int = 0
    holds: tuple["Hold", ...] = ()
    removals: tuple[ServerId, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """Something not done now because it would disturb somebody. An agent names `subject` by PCI address or key (a
    guest by its server id) and `holders` by server id; a host is shown with them by the names that people know.
    `server_id`: who cannot start before it is over; None: nobody. `is_unnamed_guest`: the subject is a guest that is
    no server's, which its operator may have removed.
    """

    subject: str
    what: str
    reason: str
    holders: tuple[str, ...] = ()
    server_id: ServerId | None = None
    is_unnamed_guest: bool = False
