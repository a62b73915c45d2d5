"""Who may use a flavor that is not public, over HTTP. Source: nova.api.openstack.compute.flavor_access."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from fairlead.api import bodies
from fairlead.api.answers import document
from fairlead.api.bodies import MalformedBody
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.control import flavors as control
from fairlead.control.boundary import Tx
from fairlead.control.subjects import refused
from fairlead.model.errors import NotFound
from fairlead.model.ids import FlavorId, ProjectId
from fairlead.model.server import Flavor

_RULES = "os_compute_api:os-flavor-access"


class TenantForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A project."""

    tenant: Annotated[str, Meta(min_length=1, max_length=255)]


class ActionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /flavors/{id}/action: one of them."""

    add: TenantForm | None = None
    remove: TenantForm | None = None


_NAMES = {"addTenantAccess": "add", "removeTenantAccess": "remove"}


def index(call: Call, _version: Microversion, flavor_id: str) -> Response:
    """GET /flavors/{id}/os-flavor-access."""
    flavor = call.run(lambda tx: tx.flavors.fetch(flavor_id))
    if flavor.is_public:
        raise NotFound("access list", f"of public flavor {flavor_id}")
    return _shown(flavor)


def act(call: Call, _version: Microversion, flavor_id: str) -> Response:
    """POST /flavors/{id}/action."""
    found = bodies.parse(call.body)
    given = (
        {_NAMES.get(str(key), str(key)): value for key, value in found.items()}
        if isinstance(found, dict)
        else found
    )
    match bodies.shape(ActionBody, given):
        case ActionBody(add=TenantForm(tenant=tenant), remove=None):
            work = _allowed(call, "add_tenant_access", control.grant)
        case ActionBody(add=None, remove=TenantForm(tenant=tenant)):
            work = _allowed(call, "remove_tenant_access", control.revoke)
        case _:
            raise MalformedBody("The body has one of addTenantAccess and removeTenantAccess.")
    return _shown(call.run(lambda tx: work(tx, FlavorId(flavor_id), ProjectId(tenant))))


Change = Callable[[Tx, FlavorId, ProjectId], Flavor]


def _allowed(call: Call, name: str, work: Change) -> Change:
    call.goes_by(f"{_RULES}:{name}")
    if not call.caller.may_any(f"{_RULES}:{name}"):
        raise refused(f"{_RULES}:{name}")
    return work


def _shown(flavor: Flavor) -> Response:
    rows = [{"flavor_id": flavor.id, "tenant_id": project_id} for project_id in flavor.access]
    return document({"flavor_access": rows})
