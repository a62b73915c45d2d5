"""GET /servers/{id}/diagnostics: its host is asked. Source: nova.api.openstack.compute.views.server_diagnostics.

Before 2.48 a flat object whose keys are libvirt's names, from then on one schema for all drivers.
"""

from starlette.responses import Response

from fairlead.api.answers import document
from fairlead.api.asking import ask
from fairlead.api.call import Call
from fairlead.api.compute.microversions import Microversion, asked_version
from fairlead.api.compute.paging import Json
from fairlead.api.compute.server_status import in_novas_words
from fairlead.control import servers
from fairlead.control.boundary import Tx
from fairlead.control.servers import ServerView, WrongState
from fairlead.model.diagnostics import Diagnostics, DiagnosticsAnswer, NicCounters
from fairlead.model.errors import Conflict
from fairlead.model.ids import ServerId
from fairlead.model.question import QuestionKind
from fairlead.wire import codec

_STANDARD: Microversion = (2, 48)
_COUNTERS = (
    "rx_octets",
    "rx_packets",
    "rx_errors",
    "rx_drop",
    "tx_octets",
    "tx_packets",
    "tx_errors",
    "tx_drop",
)


async def show(call: Call, server_id: str) -> Response:
    """What its guest has used. Raises NotFound; Conflict while it does not run, or its host does not tell."""
    version = asked_version(call.request)
    view, seconds = await call.in_worker(lambda tx: _running(tx, ServerId(server_id)))
    said = await ask(call, ServerId(server_id), QuestionKind.DIAGNOSTICS)
    answer = codec.decode(DiagnosticsAnswer, said.encode())
    if answer.found is None:
        raise Conflict("no_answer", f"The host of server {server_id} tells nothing: {answer.failure}")
    shown = _standard(view, seconds, answer.found) if version >= _STANDARD else _flat(answer.found)
    return document(shown)


def _running(tx: Tx, server_id: ServerId) -> tuple[ServerView, int]:
    """The server, and for how long it has been there in seconds."""
    view = servers.show(tx, server_id)
    if view.server.guest_state != "running":
        raise in_novas_words(WrongState("get_diagnostics", view.server))
    since = view.server.launched_at or tx.now
    return view, int((tx.now - since).total_seconds())


def _flat(found: Diagnostics) -> Json:
    shown: Json = {f"cpu{at}_time": time for at, time in enumerate(found.cpu_times_ns) if time is not None}
    shown["memory"] = found.memory_kib
    if found.used_kib is not None:
        shown["memory-rss"] = found.used_kib
    for disk in found.disks:
        shown[f"{disk.name}_read"] = disk.read_octets
        shown[f"{disk.name}_read_req"] = disk.read_requests
        shown[f"{disk.name}_write"] = disk.write_octets
        shown[f"{disk.name}_write_req"] = disk.write_requests
        shown[f"{disk.name}_errors"] = -1
    for nic in found.nics:
        shown.update({f"{nic.name}_{name}": value for name, value in _flat_counters(nic.counters).items()})
    return shown


def _flat_counters(counted: NicCounters | None) -> Json:
    """Nothing of what nobody counts."""
    if counted is None:
        return {}
    shown = {
        "rx": counted.rx_octets,
        "rx_packets": counted.rx_packets,
        "rx_errors": counted.rx_errors,
        "rx_drop": counted.rx_drop,
        "tx": counted.tx_octets,
        "tx_packets": counted.tx_packets,
        "tx_errors": counted.tx_errors,
        "tx_drop": counted.tx_drop,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _standard(view: ServerView, seconds: int, found: Diagnostics) -> Json:
    macs = {nic.port.id: nic.port.mac for nic in view.nics}
    return {
        "state": "running",
        "driver": "libvirt",
        "hypervisor": found.hypervisor,
        "hypervisor_os": "linux",
        "uptime": seconds,
        "config_drive": view.server.config_drive,
        "num_cpus": len(found.cpu_times_ns),
        "num_nics": len(found.nics),
        "num_disks": len(found.disks),
        "memory_details": {
            "maximum": found.memory_kib // 1024,
            "used": None if found.used_kib is None else found.used_kib // 1024,
        },
        "cpu_details": [
            {"id": at, "time": time, "utilisation": None} for at, time in enumerate(found.cpu_times_ns)
        ],
        "nic_details": [
            {
                "mac_address": macs.get(nic.port_id),
                **_counters(nic.counters),
                "rx_rate": None,
                "tx_rate": None,
            }
            for nic in found.nics
        ],
        "disk_details": [
            {
                "read_bytes": disk.read_octets,
                "read_requests": disk.read_requests,
                "write_bytes": disk.write_octets,
                "write_requests": disk.write_requests,
                "errors_count": None,
            }
            for disk in found.disks
        ],
    }


def _counters(counted: NicCounters | None) -> Json:
    return {name: getattr(counted, name, None) for name in _COUNTERS}
