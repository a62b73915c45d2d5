"""A host as /v1 shows it."""

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from fairlead.api.native.records import Time, says, viewed
from fairlead.control import hosts as control
from fairlead.control.hosts import Liveness, liveness
from fairlead.model.host import Hold, Host, HostAdmin, HostCapacity
from fairlead.model.ids import HostId, ServerId


class HostView(Struct, frozen=True, kw_only=True):
    """A host: a machine that runs guests, and its agent. Its secrets are never shown."""

    id: HostId
    name: Annotated[str, says("What people call it; it stands for the id in every path.")]
    created_at: Time
    labels: Annotated[dict[str, str], says("The operator's own words, for device policies to match.")]
    admin: Annotated[HostAdmin, says("Whether the operator lets it take new servers.")]
    admin_reason: Annotated[str, says('Why it is disabled, in the operator\'s words; "": none was given.')]
    generation: Annotated[int, says("The newest desired state of the host.")]
    generation_seen: Annotated[int, says("The newest desired state that its agent has reported on.")]
    capacity: Annotated[HostCapacity, says("What it has for guests, after what it keeps for itself.")]
    token_expires_at: Annotated[Time | None, says("Until when its agent may enrol; null: no token is open.")]
    enrolled_at: Annotated[Time | None, says("When its agent enrolled; null: not yet.")]
    last_seen_at: Annotated[
        Time | None, says("When its agent was last heard of, be it by a poll; null: never.")
    ]
    reported_at: Annotated[Time | None, says("When its agent last told how the host is; null: never.")]
    agent_version: Annotated[str, says('The release that its agent is of; "" before it enrols.')]
    report_serial: Annotated[int, says("The serial of the newest report applied.")]
    holds: Annotated[
        tuple[Hold, ...], says("What its agent does not do now because it would disturb somebody.")
    ]
    removals: Annotated[
        tuple[ServerId, ...], says("Guests of no server that are to be removed and are not gone yet.")
    ]
    revision: Annotated[int, says("Grows with every change.")]
    liveness: Annotated[Liveness, says("How its agent is.")]
    is_alive: Annotated[bool, says("Whether `liveness` is `alive`.")]
    is_enrolled: Annotated[bool, says("Whether its agent has a credential.")]
    why_not: Annotated[str, says('Why it takes no servers now, in words; "": it does.')]


class AgentView(Struct, frozen=True, kw_only=True):
    """A host's agent."""

    host_id: HostId
    host_name: str
    liveness: Annotated[Liveness, says("How it is.")]
    is_alive: Annotated[bool, says("Whether `liveness` is `alive`.")]
    is_enrolled: Annotated[bool, says("Whether it has a credential.")]
    last_seen_at: Annotated[Time | None, says("When it was last heard of, be it by a poll; null: never.")]
    reported_at: Annotated[Time | None, says("When it last told how the host is; null: never.")]
    agent_version: Annotated[str, says('The release that it is of; "" before it enrols.')]
    generation: Annotated[int, says("The newest desired state of its host.")]
    generation_seen: Annotated[int, says("The newest desired state that it has reported on.")]
    holds: Annotated[tuple[Hold, ...], says("What it does not do now because it would disturb somebody.")]


def host_view(host: Host, now: datetime) -> HostView:
    """The host with its agent's liveness, and why it takes no servers now."""
    alive = liveness(host, now)
    return viewed(
        HostView,
        host,
        liveness=alive,
        is_alive=alive is Liveness.ALIVE,
        is_enrolled=host.credential is not None,
        why_not=control.why_not(host, now),
    )


def agent_view(host: Host, now: datetime) -> AgentView:
    """The host's agent."""
    return viewed(AgentView, host_view(host, now), host_id=host.id, host_name=host.name)
