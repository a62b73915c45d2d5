"""QoS policies and their rules. Rates in kbit/s as Neutron has them; a VF is told whole Mbit/s."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fairlead.model.ids import ProjectId, QosPolicyId, QosRuleId


class QosRuleKind(Enum):
    """Neutron's rule types that a VF or a bridge can serve."""

    BANDWIDTH_LIMIT = "bandwidth_limit"
    MINIMUM_BANDWIDTH = "minimum_bandwidth"


class Direction(Enum):
    """Seen from the guest."""

    EGRESS = "egress"
    INGRESS = "ingress"


@dataclass(frozen=True, slots=True)
class QosRule:
    """One rule; at most one of a kind and direction in a policy. `max_burst_kbps` 0: the driver's own."""

    id: QosRuleId
    kind: QosRuleKind
    direction: Direction
    kbps: int
    max_burst_kbps: int = 0


@dataclass(frozen=True, slots=True)
class QosPolicy:
    """A named set of rules that networks and ports refer to."""

    id: QosPolicyId
    project_id: ProjectId
    name: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    is_default: bool = False
    rules: tuple[QosRule, ...] = ()
    tags: tuple[str, ...] = ()
    revision: int = 0


def egress_limit_kbps(policy: QosPolicy | None) -> int | None:
    """The cap on what the guest sends, kbit/s; None: no cap was asked for."""
    return _kbps(policy, QosRuleKind.BANDWIDTH_LIMIT)


def egress_minimum_kbps(policy: QosPolicy | None) -> int | None:
    """What the guest must be able to send, kbit/s; None: nothing was promised."""
    return _kbps(policy, QosRuleKind.MINIMUM_BANDWIDTH)


def mbps(kbps: int) -> int:
    """kbit/s as the whole Mbit/s a VF is told: rounded half up, never 0 for a wish that is not 0."""
    return max(1, (kbps + 500) // 1000) if kbps else 0


def _kbps(policy: QosPolicy | None, kind: QosRuleKind) -> int | None:
    rules = policy.rules if policy else ()
    return next((r.kbps for r in rules if r.kind is kind and r.direction is Direction.EGRESS), None)
