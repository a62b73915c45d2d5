"""Handler of health: whether control, its database and the hosts are well."""

from importlib import metadata
from typing import Annotated, Literal

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.records import says
from fairlead.control import devices
from fairlead.control.boundary import Tx
from fairlead.control.devices import DeviceView
from fairlead.control.hosts import Liveness, liveness
from fairlead.model.device import DeviceStatus
from fairlead.model.pci import DeviceKind

_VERSION = metadata.version("fairlead")
_TROUBLED = (DeviceStatus.FAULTY, DeviceStatus.MISSING)


class Health(Struct, frozen=True, kw_only=True):
    """How control and its hosts are. That it answers says that its database does."""

    status: Annotated[
        Literal["ok", "degraded"],
        says("`degraded`: a host is silent or does not report, or a device is faulty or missing."),
    ]
    version: Annotated[str, says("The release of this control.")]
    hosts: Annotated[int, says("How many hosts there are.")]
    silent_hosts: Annotated[list[str], says("Names of the hosts whose agent is not heard of.")]
    not_reporting_hosts: Annotated[
        list[str], says("Names of the hosts whose agent is heard of and does not tell how the host is.")
    ]
    faulty_or_missing_devices: Annotated[
        int, says("How many devices are faulty or missing, but for VFs that nobody has and that went away.")
    ]


def show(call: Call) -> Health:
    """How control and its hosts are."""
    return call.run(_health)


def _is_troubled(view: DeviceView) -> bool:
    """VFs come and go with their number, and with a PF that is given whole: it matters to who holds one."""
    is_spare = view.device.kind is DeviceKind.VF and view.allocation is None
    return not (is_spare and view.device.status is DeviceStatus.MISSING)


def _health(tx: Tx) -> Health:
    hosts = tx.hosts.find()
    named = {
        state: [host.name for host in hosts if liveness(host, tx.now) is state]
        for state in (Liveness.SILENT, Liveness.NOT_REPORTING)
    }
    troubled = sum(map(_is_troubled, devices.views(tx, tx.devices.find(status=_TROUBLED))))
    return Health(
        status="degraded" if any(named.values()) or troubled else "ok",
        version=_VERSION,
        hosts=len(hosts),
        silent_hosts=named[Liveness.SILENT],
        not_reporting_hosts=named[Liveness.NOT_REPORTING],
        faulty_or_missing_devices=troubled,
    )
