"""Subnets over HTTP."""

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
from fairlead.control import subnets
from fairlead.control.boundary import Tx
from fairlead.control.subnets import NewSubnet, SubnetChanges
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
    dns_nameservers: _Addresses = []
    host_routes: list[RouteForm] = []
    enable_dhcp: bool = True
    ipv6_address_mode: _Mode | None = None
    ipv6_ra_mode: _Mode | None = None


class SubnetChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    name: Name | UnsetType = UNSET
    description: Name | UnsetType = UNSET
    gateway: _AddressText | UnsetType | None = field(default=UNSET, name="gateway_ip")
    pools: list[PoolForm] | UnsetType = field(default=UNSET, name="allocation_pools")
    dns_nameservers: _Addresses | UnsetType = UNSET
    host_routes: list[RouteForm] | UnsetType = UNSET
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


def create(call: Call) -> Response:
    """POST /subnets, one or several, all or none."""
    forms, in_bulk = posted(call, _NOUN)
    wanted = [_new(call, form) for form in forms]

    def work(tx: Tx) -> list[Subnet]:
        return [subnets.create(tx, new) for new in wanted]

    made = [shown(subnet) for subnet in call.run(work)]
    return document({"subnets": made} if in_bulk else {"subnet": made[0]}, 201)


def index(call: Call) -> Response:
    """GET /subnets."""
    where = listing.where(call, _LIST)
    found = call.run(lambda tx: tx.subnets.find(**where))
    return listing.answer(call, _LIST, [shown(subnet) for subnet in found])


def show(call: Call, subnet_id: str) -> Response:
    """GET /subnets/{id}."""
    subnet = call.run(lambda tx: tx.subnets.fetch(subnet_id))
    return document({"subnet": listing.only_fields(call, shown(subnet))})


def update(call: Call, subnet_id: str) -> Response:
    """PUT /subnets/{id}."""
    form = put(call, _NOUN)
    changes = built(
        SubnetChanges,
        form,
        pools=form.pools if isinstance(form.pools, UnsetType) else _pools(form.pools),
        dns_nameservers=UNSET if isinstance(form.dns_nameservers, UnsetType) else tuple(form.dns_nameservers),
        host_routes=UNSET if isinstance(form.host_routes, UnsetType) else _routes(form.host_routes),
    )
    revision = expected_revision(call)
    subnet = call.run(lambda tx: subnets.update(tx, SubnetId(subnet_id), changes, revision))
    return document({"subnet": shown(subnet)})


def delete(call: Call, subnet_id: str) -> Response:
    """DELETE /subnets/{id}."""
    refuse_body(call)
    revision = expected_revision(call)
    call.run(lambda tx: subnets.delete(tx, SubnetId(subnet_id), revision))
    return empty()


def shown(subnet: Subnet) -> listing.Shown:
    """The subnet as clients see it."""
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
        dns_nameservers=tuple(form.dns_nameservers),
        host_routes=_routes(form.host_routes),
    )


def _pools(forms: list[PoolForm]) -> tuple[AddressRange, ...]:
    return tuple(AddressRange(form.start, form.end) for form in forms)


def _routes(forms: list[RouteForm]) -> tuple[HostRoute, ...]:
    return tuple(HostRoute(form.destination, form.nexthop) for form in forms)
