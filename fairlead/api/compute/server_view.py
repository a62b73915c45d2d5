"""Servers as the compute API shows them, by microversion. Source: nova.api.openstack.compute.views.servers."""

from hashlib import sha224

from fairlead.api.answers import timestamp
from fairlead.api.call import Call
from fairlead.api.compute import flavor_view
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.api.compute.server_status import Shown, shown_status
from fairlead.control.servers import ServerView
from fairlead.control.subjects import of_server
from fairlead.model.errors import Failure
from fairlead.model.host import HostAdmin
from fairlead.model.server import Server

_HOST_ATTRIBUTES = "os_compute_api:os-extended-server-attributes"
_HOST_STATUS = "os_compute_api:servers:show:host_status"
_WITH_PROGRESS = ("ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE")
_WITH_FAULT = ("BUILD", "ERROR", "REBUILD")


def brief(call: Call, view: ServerView) -> Json:
    """Id, name and links."""
    return {"id": view.server.id, "name": view.server.name, "links": _links(call, view.server)}


def full(call: Call, version: Microversion, view: ServerView) -> Json:
    """All of a server that the microversion has, as GET answers it."""
    target = of_server(view.server)
    by_operator = call.caller.may(_HOST_ATTRIBUTES, target)
    return {
        **changed(call, version, view),
        **_placed(view),
        **_addresses(view, extended=True),
        **(_hosted(view) if by_operator else {}),
        **(_since(version, (2, 3), _booted(view.server)) if by_operator else {}),
        **(_since(version, (2, 3), _host_name(view.server)) if by_operator else {}),
        **_since(version, (2, 16), _host_status(view) if call.caller.may(_HOST_STATUS, target) else {}),
        **_since(version, (2, 90), _host_name(view.server)),
        **_since(version, (2, 96), {"pinned_availability_zone": view.server.availability_zone or None}),
    }


def changed(call: Call, version: Microversion, view: ServerView) -> Json:
    """What PUT answers before 2.75: without what an extension of old added."""
    server, status = view.server, shown_status(view.server)
    shown: Json = {
        **brief(call, view),
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "hostId": host_id(server.project_id, view.host.name) if view.host else "",
        "status": status.status,
        "metadata": server.metadata,
        "image": _image(call, server),
        "flavor": flavor_view.of_server(call, version, server.flavor),
        "created": timestamp(server.created_at),
        "updated": timestamp(server.updated_at),
        "accessIPv4": "",
        "accessIPv6": "",
        "OS-DCF:diskConfig": "MANUAL",
        **_addresses(view, extended=False),
        **_since(version, (2, 9), {"locked": server.locked}),
        **_since(version, (2, 19), {"description": server.description}),
        **_since(version, (2, 26), {"tags": server.tags}),
        **_since(version, (2, 63), {"trusted_image_certificates": None}),
        **_since(version, (2, 73), {"locked_reason": server.locked_reason}),
    }
    if status.status in _WITH_PROGRESS:
        shown["progress"] = progress_of(status)
    if status.status in _WITH_FAULT and server.fault is not None:
        shown["fault"] = _fault(call, server, server.fault)
    return shown


def addresses(view: ServerView) -> Json:
    """Addresses by network, as GET /servers/{id}/ips has them."""
    return {
        name: [{"version": address["version"], "addr": address["addr"]} for address in found]
        for name, found in _by_network(view).items()
    }


def progress_of(status: Shown) -> int:
    """How far a server is on its way, in percent."""
    return 100 if status.status == "ACTIVE" else 0


def reservation_id(server: Server) -> str:
    """What Nova gives to what one request boots; here each server has its own."""
    return f"r-{server.id[:8]}"


def _placed(view: ServerView) -> Json:
    server, status = view.server, shown_status(view.server)
    return {
        "OS-EXT-AZ:availability_zone": view.zone or server.availability_zone,
        "OS-EXT-STS:task_state": status.task_state,
        "OS-EXT-STS:vm_state": status.vm_state,
        "OS-EXT-STS:power_state": status.power_state,
        "OS-SRV-USG:launched_at": server.launched_at and server.launched_at.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        "OS-SRV-USG:terminated_at": None,
        "config_drive": "True" if server.config_drive else "",
        "key_name": server.key_name,
        "os-extended-volumes:volumes_attached": [],
    }


def _hosted(view: ServerView) -> Json:
    host = view.host.name if view.host else None
    return {
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": host,
        "OS-EXT-SRV-ATTR:instance_name": f"fl-{view.server.id}",
    }


def _booted(server: Server) -> Json:
    return {
        "OS-EXT-SRV-ATTR:reservation_id": reservation_id(server),
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:kernel_id": server.kernel_id or "",
        "OS-EXT-SRV-ATTR:ramdisk_id": server.ramdisk_id or "",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda" if server.image_id else None,
        "OS-EXT-SRV-ATTR:user_data": server.user_data,
    }


def _host_name(server: Server) -> Json:
    """The operator's to see, from 2.90 on its owner's as well."""
    return {"OS-EXT-SRV-ATTR:hostname": server.hostname or server.name}


def _addresses(view: ServerView, *, extended: bool) -> Json:
    if extended:
        return {"addresses": _by_network(view)}
    return {"addresses": addresses(view)}


def _by_network(view: ServerView) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for nic in view.nics:
        listed = found.setdefault(nic.network.name, [])
        listed.extend(
            {
                "version": 6 if ":" in ip.ip_address else 4,
                "addr": ip.ip_address,
                "OS-EXT-IPS:type": "fixed",
                "OS-EXT-IPS-MAC:mac_addr": nic.port.mac,
            }
            for ip in nic.port.fixed_ips
        )
    return found


def _since(version: Microversion, first: Microversion, shown: Json) -> Json:
    return shown if version >= first else {}


def host_id(project_id: str, host_name: str) -> str:
    """Nova's digest: the same for servers of one project on one host, and it says nothing else."""
    return sha224(f"{project_id}{host_name}".encode()).hexdigest()


def _host_status(view: ServerView) -> Json:
    return {"host_status": _status_of_host(view)}


def _status_of_host(view: ServerView) -> str:
    if view.host is None:
        return ""
    if view.host.admin is HostAdmin.DISABLED:
        return "MAINTENANCE"
    return "UP" if view.is_host_alive else "UNKNOWN"


def _image(call: Call, server: Server) -> Json | str:
    if server.image_id is None:
        return ""
    bookmark = {"rel": "bookmark", "href": call.url(f"/compute/images/{server.image_id}")}
    return {"id": server.image_id, "links": [bookmark]}


def _fault(call: Call, server: Server, failure: Failure) -> Json:
    """The reasons name hosts, devices and who holds them: an operator's to know. Others learn what has failed."""
    at = server.fault_at or server.updated_at
    if call.caller.may(_HOST_ATTRIBUTES, of_server(server)):
        return {"code": 500, "created": timestamp(at), "message": str(failure), "details": str(failure)}
    message = _FAULTS.get(failure.code, "The server has failed. Its operator can see why.")
    return {"code": 500, "created": timestamp(at), "message": message}


_FAULTS = {
    "no_valid_host": "No valid host was found: no host has what the server asks for now. Its operator can see why.",
    "held_back": "The server waits for something on its host, and goes on by itself. Its operator can see for what.",
}
"""By the failure's code, for those to whom hosts are not shown."""


def _links(call: Call, server: Server) -> list[Json]:
    return [
        {"rel": "self", "href": call.url(f"/compute/v2.1/servers/{server.id}")},
        {"rel": "bookmark", "href": call.url(f"/compute/servers/{server.id}")},
    ]
