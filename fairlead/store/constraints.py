"""The one place where a violated constraint becomes a refusal that people understand.

The words are Neutron's and Nova's where they have some.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from fairlead.model.error_codes import Code
from fairlead.model.errors import Conflict
from fairlead.store.dialect import Parameters


class Verb(Enum):
    """What was being done to a row."""

    ADD = "add"
    PUT = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Refused:
    """What a duplicate is called. `message` may name the columns of the row."""

    code: Code
    message: str
    field: str | None = None


DUPLICATES: Mapping[str, Refused] = {
    "uq_ports_mac": Refused(
        "mac_in_use",
        "Unable to complete operation for network {network_id}. The mac address {mac} is in use.",
        "mac_address",
    ),
    "uq_ports_guid": Refused(
        "guid_in_use",
        "Unable to complete operation for network {network_id}. The GUID {guid} is in use by another port, be it on "
        "another network: a fabric has each once. Give the port another GUID, or another MAC to make one of.",
        "guid",
    ),
    "pk_fixed_ips": Refused(
        "ip_in_use", "IP address {ip_address} already allocated in subnet {subnet_id}.", "fixed_ips"
    ),
    "uq_networks_vlan": Refused(
        "vlan_in_use",
        "Unable to create the network. The VLAN {vlan} on physical network {physical_network} is in use.",
        "provider:segmentation_id",
    ),
    "uq_networks_flat": Refused(
        "flat_in_use",
        "Unable to create the flat network. Physical network {physical_network} is in use.",
        "provider:physical_network",
    ),
    "uq_rbac_policies_network": Refused(
        "share_exists", "Network {network_id} is already shared with {target}.", "target_tenant"
    ),
    "uq_rbac_policies_qos_policy": Refused(
        "share_exists", "QoS policy {qos_policy_id} is already shared with {target}.", "target_tenant"
    ),
    "uq_rbac_policies_port_profile": Refused(
        "share_exists", "Port profile {port_profile_id} is already shared with {target}.", "target_tenant"
    ),
    "uq_hosts_name": Refused("name_in_use", "Host with name {name} already exists.", "name"),
    "uq_policies_name": Refused("name_in_use", "Device policy with name {name} already exists.", "name"),
    "uq_flavors_name": Refused("name_in_use", "Flavor with name {name} already exists.", "name"),
    "uq_projects_name": Refused("name_in_use", "Project with name {name} already exists.", "name"),
    "uq_users_name": Refused("name_in_use", "User with name {name} already exists.", "name"),
    "uq_credentials_name": Refused(
        "name_in_use", "Application credential with name {name} already exists.", "name"
    ),
    "pk_keypairs": Refused("name_in_use", "Key pair '{name}' already exists.", "name"),
    "uq_aggregates_name": Refused("name_in_use", "Aggregate {name} already exists.", "name"),
    "pk_aggregates": Refused("stale", "Aggregate {id} was made meanwhile."),
    "pk_image_members": Refused("exists", "Image {image_id} is already shared with {project_id}.", "member"),
    "pk_flavors": Refused("id_in_use", "Flavor with ID {id} already exists.", "id"),
    "pk_fabrics": Refused("stale", "Fabric {physical_network} was made meanwhile."),
    "pk_partition_members": Refused("stale", "Partition member {guid} was made meanwhile."),
    "pk_aliases": Refused("name_in_use", "Alias with name {name} already exists.", "name"),
    "pk_allocations": Refused("device_in_use", "Device {device_id} is already held."),
    "uq_devices_key": Refused("id_in_use", "Device {key} of host {host_id} is already in the inventory."),
    "pk_bindings": Refused("bound", "Port {port_id} is already bound to host {host_id}.", "binding:host_id"),
    "uq_bindings_active": Refused(
        "bound", "Port {port_id} already has an active binding.", "binding:host_id"
    ),
    "uq_bindings_vsi": Refused(
        "cannot_bind",
        "Port {port_id} would be VSI {vsi_instance} by its port profile, which another port has just become: give each "
        "of the two a port profile of its own, or one without an instance id.",
    ),
}
"""By the constraint's name. Any other duplicate is that of an id."""


def duplicate(constraint: str | None, kind: str, row: Parameters) -> Conflict:
    """The refusal of a row that exists already in some respect."""
    refused = DUPLICATES.get(constraint or "")
    if refused is None:
        return Conflict("id_in_use", f"{kind.capitalize()} with ID {row.get('id', '')} already exists.")
    return Conflict(refused.code, refused.message.format_map(row), field=refused.field)


def reference(verb: Verb, kind: str, key: str, referrer: str | None) -> Conflict:
    """The refusal of a row to go while rows of the table `referrer` name it; or of one to come that names what
    has just gone: then what was read before is stale, and another try will tell.
    """
    if verb is Verb.REMOVE:
        who = f"one or more {referrer.replace('_', ' ')}" if referrer else "others"
        return Conflict(
            "in_use", f"Unable to complete operation on {kind} {key}: it is in use by {who}.", field=kind
        )
    return Conflict("stale", f"Unable to {verb.value} {kind} {key}: something that it names is gone.")
