"""Networks over HTTP."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field
from starlette.responses import Response

from fairlead.api.answers import document, empty, timestamp
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import (
    Id,
    Name,
    Noun,
    expected_revision,
    posted,
    project_of,
    put,
    refuse_body,
)
from fairlead.control import networks
from fairlead.control.boundary import Tx
from fairlead.control.networks import NetworkChanges, NetworkView, NewNetwork
from fairlead.model.ids import NetworkId, QosPolicyId
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


class NetworkChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    mtu: _Mtu | UnsetType = UNSET
    admin_state_up: bool | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    port_security_enabled: bool | UnsetType = UNSET
    qos_policy_id: Id | UnsetType | None = UNSET


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
        "vlan_transparent": None,
        "qinq": None,
        "dns_domain": "",
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
        "provider:physical_network": "physical_network",
    },
)


def create(call: Call) -> Response:
    """POST /networks, one or several, all or none."""
    forms, in_bulk = posted(call, _NOUN)
    wanted = [_new(call, form) for form in forms]

    def work(tx: Tx) -> list[NetworkView]:
        return [networks.create(tx, new) for new in wanted]

    made = [shown(view) for view in call.run(work)]
    return document({"networks": made} if in_bulk else {"network": made[0]}, 201)


def index(call: Call) -> Response:
    """GET /networks."""
    where = listing.where(call, _LIST)
    found = call.run(lambda tx: networks.find(tx, **where))
    return listing.answer(call, _LIST, [shown(view) for view in found])


def show(call: Call, network_id: str) -> Response:
    """GET /networks/{id}."""
    view = call.run(lambda tx: networks.show(tx, NetworkId(network_id)))
    return document({"network": listing.only_fields(call, shown(view))})


def update(call: Call, network_id: str) -> Response:
    """PUT /networks/{id}."""
    changes = built(NetworkChanges, put(call, _NOUN))
    revision = expected_revision(call)
    view = call.run(lambda tx: networks.update(tx, NetworkId(network_id), changes, revision))
    return document({"network": shown(view)})


def delete(call: Call, network_id: str) -> Response:
    """DELETE /networks/{id}."""
    refuse_body(call)
    revision = expected_revision(call)
    call.run(lambda tx: networks.delete(tx, NetworkId(network_id), revision))
    return empty()


def shown(view: NetworkView) -> listing.Shown:
    """The network as clients see it."""
    network = view.network
    return {
        "id": network.id,
        "name": network.name,
        "description": network.description,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "admin_state_up": network.admin_state_up,
        "status": "ACTIVE",
        "shared": network.shared,
        "subnets": list(view.subnets),
        "mtu": network.mtu,
        "port_security_enabled": network.port_security_enabled,
        "qos_policy_id": network.qos_policy_id,
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


def _new(call: Call, form: NetworkForm) -> NewNetwork:
    policy = form.qos_policy_id
    return built(
        NewNetwork,
        form,
        project_id=project_of(call, form.project_id),
        mtu=form.mtu or networks.DEFAULT_MTU,
        qos_policy_id=QosPolicyId(policy) if isinstance(policy, str) else policy,
    )
