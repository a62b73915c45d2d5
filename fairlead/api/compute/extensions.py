"""The extensions of Nova that are served; of one that is not here, Fairlead has not the noun.

Since microversions there have been no new ones; clients of old still ask for the list.
"""

from collections.abc import Mapping

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.paging import Json
from fairlead.api.problems import Unserved

_UPDATED = "2014-12-03T00:00:00Z"
_NAMESPACE = "http://docs.openstack.org/compute/ext/fake_xml"
"""What Nova says there of all of them."""

EXTENSIONS: Mapping[str, tuple[str, str]] = {
    "os-aggregates": ("Aggregates", "Hosts that are told apart."),
    "os-attach-interfaces": ("AttachInterfaces", "The ports of a server."),
    "os-availability-zone": ("AvailabilityZone", "Where servers may be."),
    "os-config-drive": ("ConfigDrive", "A disk that tells the guest of itself."),
    "os-console-output": ("ConsoleOutput", "What a guest wrote to its console."),
    "os-extended-server-attributes": ("ExtendedServerAttributes", "Where a server is."),
    "os-extended-status": ("ExtendedStatus", "The states of a server in detail."),
    "os-flavor-access": ("FlavorAccess", "Flavors for some projects alone."),
    "os-flavor-extra-specs": ("FlavorExtraSpecs", "What a flavor asks besides its size."),
    "os-flavor-manage": ("FlavorManage", "Flavors are made and deleted."),
    "os-hypervisors": ("Hypervisors", "Hosts and what they have."),
    "os-instance-actions": ("InstanceActions", "What was asked of a server."),
    "os-keypairs": ("Keypairs", "Public keys for guests."),
    "os-lock-server": ("LockServer", "Servers that their owners may not change."),
    "os-quota-sets": ("Quotas", "How much a project may have."),
    "os-server-groups": ("ServerGroups", "Servers that go together, or apart."),
    "os-server-usage": ("ServerUsage", "When a server was started."),
    "os-services": ("Services", "The agents of hosts."),
    "os-used-limits": ("UsedLimits", "What of its quotas a project uses."),
    "os-user-data": ("UserData", "What a guest does at its first boot."),
}
"""Name and description by alias."""


def index(_call: Call) -> Response:
    """GET /extensions."""
    return document({"extensions": [_shown(alias) for alias in EXTENSIONS]})


def show(_call: Call, alias: str) -> Response:
    """GET /extensions/{alias}."""
    if alias not in EXTENSIONS:
        raise Unserved(404, "no_such_path", f"Extension {alias[:255]} could not be found.")
    return document({"extension": _shown(alias)})


def _shown(alias: str) -> Json:
    name, description = EXTENSIONS[alias]
    return {
        "alias": alias,
        "name": name,
        "description": description,
        "updated": _UPDATED,
        "namespace": _NAMESPACE,
        "links": [],
    }
