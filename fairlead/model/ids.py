"""Typed ids: every noun has its own, so that one can never stand where another is meant.

All are strings. Ids of things that Fairlead makes are UUIDs in canonical text form; a host, a flavor and
an alias also have names that people give. A device's id follows from its host and its lasting identity
(`device_id`), so the same card reported twice is the same device.
"""

from typing import NewType
from uuid import UUID, uuid5

ProjectId = NewType("ProjectId", str)
UserId = NewType("UserId", str)
CredentialId = NewType("CredentialId", str)
HostId = NewType("HostId", str)
DeviceId = NewType("DeviceId", str)
PfKey = NewType("PfKey", str)
"""Lasting identity of a PF on its host: permanent MAC, else switch id and port, else serial."""
PolicyId = NewType("PolicyId", str)
NetworkId = NewType("NetworkId", str)
SubnetId = NewType("SubnetId", str)
PortId = NewType("PortId", str)
QosPolicyId = NewType("QosPolicyId", str)
QosRuleId = NewType("QosRuleId", str)
PortProfileId = NewType("PortProfileId", str)
RbacPolicyId = NewType("RbacPolicyId", str)
FlavorId = NewType("FlavorId", str)
ImageId = NewType("ImageId", str)
ServerId = NewType("ServerId", str)
MigrationId = NewType("MigrationId", str)
ServerGroupId = NewType("ServerGroupId", str)
AggregateId = NewType("AggregateId", str)
RequestId = NewType("RequestId", str)
"""One wanted device of one server: the port's id, or `<alias>-<n>` for the n-th device of a flavor's alias."""

_DEVICES = UUID("5d0f3c7e-94f1-4c1b-8a55-0d6c2f5a7e10")


def device_id(host_id: HostId, key: str) -> DeviceId:
    """The id of a device: the same for the same host and lasting identity, in every process and for ever."""
    return DeviceId(str(uuid5(_DEVICES, f"{host_id}/{key}")))


def vf_key(pf: PfKey, index: int) -> str:
    """Lasting identity of a VF: its PF and its index (kernel: IFLA_VF index, sysfs virtfnN)."""
    return f"{pf}/vf{index}"
