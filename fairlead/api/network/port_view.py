"""How a port is shown, and how ports are listed."""

from fairlead.api.answers import timestamp
from fairlead.api.bodies import InvalidField
from fairlead.api.network import address_pairs, binding_profile
from fairlead.api.network.listing import Collection, Shown
from fairlead.control.ports import PortView
from fairlead.model.binding import Binding, VifType, Wiring


def shown(view: PortView) -> Shown:
    """The port as clients see it."""
    port, binding = view.port, view.binding
    return {
        "id": port.id,
        "name": port.name,
        "description": port.description,
        "network_id": port.network_id,
        "project_id": port.project_id,
        "tenant_id": port.project_id,
        "mac_address": port.mac,
        "fixed_ips": [{"subnet_id": ip.subnet_id, "ip_address": ip.ip_address} for ip in port.fixed_ips],
        "admin_state_up": port.admin_state_up,
        "status": view.status.value,
        "device_id": port.server_id or port.device_id_text,
        "device_owner": port.device_owner,
        "binding:vnic_type": port.vnic_type.value,
        "binding:host_id": view.host,
        "binding:vif_type": vif_type(binding).value,
        "binding:vif_details": vif_details(binding.vif_details) if binding else {},
        "binding:profile": binding_profile.shown(port, binding.profile if binding else {}),
        "port_security_enabled": port.port_security_enabled,
        "security_groups": [],
        "allowed_address_pairs": address_pairs.shown(port),
        "extra_dhcp_opts": [
            {"opt_name": option.name, "opt_value": option.value, "ip_version": option.ip_version}
            for option in port.dhcp_options
        ],
        "qos_policy_id": port.qos_policy_id,
        "qos_network_policy_id": view.network_qos_policy_id,
        "port_profile_id": port.port_profile_id,
        "network_port_profile_id": view.network_port_profile_id,
        "resource_request": None,
        "ip_allocation": "immediate" if port.fixed_ips else "none",
        "propagate_uplink_status": port.propagate_uplink_status,
        "trusted": port.trusted,
        "numa_affinity_policy": port.numa_policy.value if port.numa_policy else None,
        "guid": port.guid,
        "tags": list(port.tags),
        "created_at": timestamp(port.created_at),
        "updated_at": timestamp(port.updated_at),
        "revision_number": port.revision,
    }


def vif_type(binding: Binding | None) -> VifType:
    """What binding:vif_type says; a binding whose wiring failed says so."""
    if binding is None:
        return VifType.UNBOUND
    return VifType.BINDING_FAILED if binding.wiring is Wiring.FAILED else binding.vif_type


def vif_details(details: dict[str, str]) -> dict[str, object]:
    """What binding:vif_details says: kept as flat text; Neutron's clients expect a truth value, and the drivers by
    level of the binding.
    """
    shown: dict[str, object] = dict(details)
    if "port_filter" in details:
        shown["port_filter"] = details["port_filter"] == "True"
    if "bound_drivers" in details:
        shown["bound_drivers"] = {"0": details["bound_drivers"]}
    return shown


def _fixed_ips(row: Shown, values: list[str]) -> bool:
    """`fixed_ips=subnet_id=...`, `ip_address=...`, `ip_address_substr=...`: one address answers every key."""
    wanted: dict[str, list[str]] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or key not in ("subnet_id", "ip_address", "ip_address_substr"):
            raise InvalidField(f"Invalid input for fixed_ips. Reason: '{value[:80]}' is not a filter.")
        wanted.setdefault(key, []).append(text)
    held = row["fixed_ips"]
    return isinstance(held, list) and any(
        all(_ip_matches(ip, key, texts) for key, texts in wanted.items()) for ip in held
    )


def _ip_matches(ip: dict[str, str], key: str, texts: list[str]) -> bool:
    if key == "ip_address_substr":
        return any(text in ip["ip_address"] for text in texts)
    return ip[key] in texts


def _security_groups(row: Shown, values: list[str]) -> bool:
    """No port has one."""
    return not any(values)


def _mac(row: Shown, values: list[str]) -> bool:
    return any(str(row["mac_address"]) == value.lower() for value in values)


LIST = Collection(
    "ports",
    "port",
    (
        "id",
        "name",
        "description",
        "network_id",
        "project_id",
        "admin_state_up",
        "status",
        "device_id",
        "device_owner",
        "binding:vnic_type",
        "binding:host_id",
        "binding:vif_type",
        "port_security_enabled",
        "qos_policy_id",
        "qos_network_policy_id",
        "port_profile_id",
        "network_port_profile_id",
        "ip_allocation",
        "propagate_uplink_status",
        "trusted",
        "numa_affinity_policy",
        "guid",
        "created_at",
        "updated_at",
        "revision_number",
    ),
    columns={
        "id": "id",
        "name": "name",
        "network_id": "network_id",
        "project_id": "project_id",
        "qos_policy_id": "qos_policy_id",
        "port_profile_id": "port_profile_id",
        "device_owner": "device_owner",
        "device_id": "device_id",
        "guid": "guid",
    },
    special={"fixed_ips": _fixed_ips, "security_groups": _security_groups, "mac_address": _mac},
)
