"""RBAC policies: what of a project's others may use (Neutron's word and noun)."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.model.ids import NetworkId, ProjectId, QosPolicyId, RbacPolicyId

EVERYBODY = "*"
"""In `RbacPolicy.target`: every project."""


@dataclass(frozen=True, slots=True)
class RbacPolicy:
    """A network or a QoS policy that a project may use besides its owner's. Exactly one of `network_id` and
    `qos_policy_id` is set; `target` is a project's id, or EVERYBODY. One row for each of them and target.

    It is the project's whose the network or QoS policy is.
    """

    id: RbacPolicyId
    project_id: ProjectId
    target: str
    created_at: datetime
    network_id: NetworkId | None = None
    qos_policy_id: QosPolicyId | None = None
