"""RBAC policies: what of a project's others may use (Neutron's word and noun)."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.model.ids import NetworkId, PortProfileId, ProjectId, QosPolicyId, RbacPolicyId

EVERYBODY = "*"
"""In `RbacPolicy.target`: every project."""


@dataclass(frozen=True, slots=True)
class RbacPolicy:
    """A network, QoS policy or port profile that a project may use besides its owner's. Exactly one of `network_id`,
    `qos_policy_id` and `port_profile_id` is set; `target` is a project's id, or EVERYBODY. One row for each of them
    and target.

    It is the project's whose the shared thing is.
    """

    id: RbacPolicyId
    project_id: ProjectId
    target: str
    created_at: datetime
    network_id: NetworkId | None = None
    qos_policy_id: QosPolicyId | None = None
    port_profile_id: PortProfileId | None = None
