"""What a host on which nothing happens costs its agent: `python -m bench.quiet`.

64 guests, half of them with a VF each and half with a tap. As with libvirt each look is given the XML of every
domain twice, as it runs and as it is stored. What is not in these figures: libvirt's socket, the octets of netlink
for taps, and HTTP. The lab's phase `costs` measures an agent with all of them.
"""

import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import process_time

from bench.agent_host import (
    HOST,
    IMAGE,
    PF,
    VFS,
    AgentHost,
    Asked,
    desired,
    host_folder,
    port,
    server,
    wished_vf,
)
from fairlead.agent.boundary import HypervisorView
from fairlead.agent.loop import LONGEST_REST_SECONDS
from fairlead.hoststate.desired import (
    TAP_PREFIX,
    DesiredBridge,
    DesiredFamily,
    DesiredGuest,
    DesiredHostdev,
    DesiredNic,
    DesiredState,
    DesiredTap,
    ImageRef,
    NicKind,
)
from fairlead.hypervisor.domain_document import DomainDocument, ReadDocuments
from fairlead.model.ids import ImageId, PortId, vf_key
from fairlead.model.pci import DeviceKind, MacAddress, PciAddress
from fairlead.model.server import Power
from fairlead.sim.hypervisor import SimHypervisor
from fairlead.sim.machine import Machine

GUESTS = 64
TIMES = 30
BUDGET_PERCENT = 0.2
_BRIDGE = "flbr-0a1b2c3d"
_IMAGE = ImageRef(
    ImageId("00000000-0000-4000-8000-0000000000a1"), hashlib.sha512(IMAGE).hexdigest(), len(IMAGE), "raw"
)


class _ReadAsXml(SimHypervisor):
    """As LibvirtHypervisor looks at domains: two documents for each."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self._documents: list[str] = []
        self._last_read: Mapping[str, DomainDocument] = {}

    def observe(self) -> HypervisorView:
        """All domains."""
        read = ReadDocuments(self._last_read)
        for document in self._documents:
            read.read(document)
            read.read(document)
        self._last_read = read.found
        return super().observe()

    def define(self, domain: str) -> Mapping[PortId, PciAddress]:
        """Keep its XML: each domain is defined once here."""
        self._documents.append(domain)
        return super().define(domain)


def main() -> int:
    """Measure and print; 1 when over a budget."""
    results = [
        _measured(f"{VFS} VFs", _with_vfs),
        _measured(f"{GUESTS} guests, half with a VF, half with a tap", _with_guests),
    ]
    return int(max(results) > BUDGET_PERCENT)


def _measured(what: str, made: Callable[[Path], AgentHost]) -> float:
    """Per cent of a core for one look each time that nothing else wakes the agent."""
    with host_folder() as folder:
        host = made(folder)
        took = median(_look_ms(host) for _ in range(TIMES))
        rest = host.agent.rest_seconds()
    assert rest == LONGEST_REST_SECONDS, f"it looks again after {rest} s"
    percent = took / (10 * rest)
    print(
        f"a quiet look, {what}: {took:.1f} ms CPU each {rest:g} s, {percent:.2f} % of a core"
        f"   (budget {BUDGET_PERCENT:g} %)"
    )
    return percent


def _look_ms(host: AgentHost) -> float:
    changes = host.wire.asked[Asked.SET_VF]
    before = process_time()
    host.agent.tick()
    took = (process_time() - before) * 1000
    assert host.wire.asked[Asked.SET_VF] == changes, "there was something to do"
    return took


def _with_vfs(root: Path) -> AgentHost:
    host = AgentHost(root)
    host.tell(desired(2, VFS))
    return host


def _with_guests(root: Path) -> AgentHost:
    host = AgentHost(root, _ReadAsXml)
    host.tell(_desired())
    last = host.control.last
    assert last is not None
    assert len(last.wired) == GUESTS
    return host


def _desired() -> DesiredState:
    with_vfs, with_taps = range(GUESTS // 2), range(GUESTS // 2, GUESTS)
    return DesiredState(
        host_id=HOST,
        generation=2,
        families=(DesiredFamily(PF.key, VFS, None),),
        vfs=tuple(map(wished_vf, with_vfs)),
        bridges=(DesiredBridge(_BRIDGE, "physnet1", PF.key, None),),
        taps=tuple(map(_tap, with_taps)),
        guests=(*map(_guest_with_vf, with_vfs), *map(_guest_with_tap, with_taps)),
    )


def _guest_with_vf(number: int) -> DesiredGuest:
    vf = wished_vf(number)
    nic = DesiredNic(port(number), NicKind.HOSTDEV, _mac(number), 1500, vf.device_id)
    key = vf_key(PF.key, number)
    return _guest(
        number, nic, (DesiredHostdev(vf.device_id, DeviceKind.VF, key, PF.key, number, vf.port_id),)
    )


def _guest_with_tap(number: int) -> DesiredGuest:
    tap = _tap(number)
    return _guest(number, DesiredNic(tap.port_id, NicKind.TAP, tap.mac, tap.mtu, tap=tap.name), ())


def _tap(number: int) -> DesiredTap:
    name = f"{TAP_PREFIX}{port(number)[:8]}"
    return DesiredTap(name, _BRIDGE, port(number), server(number), _mac(number), 200, 1500)


def _mac(number: int) -> MacAddress:
    return MacAddress(f"fa:16:3e:00:00:{number:02x}")


def _guest(number: int, nic: DesiredNic, hostdevs: tuple[DesiredHostdev, ...]) -> DesiredGuest:
    return DesiredGuest(
        server_id=server(number),
        name=f"server {number}",
        power=Power.RUNNING,
        boot_serial=1,
        hard_reboot=False,
        disk_serial=1,
        vcpus=2,
        memory_mib=512,
        disk_gib=0,
        root=_IMAGE,
        kernel=None,
        ramdisk=None,
        command_line="",
        cells=(),
        nics=(nic,),
        hostdevs=hostdevs,
        config_files=(),
    )


if __name__ == "__main__":
    sys.exit(main())
