"""Handlers of a server's interfaces: its ports as Nova shows them, attached and detached.

Source: nova.api.openstack.compute.attach_interfaces, and its schema. Nova answers once the guest has the NIC; here the
answer is at once, with `port_state` BUILD until the host has made it true (docs/decisions/0014).
"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from fairlead.access.caller import Caller
from fairlead.api import bodies
from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.compute import boot
from fairlead.api.compute.boot_form import DeviceTag, NicWishes
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.api.problems import Unserved
from fairlead.control import attaching, locking
from fairlead.control import servers as control
from fairlead.control.boundary import Tx
from fairlead.control.nics import BootNic, NicChoice, listed
from fairlead.control.servers import ServerNic, ServerView
from fairlead.control.subjects import NETWORK, PORT, see
from fairlead.model.errors import Conflict, InvalidValue, NotAttached
from fairlead.model.ids import NetworkId, PortId, ServerId
from fairlead.model.lifecycle import port_status

_TAGGED: Microversion = (2, 70)
_TAKES_TAG: Microversion = (2, 49)
_BAD_REQUEST = ("ambiguous", "cannot_bind", "no_addresses")
"""What is 400 here, in Nova: what was asked for cannot be, though it is well-formed."""


class AddressForm(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `fixed_ips`."""

    ip_address: Annotated[str, Meta(min_length=1, max_length=64)]


class AttachmentForm(NicWishes, frozen=True, forbid_unknown_fields=True):
    """`interfaceAttachment`: a port, or a network (none: the only one there is) and what its NIC shall be like."""

    net_id: str | UnsetType = UNSET
    port_id: str | UnsetType = UNSET
    fixed_ips: Annotated[list[AddressForm], Meta(min_length=1, max_length=1)] | UnsetType = UNSET
    tag: DeviceTag | UnsetType = UNSET


class AttachmentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /servers/{id}/os-interface."""

    attachment: AttachmentForm = msgspec.field(default=AttachmentForm(), name="interfaceAttachment")


def list_interfaces(call: Call, version: Microversion, server_id: str) -> Response:
    """GET /servers/{id}/os-interface."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    return document({"interfaceAttachments": [_shown(version, view, nic) for nic in view.nics]})


def show(call: Call, version: Microversion, server_id: str, port_id: str) -> Response:
    """GET /servers/{id}/os-interface/{port}."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    nic = next((nic for nic in view.nics if nic.port.id == port_id), None)
    if nic is None:
        raise NotAttached(port_id, view.server.name)
    return document({"interfaceAttachment": _shown(version, view, nic)})


def attach(call: Call, version: Microversion, server_id: str) -> Response:
    """POST /servers/{id}/os-interface."""
    form = bodies.shape(AttachmentBody, bodies.parse(call.body)).attachment
    _check(form, version)

    def work(tx: Tx) -> tuple[PortId, ServerView]:
        locking.check(tx, call.caller, ServerId(server_id))
        port_id = attaching.attach(tx, call.caller, ServerId(server_id), _nic(tx, call.caller, form))
        return port_id, control.show(tx, ServerId(server_id))

    try:
        port_id, view = call.run(work)
    except Conflict as refusal:
        if refusal.code in _BAD_REQUEST:
            raise Unserved(400, refusal.code, refusal.message) from refusal
        raise
    nic = next(nic for nic in view.nics if nic.port.id == port_id)
    return document({"interfaceAttachment": _shown(version, view, nic)})


def detach(call: Call, server_id: str, port_id: str) -> Response:
    """DELETE /servers/{id}/os-interface/{port}: 202, and the port is listed until the guest has let go of it."""

    def work(tx: Tx) -> None:
        locking.check(tx, call.caller, ServerId(server_id))
        attaching.detach(tx, ServerId(server_id), PortId(port_id), call.caller.request_id)

    call.run(work)
    return empty(202)


def _check(form: AttachmentForm, version: Microversion) -> None:
    if form.tag is not UNSET and version < _TAKES_TAG:
        raise InvalidValue("tag", form.tag, "possible before microversion 2.49")
    for field, value in (("net_id", form.net_id), ("port_id", form.port_id)):
        if value is not UNSET and not _is_uuid(value):
            raise InvalidValue(field, value, "a UUID")
    if form.net_id is not UNSET and form.port_id is not UNSET:
        raise InvalidValue("port_id", form.port_id, "given beside net_id: a NIC is a port, or on a network")
    if form.fixed_ips is not UNSET and form.net_id is UNSET:
        address = form.fixed_ips[0].ip_address
        raise InvalidValue("fixed_ips", address, "possible without net_id, the network of the address")


def _nic(tx: Tx, caller: Caller, form: AttachmentForm) -> BootNic:
    """Raises NotFound for a port or network that the caller does not see."""
    nic = BootNic(
        network_id=NetworkId(form.net_id) if form.net_id is not UNSET else None,
        port_id=PortId(form.port_id) if form.port_id is not UNSET else None,
        fixed_ip=form.fixed_ips[0].ip_address if form.fixed_ips is not UNSET else None,
        tag=form.tag or None,
    )
    if nic.port_id is not None:
        see(tx, caller, PORT, nic.port_id)
    elif nic.network_id is not None:
        see(tx, caller, NETWORK, nic.network_id)
    else:
        (only,) = listed(tx, caller, NicChoice.AUTO)
        nic = replace(nic, network_id=only.network_id)
    return boot.wished(tx, caller, nic, form)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _shown(version: Microversion, view: ServerView, nic: ServerNic) -> Json:
    shown: Json = {
        "port_id": nic.port.id,
        "net_id": nic.network.id,
        "mac_addr": nic.port.mac,
        "port_state": port_status(nic.binding, view.server.guest_state).value,
        "fixed_ips": [{"subnet_id": ip.subnet_id, "ip_address": ip.ip_address} for ip in nic.port.fixed_ips],
    }
    return {**shown, "tag": view.server.nic_tags.get(nic.port.id)} if version >= _TAGGED else shown
