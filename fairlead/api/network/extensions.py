"""The extensions of Neutron that are served, each whole: a client that sees one here may rely on it."""

from collections.abc import Mapping

EXTENSIONS: Mapping[str, tuple[str, str]] = {
    "agent": ("agent", "The agent of each host, to be looked at."),
    "availability_zone": ("Availability Zone", "The one availability zone."),
    "binding": ("Port Binding", "Where a port is bound, and how its vNIC reaches the guest."),
    "empty-string-filtering": ("Empty String Filtering Extension", "A filter may ask for empty text."),
    "filter-validation": ("Filter parameters validation", "A filter that a list does not have is refused."),
    "ip-substring-filtering": ("IP address substring filtering", "Ports by a part of their address."),
    "net-mtu": ("Network MTU", "The MTU of a network."),
    "net-mtu-writable": ("Network MTU (writable)", "The MTU of a network may be set."),
    "network_availability_zone": ("Network Availability Zone", "The zones of a network, to be looked at."),
    "pagination": ("Pagination support", "Lists in pages, with links."),
    "port-mac-address-override": ("Port MAC override", "The MAC of an unbound port may be set."),
    "port-numa-affinity-policy": ("Port NUMA affinity policy", "How near a port's device is to its guest."),
    "port-numa-affinity-policy-socket": ("Port NUMA affinity policy socket", "The policy 'socket'."),
    "port-security": ("Port Security", "Spoof check on a port's VF or tap."),
    "port-trusted-vif": ("Port trusted vif", "Trust for a port's VF."),
    "project-id": ("project_id field enabled", "project_id beside tenant_id."),
    "provider": ("Provider Network", "Physical network and VLAN of a network."),
    "qos": ("Quality of Service", "Policies with bandwidth limits and minimum bandwidths."),
    "qos-bw-limit-direction": ("Direction for QoS bandwidth limit rule", "The direction egress."),
    "qos-default": ("QoS default policy", "The policy that new networks of a project get."),
    "qos-rule-type-details": ("Details of QoS rule types", "What can be said in a rule."),
    "qos-rules-alias": ("Ability to modify QoS rules with a single ID", "Rules without their policy's id."),
    "quota_details": ("Quota details management support", "What is used."),
    "quotas": ("Quota management support", "Nothing is limited."),
    "revision-if-match": ("If-Match constraints based on revision_number", "Change only what was seen."),
    "sort-key-validation": ("Sort key validation", "A sort key that a list does not have is refused."),
    "sorting": ("Sorting support", "Lists in a wanted order."),
    "standard-attr-description": ("standard-attr-description", "A description on everything."),
    "standard-attr-revisions": ("Resource revision numbers", "A number that grows with each change."),
    "standard-attr-tag": ("Tag support for resources", "Tags on networks, subnets, ports, QoS policies."),
    "standard-attr-timestamp": ("Resource timestamps", "When a thing was made and last changed."),
    "tag-ports-during-bulk-creation": ("Tag Ports During Bulk Creation", "Tags in POST of ports."),
}
"""Name and description by alias."""
