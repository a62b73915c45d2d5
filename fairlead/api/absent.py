"""What other clouds serve and Fairlead does not: why, and what to do instead, for whoever asks for it all the same."""

_ROUTES = "Nothing is routed or translated here: a network is a VLAN of your switches, and they route it."
_SECURITY = (
    "There are no security groups: a device that is passed through has no packet filter. Leave them out."
)
_VOLUMES = "There are no volumes: servers boot from images."
_INSTEAD = {
    "security-groups": _SECURITY,
    "security-group-rules": _SECURITY,
    "default-security-group-rules": _SECURITY,
    "routers": _ROUTES,
    "floatingips": _ROUTES,
    "subnetpools": "There are no subnet pools: give each subnet its prefix.",
    "trunks": "There are no trunks: a port has the VLAN of its network.",
    "segments": "A network has one segment, which is among its own attributes.",
    "os-volume_attachments": _VOLUMES,
    "remote-consoles": "There is no graphical console. The console log is served (os-getConsoleOutput).",
    "os-simple-tenant-usage": "Usage is not counted. What a project has now is in /limits and /os-quota-sets.",
    "os-quota-class-sets": "There are no quota classes: set the quota of each project.",
    "groups": "There are no groups of users: give roles to each user.",
    "dscp_marking_rules": "A policy has bandwidth_limit and minimum_bandwidth rules.",
    "minimum_packet_rate_rules": "A policy has bandwidth_limit and minimum_bandwidth rules.",
    "tasks": "There are no tasks: an image's data comes by PUT /v2/images/{id}/file.",
}


def instead_of(path: str) -> str:
    """A sentence about what the path, which no route serves, asks for; or only that it is not served."""
    found = next((_INSTEAD[word] for word in path.split("/") if word in _INSTEAD), None)
    return found or "Fairlead does not serve this path."
