"""What requests are about: how each kind of thing is found, and whether a caller may see it and change it.

A thing that the caller may not see is answered as one that is not there, word for word.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from fairlead.access.caller import Caller
from fairlead.access.rules import Target
from fairlead.control import sharing
from fairlead.control.boundary import Tx
from fairlead.control.image_members import SHARED
from fairlead.model.errors import NotAllowed, NotFound
from fairlead.model.ids import ProjectId
from fairlead.model.network import Network, Subnet
from fairlead.model.port import Port
from fairlead.model.port_profile import PortProfile
from fairlead.model.qos import QosPolicy
from fairlead.model.server import Flavor, Image, Server
from fairlead.model.server_group import ServerGroup
from fairlead.model.sharing import EVERYBODY


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of thing. `kind` is what NotFound calls it, `seen_by` the action that its being seen goes by; `find`
    gives what rules ask of it, by its key in a path; raises NotFound.
    """

    kind: str
    seen_by: str
    find: Callable[[Tx, str], Target]


def require(tx: Tx, caller: Caller, action: str, subject: Subject, key: str) -> None:
    """Raises NotFound unless the caller sees it, NotAllowed unless the caller may do that to it."""
    if caller.may_any(action):
        return
    target = subject.find(tx, key)
    if caller.may(action, target):
        return
    if not caller.may(subject.seen_by, target):
        raise NotFound(subject.kind, key)
    raise refused(action)


def see(tx: Tx, caller: Caller, subject: Subject, key: str) -> None:
    """Raises NotFound unless the caller sees it: for what a request only names."""
    require(tx, caller, subject.seen_by, subject, key)


def refused(action: str) -> NotAllowed:
    """The refusal of an action by its rule."""
    return NotAllowed(f"Policy doesn't allow {action} to be performed.", field=action)


def of_network(network: Network, shared_with: frozenset[str]) -> Target:
    """What rules ask of a network, and of what is made for it."""
    return Target(network.project_id, shared_with=shared_with, network_project_id=network.project_id)


def of_subnet(subnet: Subnet, network: Network, shared_with: frozenset[str]) -> Target:
    """What rules ask of a subnet: it is shared with its network."""
    return Target(subnet.project_id, shared_with=shared_with, network_project_id=network.project_id)


def of_port(port: Port, network: Network) -> Target:
    """What rules ask of a port; that its network is shared shows it to nobody."""
    return Target(port.project_id, network_project_id=network.project_id)


def of_policy(policy: QosPolicy, shared_with: frozenset[str]) -> Target:
    """What rules ask of a QoS policy."""
    return Target(policy.project_id, shared_with=shared_with)


def of_profile(profile: PortProfile, shared_with: frozenset[str]) -> Target:
    """What rules ask of a port profile."""
    return Target(profile.project_id, shared_with=shared_with)


def sees_network(tx: Tx, caller: Caller, network: Network) -> bool:
    """Whether the caller may use the network: it is its own, or shared with it."""
    return caller.may(NETWORK.seen_by, _of_network(tx, network))


def sees_policy(tx: Tx, caller: Caller, policy: QosPolicy) -> bool:
    """Whether the caller may use the QoS policy."""
    return caller.may(QOS_POLICY.seen_by, _of_policy(tx, policy))


def sees_profile(tx: Tx, caller: Caller, profile: PortProfile) -> bool:
    """Whether the caller may choose the port profile."""
    return caller.may(PORT_PROFILE.seen_by, _of_profile(tx, profile))


def of_server(server: Server) -> Target:
    """What rules ask of a server."""
    return Target(server.project_id, user_id=server.user_id)


def of_image(image: Image, members: AbstractSet[str]) -> Target:
    """What rules ask of an image that has those members, which count while it is shared."""
    if image.visibility in _SEEN_BY_ALL:
        return Target(image.project_id, shared_with=frozenset({EVERYBODY}))
    return Target(image.project_id, shared_with=members if image.visibility == SHARED else frozenset())


def sees_image(tx: Tx, caller: Caller, image: Image) -> bool:
    """Whether the caller may boot from the image."""
    return caller.may(IMAGE.seen_by, _of_image(tx, image))


def of_group(group: ServerGroup) -> Target:
    """What rules ask of a server group."""
    return Target(group.project_id, user_id=group.user_id)


def of_flavor(flavor: Flavor) -> Target:
    """What rules ask of a flavor: it is no project's; who may use it, it is shared with."""
    return Target(shared_with=frozenset({EVERYBODY}) if flavor.is_public else frozenset(flavor.access))


def _of_network(tx: Tx, network: Network) -> Target:
    return of_network(network, sharing.targets(tx, network))


def _of_policy(tx: Tx, policy: QosPolicy) -> Target:
    return of_policy(policy, sharing.targets(tx, policy))


def _of_profile(tx: Tx, profile: PortProfile) -> Target:
    return of_profile(profile, sharing.targets(tx, profile))


def _of_image(tx: Tx, image: Image) -> Target:
    members = tx.image_members.find(image_id=image.id) if image.visibility == SHARED else ()
    return of_image(image, frozenset(member.project_id for member in members))


def _subnet(tx: Tx, key: str) -> Target:
    subnet = tx.subnets.fetch(key)
    network = tx.networks.fetch(subnet.network_id)
    return of_subnet(subnet, network, sharing.targets(tx, network))


def _port(tx: Tx, key: str) -> Target:
    port = tx.ports.fetch(key)
    return of_port(port, tx.networks.fetch(port.network_id))


def _rule(tx: Tx, key: str) -> Target:
    for policy in tx.qos_policies.find():
        if any(rule.id == key for rule in policy.rules):
            return _of_policy(tx, policy)
    raise NotFound("QoS rule", key)


def _project(_: Tx, key: str) -> Target:
    """A project is whatever its id says: who logs in may keep its projects elsewhere."""
    return Target(ProjectId(key))


_SEEN_BY_ALL = ("public", "community")
"""Visibilities (Glance's) of images that everybody may boot from."""

NETWORK = Subject("network", "get_network", lambda tx, key: _of_network(tx, tx.networks.fetch(key)))
SUBNET = Subject("subnet", "get_subnet", _subnet)
PORT = Subject("port", "get_port", _port)
QOS_POLICY = Subject("QoS policy", "get_policy", lambda tx, key: _of_policy(tx, tx.qos_policies.fetch(key)))
PORT_PROFILE = Subject(
    "port profile", "get_port_profile", lambda tx, key: _of_profile(tx, tx.port_profiles.fetch(key))
)
RBAC_POLICY = Subject(
    "rbac policy", "get_rbac_policy", lambda tx, key: Target(tx.rbac_policies.fetch(key).project_id)
)
QOS_RULE = Subject("QoS rule", "get_policy", _rule)
SERVER = Subject("server", "os_compute_api:servers:show", lambda tx, key: of_server(tx.servers.fetch(key)))
IMAGE = Subject("image", "get_image", lambda tx, key: _of_image(tx, tx.images.fetch(key)))
SERVER_GROUP = Subject(
    "server group",
    "os_compute_api:os-server-groups:show",
    lambda tx, key: of_group(tx.server_groups.fetch(key)),
)
FLAVOR = Subject("flavor", "os_compute_api:flavors:show", lambda tx, key: of_flavor(tx.flavors.fetch(key)))
PROJECT = Subject("project", "get_quota", _project)
PROJECT_OF_USERS = Subject("project", "identity:get_project", _project)
USER = Subject("user", "identity:get_user", lambda _, key: Target(user_id=key))
