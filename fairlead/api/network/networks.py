"""Networks over HTTP."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from fairlead.access.rules import Target
from fairlead.api.answers import timestamp
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Id, Name, Noun, project_of
from fairlead.api.network.resource import Resource, by_field
from fairlead.control import networks, subjects
from fairlead.control.networks import NetworkChanges, NetworkView, NewNetwork
from fairlead.control.sharing import is_shared_with
from fairlead.model.ids import NetworkId, ProjectId, QosPolicyId
from fairlead.model.network import SegmentKind

_PhysicalNetwork = Annotated[str, Meta(max_length=64)]
_Vlan = Annotated[int, Meta(ge=1, le=4094)]
_Mtu = Annotated[int, Meta(ge=0, le=65535)]


class NetworkForm(Struct, kw_only=True):
    """What POST takes."""

    project_id: Name | UnsetType = UNSET
    name: Name = ""
    description: Name = ""
    kind: SegmentKind | None = field(default=None, name="provider:network_type")
    physical_network: _PhysicalNetwork | None = field(default=None, name="provider:physical_network")
    vlan: _Vlan | None = field(default=None, name="provider:segmentation_id")
    mtu: _Mtu = networks.DEFAULT_MTU
    admin_state_up: bool = True
    shared: bool = False
    port_security_enabled: bool = True
    qos_policy_id: Id | UnsetType | None = UNSET
    port_profile_id: Id | None = None


class NetworkChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    mtu: _Mtu | UnsetType = UNSET
    admin_state_up: bool | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    qos_policy_id: Id | UnsetType | None = UNSET
    port_profile_id: Id | UnsetType | None = UNSET


_NOUN = Noun(
    "network",
    "networks",
    NetworkForm,
    NetworkChangeForm,
    shown=frozenset(
        {
            "id",
            "status",
            "subnets",
            "tags",
            "created_at",
            "updated_at",
            "revision_number",
            "availability_zones",
        }
    ),
    neutral={
        "router:external": False,
        "availability_zone_hints": [],
        "is_default": False,
    },
)
_ATTRIBUTES = (
    "id",
    "name",
    "description",
    "project_id",
    "admin_state_up",
    "status",
    "shared",
    "mtu",
    "port_security_enabled",
    "qos_policy_id",
    "port_profile_id",
    "provider:network_type",
    "provider:physical_network",
    "provider:segmentation_id",
    "router:external",
    "is_default",
    "created_at",
    "updated_at",
    "revision_number",
)
_LIST = listing.Collection(
    "networks",
    "network",
    _ATTRIBUTES,
    columns={
        "id": "id",
        "name": "name",
        "project_id": "project_id",
        "qos_policy_id": "qos_policy_id",
        "port_profile_id": "port_profile_id",
        "provider:physical_network": "physical_network",
    },
)


def shown(view: NetworkView, project_id: ProjectId) -> listing.Shown:
    """The network as clients of that project see it."""
    network = view.network
    return {
        "id": network.id,
        "name": network.name,
        "description": network.description,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "admin_state_up": network.admin_state_up,
        "status": "ACTIVE",
        "shared": is_shared_with(view.shared_with, project_id),
        "subnets": list(view.subnets),
        "mtu": network.mtu,
        "port_security_enabled": network.port_security_enabled,
        "qos_policy_id": network.qos_policy_id,
        "port_profile_id": network.port_profile_id,
        "provider:network_type": network.kind.value,
        "provider:physical_network": network.physical_network,
        "provider:segmentation_id": network.vlan,
        "router:external": False,
        "is_default": False,
        "availability_zone_hints": [],
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "l2_adjacency": True,
        "tags": list(network.tags),
        "created_at": timestamp(network.created_at),
        "updated_at": timestamp(network.updated_at),
        "revision_number": network.revision,
    }


def _changes(form: NetworkChangeForm) -> NetworkChanges:
    return built(NetworkChanges, form, mtu=networks.DEFAULT_MTU if form.mtu == 0 else form.mtu)


def _new(call: Call, form: NetworkForm) -> NewNetwork:
    policy = form.qos_policy_id
    return built(
        NewNetwork,
        form,
        project_id=project_of(call, form.project_id),
        mtu=form.mtu or networks.DEFAULT_MTU,
        qos_policy_id=QosPolicyId(policy) if isinstance(policy, str) else policy,
    )


NETWORKS = Resource(
    noun=_NOUN,
    subject=subjects.NETWORK,
    collection=_LIST,
    shown=shown,
    target=lambda view: subjects.of_network(view.network, view.shared_with),
    new=_new,
    new_target=lambda _, new: Target(new.project_id, network_project_id=new.project_id),
    names=by_field(qos_policy_id=subjects.QOS_POLICY, port_profile_id=subjects.PORT_PROFILE),
    create=networks.create,
    find=lambda tx, where: networks.find(tx, **where),
    fetch=lambda tx, subject: networks.show(tx, NetworkId(subject)),
    update=lambda tx, subject, form, revision: networks.update(
        tx, NetworkId(subject), _changes(form), revision
    ),
    remove=lambda tx, subject, revision: networks.delete(tx, NetworkId(subject), revision),
)
