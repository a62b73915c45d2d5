"""Handlers of a server's interfaces: its ports as Nova shows them."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.control import servers as control
from fairlead.control.servers import ServerNic, ServerView
from fairlead.model.errors import NotFound
from fairlead.model.ids import ServerId
from fairlead.model.lifecycle import port_status

_TAGGED: Microversion = (2, 70)


def list_interfaces(call: Call, version: Microversion, server_id: str) -> Response:
    """GET /servers/{id}/os-interface."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    return document({"interfaceAttachments": [_shown(version, view, nic) for nic in view.nics]})


def show(call: Call, version: Microversion, server_id: str, port_id: str) -> Response:
    """GET /servers/{id}/os-interface/{port}."""
    view = call.run(lambda tx: control.show(tx, ServerId(server_id)))
    nic = next((nic for nic in view.nics if nic.port.id == port_id), None)
    if nic is None:
        raise NotFound("port", port_id)
    return document({"interfaceAttachment": _shown(version, view, nic)})


def _shown(version: Microversion, view: ServerView, nic: ServerNic) -> Json:
    shown: Json = {
        "port_id": nic.port.id,
        "net_id": nic.network.id,
        "mac_addr": nic.port.mac,
        "port_state": port_status(nic.binding, view.server.guest_state).value,
        "fixed_ips": [{"subnet_id": ip.subnet_id, "ip_address": ip.ip_address} for ip in nic.port.fixed_ips],
    }
    return {**shown, "tag": view.server.nic_tags.get(nic.port.id)} if version >= _TAGGED else shown
