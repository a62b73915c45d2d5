"""The rules of the network API: Neutron's names and, but where a line says why not, Neutron's defaults
(neutron/conf/policies).

`create_port` is the action, `create_port:binding:host_id` naming that attribute in it, `get_port:binding:host_id`
seeing it. An attribute without a rule of its own goes with the action.
"""

_OWNER = "admin or member"
_READER = "admin or reader"
_OPERATOR = "admin or service"
_OF_NETWORK = "admin or service or network_member"

RULES = {
    "get_network": "admin or service or reader or shared",
    "create_network": _OWNER,
    "update_network": _OWNER,
    "delete_network": _OWNER,
    **{
        f"{verb}_network:{attribute}": "admin"
        for verb in ("create", "update")
        for attribute in (
            "shared",
            "router:external",
            "is_default",
            "provider:network_type",
            "provider:physical_network",
            "provider:segmentation_id",
        )
    },
    "get_network:provider:network_type": "admin",
    "get_network:provider:physical_network": "admin",
    "get_network:provider:segmentation_id": "admin",
    "get_networks_tags": "admin or reader or shared",
    "create_networks_tags": _OWNER,
    "update_networks_tags": _OWNER,
    "delete_networks_tags": _OWNER,
    "get_subnet": "admin or service or reader or network_reader or shared",
    "create_subnet": "admin or network_member",
    "update_subnet": "admin or network_member",
    "delete_subnet": "admin or network_member",
    "get_subnets_tags": "admin or reader or network_reader or shared",
    "create_subnets_tags": "admin or network_member",
    "update_subnets_tags": "admin or network_member",
    "delete_subnets_tags": "admin or network_member",
    "get_port": "admin or service or reader or network_reader",
    "create_port": "admin or service or member",
    "update_port": "admin or service or member",
    "delete_port": "admin or service or member or network_member",
    **{
        f"{verb}_port:{attribute}": rule
        for verb in ("create", "update")
        for attribute, rule in (
            ("mac_address", _OF_NETWORK if verb == "create" else _OPERATOR),
            # Ours: it is a port of InfiniBand's address, as the MAC is one of Ethernet's.
            ("guid", _OF_NETWORK if verb == "create" else _OPERATOR),
            ("fixed_ips:ip_address", _OF_NETWORK),
            ("port_security_enabled", _OF_NETWORK),
            ("allowed_address_pairs", "admin or network_member"),
            ("binding:host_id", _OPERATOR),
            # Neutron: service alone. Its operators have always set `trusted` here, and ours have `vlan_priority`.
            ("binding:profile", _OPERATOR),
            ("trusted", "admin"),
        )
    },
    "get_port:binding:host_id": _OPERATOR,
    "get_port:binding:profile": _OPERATOR,
    "get_port:binding:vif_type": _OPERATOR,
    "get_port:binding:vif_details": _OPERATOR,
    "get_port:trusted": "admin",
    "get_port:resource_request": "admin",
    # Neutron has the first and the last of these; the others go by `service` in its code.
    "get_port_binding": _OPERATOR,
    "create_port_binding": _OPERATOR,
    "update_port_binding": _OPERATOR,
    "delete_port_binding": _OPERATOR,
    "activate": _OPERATOR,
    "get_ports_tags": "admin or reader or network_reader",
    "create_ports_tags": _OWNER,
    "update_ports_tags": _OWNER,
    "delete_ports_tags": _OWNER,
    "get_policy": "admin or reader or shared",
    "create_policy": "admin",
    "update_policy": "admin",
    "delete_policy": "admin",
    "get_policies_tags": "admin or reader or shared",
    "create_policies_tags": "admin",
    "update_policies_tags": "admin",
    "delete_policies_tags": "admin",
    # Ours. Trust and a spoof check that is off are the operator's to grant, and by a profile they are granted.
    "get_port_profile": "admin or reader or shared",
    "create_port_profile": "admin",
    "update_port_profile": "admin",
    "delete_port_profile": "admin",
    # Whose network, QoS policy or port profile it is; to share with everybody is the operator's.
    "get_rbac_policy": _READER,
    "create_rbac_policy": _OWNER,
    "update_rbac_policy": _OWNER,
    "delete_rbac_policy": _OWNER,
    "create_rbac_policy:target_tenant:*": "admin",
    "update_rbac_policy:target_tenant:*": "admin",
    "get_rule_type": "anyone",
    **{
        f"{verb}_policy_{kind}_rule": "admin or reader or shared" if verb == "get" else "admin"
        for verb in ("get", "create", "update", "delete")
        for kind in ("bandwidth_limit", "minimum_bandwidth")
    },
    "get_agent": "admin",
    "update_agent": "admin",
    "delete_agent": "admin",
    "get_network_ip_availability": "admin",
    "get_availability_zone": "anyone",
    # Neutron: admin, and in its code whoever asks for their own project.
    "get_quota": _READER,
    "update_quota": "admin",
    "delete_quota": "admin",
    # Neutron asks nobody for these, not even a token for the first.
    "get_version": "anyone",
    "get_extension": "anyone",
}
