"""The bindings of a port over HTTP, one for each host: Neutron's `binding-extended`."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.network import binding_profile, listing
from fairlead.api.network.binding_profile import Wishes
from fairlead.api.network.port_view import vif_details, vif_type
from fairlead.api.network.requests import Name, Noun, posted_alone, put, refuse_body, refuse_revision
from fairlead.api.routes import Route
from fairlead.control import port_bindings
from fairlead.control.boundary import Tx
from fairlead.control.port_bindings import BindingView
from fairlead.control.subjects import PORT
from fairlead.model.errors import Conflict
from fairlead.model.ids import PortId
from fairlead.model.port import Port, VnicType


class BindingForm(Struct, kw_only=True):
    """What POST takes. The vNIC type and the profile are the port's: they may only be repeated."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    vnic_type: VnicType | UnsetType = UNSET
    profile: dict[str, object] | UnsetType | None = UNSET
    project_id: Name | UnsetType = UNSET


class BindingChangeForm(Struct, kw_only=True):
    """What PUT takes."""

    vnic_type: VnicType | UnsetType = UNSET
    profile: dict[str, object] | UnsetType | None = UNSET


_SHOWN = ("host", "vif_type", "vif_details", "vnic_type", "profile", "status")
_NOUN = Noun("binding", "bindings", BindingForm, BindingChangeForm, shown=frozenset(_SHOWN))
_LIST = listing.Collection(
    "bindings", "port binding", ("host", "vif_type", "vnic_type", "status"), key="host"
)


def routes() -> tuple[Route, ...]:
    """Its routes."""
    path = "/v2.0/ports/{}/bindings"
    return (
        Route("GET", path, index, "get_port_binding", PORT),
        Route("POST", path, create, "create_port_binding", PORT),
        Route("GET", f"{path}/{{}}", show, "get_port_binding", PORT),
        Route("PUT", f"{path}/{{}}", update, "update_port_binding", PORT),
        Route("DELETE", f"{path}/{{}}", delete, "delete_port_binding", PORT),
        Route("PUT", f"{path}/{{}}/activate", activate, "activate", PORT),
    )


def index(call: Call, port_id: str) -> Response:
    """GET /ports/{id}/bindings."""
    views = call.run(lambda tx: port_bindings.find(tx, PortId(port_id)))
    return listing.answer(call, _LIST, [_shown(view) for view in views])


def create(call: Call, port_id: str) -> Response:
    """POST /ports/{id}/bindings: hold on another host what the port needs there."""
    given = posted_alone(call, _NOUN)

    def work(tx: Tx) -> BindingView:
        _check_same(tx.ports.fetch(port_id), given.form, {})
        return port_bindings.prepare(tx, PortId(port_id), given.form.host)

    return document({"binding": _shown(call.run(work))}, 201)


def show(call: Call, port_id: str, host: str) -> Response:
    """GET /ports/{id}/bindings/{host}."""
    view = call.run(lambda tx: port_bindings.show(tx, PortId(port_id), host))
    return document({"binding": listing.only_fields(call, _shown(view))})


def update(call: Call, port_id: str, host: str) -> Response:
    """PUT /ports/{id}/bindings/{host}: nothing of it changes but with its port."""
    refuse_revision(call)
    given = put(call, _NOUN)

    def work(tx: Tx) -> BindingView:
        view = port_bindings.show(tx, PortId(port_id), host)
        _check_same(view.port, given.form, view.binding.profile)
        return view

    return document({"binding": _shown(call.run(work))})


def delete(call: Call, port_id: str, host: str) -> Response:
    """DELETE /ports/{id}/bindings/{host}: one that waits."""
    refuse_body(call)
    refuse_revision(call)
    call.run(lambda tx: port_bindings.withdraw(tx, PortId(port_id), host))
    return empty()


def activate(call: Call, port_id: str, host: str) -> Response:
    """PUT /ports/{id}/bindings/{host}/activate: once the server is there."""
    return document(
        {"binding": _shown(call.run(lambda tx: port_bindings.activate(tx, PortId(port_id), host)))}
    )


def _check_same(port: Port, form: BindingForm | BindingChangeForm, written: dict[str, str]) -> None:
    if form.vnic_type not in (UNSET, port.vnic_type):
        raise _of_the_port(port, "vnic_type")
    if isinstance(form.profile, dict) and form.profile:
        own = Wishes(port.trusted, port.vlan_priority)
        if binding_profile.read(form.profile, written) != own:
            raise _of_the_port(port, "profile")


def _of_the_port(port: Port, name: str) -> Conflict:
    message = (
        f"The {name} of a binding is that of its port {port.id}: it is changed there, on every host at once."
    )
    return Conflict("bound", message, field=name)


def _shown(view: BindingView) -> listing.Shown:
    binding = view.binding
    return {
        "host": view.host,
        "vif_type": vif_type(binding).value,
        "vif_details": vif_details(binding.vif_details),
        "vnic_type": view.port.vnic_type.value,
        "profile": binding_profile.shown(view.port, binding.profile),
        "status": binding.role.value,
    }
