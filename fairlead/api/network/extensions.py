"""The extensions of Neutron that are served, each whole: a client that sees one here may rely on it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extension:
    """Neutron's name of it and when Neutron last changed its definition (UTC); what it means here."""

    name: str
    description: str
    updated: str


EXTENSIONS: Mapping[str, Extension] = {
    "agent": Extension("agent", "The agent of each host.", "2013-02-03T10:00:00"),
    "agent_sort_key": Extension("Agents Sort Key", "Agents in a wanted order.", "2013-02-03T10:00:00"),
    "allowed-address-pairs": Extension(
        "Allowed Address Pairs",
        "Addresses that a guest uses besides, with the MAC of its port; other MACs no VF lets pass.",
        "2013-07-23T10:00:00",
    ),
    "availability_zone": Extension(
        "Availability Zone", "The availability zones that hosts are in.", "2015-01-01T10:00:00"
    ),
    "availability_zone_filter": Extension(
        "Availability Zone Filter Extension", "Zones by name, resource and state.", "2018-06-22T10:00:00"
    ),
    "binding": Extension(
        "Port Binding", "Where a port is bound, and how its vNIC reaches the guest.", "2014-02-03T10:00:00"
    ),
    "binding-extended": Extension(
        "Port Bindings Extended", "A port bound on another host beside its own.", "2017-07-17T10:00:00"
    ),
    "empty-string-filtering": Extension(
        "Empty String Filtering Extension", "A filter may ask for empty text.", "2018-05-01T10:00:00"
    ),
    "fairlead-port-profiles": Extension(
        "Port profiles",
        "Settings of ports under one name: port-profiles, and port_profile_id of networks and ports. Ours.",
        "2026-11-30T00:00:00",
    ),
    "extra_dhcp_opt": Extension(
        "Neutron Extra DHCP options",
        "DHCP options of a port, told to its guest by the config drive.",
        "2013-03-17T12:00:00",
    ),
    "filter-validation": Extension(
        "Filter parameters validation",
        "A filter that a list does not have is refused.",
        "2018-07-04T10:00:00",
    ),
    "ip-substring-filtering": Extension(
        "IP address substring filtering", "Ports by a part of their address.", "2017-11-28T09:00:00"
    ),
    "net-mtu": Extension("Network MTU", "The MTU of a network.", "2015-03-25T10:00:00"),
    "net-mtu-writable": Extension(
        "Network MTU (writable)", "The MTU of a network may be set.", "2017-07-12T00:00:00"
    ),
    "network-ip-availability": Extension(
        "Network IP Availability", "How many addresses are free.", "2015-09-24T00:00:00"
    ),
    "network_availability_zone": Extension(
        "Network Availability Zone", "The zones of a network, to be looked at.", "2015-01-01T10:00:00"
    ),
    "pagination": Extension("Pagination support", "Lists in pages, with links.", "2016-06-12T00:00:00"),
    "port-mac-address-regenerate": Extension(
        "Neutron Port MAC address regenerate",
        "A port's MAC set to null is generated anew.",
        "2018-05-03T10:00:00",
    ),
    "port-numa-affinity-policy": Extension(
        "Port NUMA affinity policy", "How near a port's device is to its guest.", "2020-07-08T10:00:00"
    ),
    "port-numa-affinity-policy-socket": Extension(
        "Port NUMA affinity policy socket", "The policy 'socket'.", "2024-02-09T10:00:00"
    ),
    "port-security": Extension("Port Security", "Spoof check on a port's VF or tap.", "2012-07-23T10:00:00"),
    "port-trusted-vif": Extension("Port trusted vif", "Trust for a port's VF.", "2024-07-10T10:00:00"),
    "project-id": Extension(
        "project_id field enabled", "project_id beside tenant_id.", "2016-09-09T09:09:09"
    ),
    "provider": Extension(
        "Provider Network", "Physical network and VLAN of a network.", "2012-09-07T10:00:00"
    ),
    "qos": Extension(
        "Quality of Service", "Policies with bandwidth limits and minimum bandwidths.", "2015-06-08T10:00:00"
    ),
    "qos-bw-limit-direction": Extension(
        "Direction for QoS bandwidth limit rule", "The direction egress.", "2017-04-10T10:00:00"
    ),
    "qos-default": Extension(
        "QoS default policy", "The policy that new networks of a project get.", "2017-04-06T10:00:00"
    ),
    "qos-port-network-policy": Extension(
        "QoS port network policy ID",
        "The policy of a port's network, shown at the port.",
        "2019-11-01T10:00:00",
    ),
    "qos-rule-type-details": Extension(
        "Details of QoS rule types", "What can be said in a rule.", "2017-06-22T10:00:00"
    ),
    "qos-rule-type-filter": Extension(
        "Allow to filter the list of QoS rule types",
        "Rule types by all_rules or all_supported.",
        "2022-02-02T10:00:00",
    ),
    "qos-rules-alias": Extension(
        "Quality of Service rules alias API", "Rules without their policy's id.", "2018-10-07T10:00:00"
    ),
    "quota-check-limit": Extension(
        "Quota engine limit check", "A limit is not set below what is used.", "2021-09-08T16:00:00"
    ),
    "quota-check-limit-default": Extension(
        "Quota engine limit check by default", "Unless it is forced.", "2024-08-21T16:00:00"
    ),
    "quota_details": Extension("Quota details management support", "What is used.", "2017-02-10T10:00:00"),
    "quotas": Extension(
        "Quota management support", "How much of its nouns a project may have.", "2012-07-29T10:00:00"
    ),
    "rbac-policies": Extension(
        "RBAC Policies",
        "Networks, QoS policies and port profiles that other projects may use.",
        "2015-06-17T12:15:12",
    ),
    "revision-if-match": Extension(
        "If-Match constraints based on revision_number", "Change only what was seen.", "2016-12-11T00:00:00"
    ),
    "sort-key-validation": Extension(
        "Sort keys validation", "A sort key that a list does not have is refused.", "2018-07-04T10:00:00"
    ),
    "sorting": Extension("Sorting support", "Lists in a wanted order.", "2016-06-12T00:00:00"),
    "standard-attr-description": Extension(
        "standard-attr-description", "A description on everything.", "2016-02-10T10:00:00"
    ),
    "standard-attr-revisions": Extension(
        "Resource revision numbers", "A number that grows with each change.", "2016-04-11T10:00:00"
    ),
    "standard-attr-tag": Extension(
        "Tag support for resources with standard attribute: network, subnet, port, policy",
        "Tags on networks, subnets, ports, QoS policies.",
        "2017-01-01T00:00:00",
    ),
    "standard-attr-timestamp": Extension(
        "Resource timestamps",
        "When a thing was made and last changed, and what changed since.",
        "2016-09-12T10:00:00",
    ),
    "tag-creation": Extension("Tag creation extension", "POST of tags adds them.", "2024-07-23T10:00:00"),
    "tag-ports-during-bulk-creation": Extension(
        "Tag Ports During Bulk Creation", "Tags in POST of ports.", "2019-12-29T19:00:00"
    ),
    "uplink-status-propagation": Extension(
        "Uplink status propagation extension", "Whether a VF's link follows its PF's.", "2018-05-31T18:00:00"
    ),
    "uplink-status-propagation-updatable": Extension(
        "Uplink status propagation updatable extension", "It may change.", "2024-09-03T18:00:00"
    ),
}
"""By alias."""
