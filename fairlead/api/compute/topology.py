"""Handler of a server's NUMA topology, from 2.78. Source: nova.api.openstack.compute.server_topology."""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion
from fairlead.api.compute.paging import Json
from fairlead.control.subjects import of_server
from fairlead.model.numa import GuestCell

_HOSTS = "compute:server:topology:host:index"


def show(call: Call, _version: Microversion, server_id: str) -> Response:
    """GET /servers/{id}/topology: its guest's cells; the nodes of the host that they are on, to the operator."""
    server = call.run(lambda tx: tx.servers.fetch(server_id))
    by_operator = call.caller.may(_HOSTS, of_server(server))
    nodes, first = [], 0
    for cell in server.cells:
        nodes.append(_shown(cell, range(first, first + cell.vcpus), by_operator=by_operator))
        first += cell.vcpus
    return document({"nodes": nodes, "pagesize_kb": None})


def _shown(cell: GuestCell, vcpus: range, *, by_operator: bool) -> Json:
    shown: Json = {"memory_mb": cell.memory_mib, "vcpu_set": list(vcpus), "siblings": []}
    return {**shown, "host_node": cell.host_node, "cpu_pinning": {}} if by_operator else shown
