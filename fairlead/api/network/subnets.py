"""Subnets over HTTP."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from fairlead.access.rules import Target
from fairlead.api.answers import timestamp
from fairlead.api.bodies import built
from fairlead.api.call import Call
from fairlead.api.network import listing
from fairlead.api.network.requests import Id, Name, Noun, project_of
from fairlead.api.network.resource import Resource, by_field
from fairlead.control import subjects, subnets
from fairlead.control.boundary import Tx
from fairlead.control.subnets import NewSubnet, SubnetChanges, SubnetView
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import SubnetId
from fairlead.model.network import AddressRange, HostRoute, Subnet

_AddressText = Annotated[str, Meta(max_length=64)]
_Addresses = Annotated[list[_AddressText], Meta(max_length=100)]
_Mode = Annotated[str, Meta(max_length=32)]


class PoolForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `allocation_pools`."""

    start: _AddressText
    end: _AddressText


class RouteForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `host_routes`."""

    destination: _AddressText
    nexthop: _AddressText


class SubnetForm(Struct, kw_only=True):
    """What POST takes."""

    network_id: Id
    ip_version: int
    cidr: _AddressText
    project_id: Name | UnsetType = UNSET
    name: Name = ""
    description: Name = ""
    gateway: _AddressText | UnsetType | None = field(default=UNSET, name="gateway_ip")
    pools: list[PoolForm] | UnsetType = field(default=UNSET, name="allocation_pools")
    dns_nameservers: _Addresses | None = []
    host_routes: list[RouteForm] | None = []
    enable_dhcp: bool = True
    ipv6_address_mode: _Mode | None = None
    ipv6_ra_mode: _Mode | None = None


class SubnetChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    gateway: _AddressText | UnsetType | None = field(default=UNSET, name="gateway_ip")
    pools: list[PoolForm] | UnsetType = field(default=UNSET, name="allocation_pools")
    dns_nameservers: _Addresses | UnsetType | None = UNSET
    host_routes: list[RouteForm] | UnsetType | None = UNSET
    enable_dhcp: bool | UnsetType = UNSET


_NOUN = Noun(
    "subnet",
    "subnets",
    SubnetForm,
    SubnetChangeForm,
    neutral={
        "subnetpool_id": None,
        "prefixlen": None,
        "use_default_subnetpool": False,
        "segment_id": None,
        "service_types": [],
        "dns_publish_fixed_ip": False,
    },
)
_LIST = listing.Collection(
    "subnets",
    "subnet",
    (
        "id",
        "name",
        "description",
        "project_id",
        "network_id",
        "ip_version",
        "cidr",
        "gateway_ip",
        "enable_dhcp",
        "ipv6_address_mode",
        "ipv6_ra_mode",
        "subnetpool_id",
        "segment_id",
        "created_at",
        "updated_at",
        "revision_number",
    ),
    columns={
        "id": "id",
        "name": "name",
        "project_id": "project_id",
        "network_id": "network_id",
        "cidr": "cidr",
    },
)


def shown(view: SubnetView) -> listing.Shown:
    """The subnet as clients see it."""
    subnet = view.subnet
    return {
        "id": subnet.id,
        "name": subnet.name,
        "description": subnet.description,
        "project_id": subnet.project_id,
        "tenant_id": subnet.project_id,
        "network_id": subnet.network_id,
        "ip_version": subnet.ip_version,
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway,
        "allocation_pools": [{"start": pool.start, "end": pool.end} for pool in subnet.pools],
        "dns_nameservers": list(subnet.dns_nameservers),
        "host_routes": [
            {"destination": route.destination, "nexthop": route.nexthop} for route in subnet.host_routes
        ],
        "enable_dhcp": subnet.enable_dhcp,
        "ipv6_address_mode": subnet.ipv6_address_mode,
        "ipv6_ra_mode": subnet.ipv6_ra_mode,
        "subnetpool_id": None,
        "segment_id": None,
        "service_types": [],
        "tags": list(subnet.tags),
        "created_at": timestamp(subnet.created_at),
        "updated_at": timestamp(subnet.updated_at),
        "revision_number": subnet.revision,
    }


def _new(call: Call, form: SubnetForm) -> NewSubnet:
    if form.ip_version not in (4, 6):
        raise InvalidValue("ip_version", form.ip_version, "4 or 6")
    return built(
        NewSubnet,
        form,
        project_id=project_of(call, form.project_id),
        pools=None if isinstance(form.pools, UnsetType) else _pools(form.pools),
        dns_nameservers=tuple(form.dns_nameservers or ()),
        host_routes=_routes(form.host_routes),
    )


def _changes(form: SubnetChangeForm) -> SubnetChanges:
    return built(
        SubnetChanges,
        form,
        pools=form.pools if isinstance(form.pools, UnsetType) else _pools(form.pools),
        dns_nameservers=UNSET
        if isinstance(form.dns_nameservers, UnsetType)
        else tuple(form.dns_nameservers or ()),
        host_routes=UNSET if isinstance(form.host_routes, UnsetType) else _routes(form.host_routes),
    )


def _pools(forms: list[PoolForm]) -> tuple[AddressRange, ...]:
    return tuple(AddressRange(form.start, form.end) for form in forms)


def _routes(forms: list[RouteForm] | None) -> tuple[HostRoute, ...]:
    return tuple(HostRoute(form.destination, form.nexthop) for form in forms or ())


def _viewed(tx: Tx, subnet: Subnet) -> SubnetView:
    return subnets.views(tx, (subnet,))[0]


SUBNETS = Resource(
    noun=_NOUN,
    subject=subjects.SUBNET,
    collection=_LIST,
    shown=lambda view, _: shown(view),
    target=lambda view: subjects.of_subnet(view.subnet, view.network, view.shared_with),
    new=_new,
    new_target=lambda tx, new: Target(
        new.project_id, network_project_id=tx.networks.fetch(new.network_id).project_id
    ),
    create=lambda tx, new: _viewed(tx, subnets.create(tx, new)),
    find=lambda tx, where: subnets.views(tx, tx.subnets.find(**where)),
    fetch=lambda tx, subject: _viewed(tx, tx.subnets.fetch(subject)),
    update=lambda tx, subject, form, revision: _viewed(
        tx, subnets.update(tx, SubnetId(subject), _changes(form), revision)
    ),
    names=by_field(network_id=subjects.NETWORK),
    remove=lambda tx, subject, revision: subnets.delete(tx, SubnetId(subject), revision),
)
