"""Aggregates: hosts that an operator tells apart. One with a zone makes its hosts an availability zone."""

from dataclasses import dataclass, field
from datetime import datetime

from fairlead.model.ids import AggregateId, HostId

DEFAULT_ZONE = "nova"
"""The zone of the hosts that no aggregate puts into another."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`id` is a number as text, as Nova counts them. `zone` None: it is no availability zone."""

    id: AggregateId
    uuid: str
    name: str
    created_at: datetime
    updated_at: datetime | None = None
    zone: str | None = None
    hosts: tuple[HostId, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    revision: int = 0
