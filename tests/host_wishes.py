"""Desired states of the simulated two-socket server, made from a few words."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from fairlead.hoststate.desired import (
    ConfigFile,
    DesiredBridge,
    DesiredFamily,
    DesiredGuest,
    DesiredHostdev,
    DesiredNic,
    DesiredState,
    DesiredTap,
    DesiredVf,
    DesiredVsi,
    ImageRef,
    NicKind,
)
from fairlead.hoststate.macvtap import DesiredMacvtap, LowerDevice
from fairlead.model.association import Association
from fairlead.model.ids import DeviceId, HostId, ImageId, PortId, ServerId, device_id, vf_key
from fairlead.model.infiniband import Guid, Membership, PartitionKey, guid_of_mac
from fairlead.model.multicast import ALL_NODES
from fairlead.model.pci import DeviceKind, MacAddress
from fairlead.model.server import Power
from fairlead.model.vf import BASELINE, LinkState, VfSettings
from fairlead.model.vsi import VsiSettings
from fairlead.sim.hardware import Nic, infiniband_server

HOST = HostId("00000000-0000-4000-8000-0000000000f1")
HARDWARE = infiniband_server(1)
MANAGEMENT, *NICS = HARDWARE.nics
DATA, FABRIC = NICS[:2], NICS[2:]
"""Those of Ethernet, and those of InfiniBand (mlx5, mlx4), which only a host built as this one has."""
GPU, NVME = HARDWARE.plain
BRIDGE = "flbr-0a1b2c3d"
IMAGE_BYTES = b"a disk of few words"
IMAGE = ImageRef(
    ImageId("00000000-0000-4000-8000-0000000000a1"),
    hashlib.sha512(IMAGE_BYTES).hexdigest(),
    len(IMAGE_BYTES),
    "raw",
)


def server(number: int) -> ServerId:
    return ServerId(str(UUID(int=0x5E << 120 | number)))


def port(number: int, nic: int) -> PortId:
    return PortId(str(UUID(int=number << 112 | nic << 96 | 0x4)))


@dataclass(frozen=True)
class VfWish:
    """VF `index` of NIC `pf`, on a VLAN; or associated with a profile of the switch, which the second is at. Those from
    `pf` 2 on are of InfiniBand, and in a partition. `is_tapped`: its guest has it by a
    macvtap.
    """

    pf: int
    index: int
    vlan: int | None = 100
    trust: bool = False
    max_rate_mbps: int = 0
    vsi_type: int | None = None
    """Of the VSI on it, None none."""
    profile_id: str | None = None
    is_withheld: bool = False
    is_tapped: bool = False
    partition: int = 5


@dataclass(frozen=True)
class ServerWish:
    """A server with these VFs, then `taps` ordinary vNICs, then data NIC `whole` for another port, then these plain
    devices. It is to let go of `leaving_vfs` and `leaving_whole`, and of as many vNICs after its own.
    """

    number: int
    vfs: tuple[VfWish, ...] = ()
    taps: int = 0
    has_gpu: bool = False
    power: Power = Power.RUNNING
    boot_serial: int = 1
    hard_reboot: bool = False
    disk_serial: int = 1
    image: ImageRef | None = None
    leaving_vfs: tuple[VfWish, ...] = ()
    first_nic: int = 0
    """Number of its first VF's port; those of the VFs that leave begin with the other one of 0 and 8."""
    leaving_taps: int = 0
    whole: int | None = None
    leaving_whole: int | None = None
    keeps_disk: str = ""
    restores_disk: str = ""


@dataclass(frozen=True)
class HostWish:
    """The host with these servers; `num_vfs` of the data NICs, `fabric_vfs` of those of InfiniBand, None: they are not
    managed; `removals` are the numbers of guests to go.
    """

    servers: tuple[ServerWish, ...] = ()
    num_vfs: tuple[int | None, int | None] = (8, 8)
    generation: int = 1
    mtu: int | None = None
    bridges: bool = field(default=True)
    removals: tuple[int, ...] = ()
    fabric_vfs: int | None = None


def settings(number: int, wish: VfWish, port_id: PortId | None = None) -> VfSettings:
    mac = _mac(number, wish)
    if wish.pf >= len(DATA):
        return _on_fabric(NICS[wish.pf], guid_of_mac(mac), wish.partition)
    if wish.profile_id is not None and port_id is not None:
        return replace(BASELINE, mac=mac, association=Association(wish.profile_id, port_id, HOST))
    return VfSettings(
        mac=mac,
        vlan=wish.vlan,
        spoof_check=not wish.trust,
        trust=wish.trust,
        link_state=LinkState.AUTO,
        min_rate_mbps=0,
        max_rate_mbps=wish.max_rate_mbps,
    )


def _mac(number: int, wish: VfWish) -> MacAddress:
    return MacAddress(f"fa:16:3e:00:{number:02x}:{wish.pf << 4 | wish.index:02x}")


def _on_fabric(nic: Nic, guid: Guid, partition: int) -> VfSettings:
    key = PartitionKey(partition, Membership.FULL) if nic.has_files else None
    return VfSettings(link_state=LinkState.AUTO, port_guid=guid, node_guid=guid, partition_key=key)


def desired(wish: HostWish) -> DesiredState:
    vfs = tuple(
        _vf(server, n, vf) for server in wish.servers for n, vf in enumerate(server.vfs, server.first_nic)
    )
    taps = tuple(_tap(server, n) for server in wish.servers for n in range(server.taps))
    return DesiredState(
        host_id=HOST,
        generation=wish.generation,
        families=(
            *(
                DesiredFamily(nic.key, num_vfs, wish.mtu, is_given_whole=number in _whole(wish))
                for number, (nic, num_vfs) in enumerate(zip(DATA, wish.num_vfs, strict=True))
            ),
            *(DesiredFamily(nic.key, wish.fabric_vfs, None) for nic in FABRIC if wish.fabric_vfs is not None),
        ),
        vfs=vfs,
        bridges=(DesiredBridge(BRIDGE, "physnet1", DATA[0].key, wish.mtu),) if taps else (),
        taps=taps,
        vsis=tuple(_vsis(wish)),
        guests=tuple(map(_guest, wish.servers)),
        removals=tuple(map(server, wish.removals)),
        pcis=(GPU.key,),
        macvtaps=tuple(
            _macvtap(server, n, vf)
            for server in wish.servers
            for n, vf in enumerate(server.vfs, server.first_nic)
            if vf.is_tapped
        ),
    )


def _whole(wish: HostWish) -> set[int | None]:
    """Who is to let go of a NIC has it still."""
    return {number for server in wish.servers for number in (server.whole, server.leaving_whole)} - {None}


def _vf(wish: ServerWish, nic: int, vf: VfWish) -> DesiredVf:
    pf, port_id = NICS[vf.pf].key, port(wish.number, nic)
    return DesiredVf(
        device_id=device_id(HOST, vf_key(pf, vf.index)),
        pf=pf,
        index=vf.index,
        server_id=server(wish.number),
        port_id=port_id,
        settings=settings(wish.number, vf, port_id),
        is_withheld=vf.is_withheld,
    )


def _vsis(wish: HostWish) -> Iterator[DesiredVsi]:
    for owner in wish.servers:
        for nic, vf in enumerate(owner.vfs, owner.first_nic):
            made = _vf(owner, nic, vf)
            assert made.port_id is not None
            if vf.vsi_type is not None:
                assert made.settings.mac is not None
                told = VsiSettings(made.port_id, 11, vf.vsi_type, 2, made.settings.mac, vf.vlan)
                yield DesiredVsi(made.port_id, made.server_id, made.pf, made.index, told)


def _macvtap(wish: ServerWish, nic: int, vf: VfWish) -> DesiredMacvtap:
    port_id, mac = port(wish.number, nic), settings(wish.number, vf).mac
    assert mac is not None
    return DesiredMacvtap(
        name=f"fltap-{port_id[:8]}",
        lower=LowerDevice(DATA[vf.pf].key, vf.index),
        port_id=port_id,
        server_id=server(wish.number),
        mac=mac,
        mtu=1500,
        groups=(ALL_NODES,),
    )


def _tap(wish: ServerWish, number: int) -> DesiredTap:
    port_id = port(wish.number, 16 + number)
    return DesiredTap(
        name=f"fltap-{port_id[:8]}",
        bridge=BRIDGE,
        port_id=port_id,
        server_id=server(wish.number),
        mac=MacAddress(f"fa:16:3e:01:{wish.number:02x}:{number:02x}"),
        vlan=200,
        mtu=1500,
    )


def _guest(wish: ServerWish) -> DesiredGuest:
    vfs = [_vf(wish, n, vf) for n, vf in enumerate(wish.vfs, wish.first_nic)]
    taps = [_tap(wish, n) for n in range(wish.taps)]
    whole = [_whole_hostdev(wish, wish.whole)] if wish.whole is not None else []
    hostdevs = [_hostdev(vf) for vf, asked in zip(vfs, wish.vfs, strict=True) if not asked.is_tapped]
    hostdevs.extend(whole)
    nics = [
        _tap_nic(_macvtap(wish, n, asked))
        if asked.is_tapped
        else _nic(vf.port_id, _mac(wish.number, asked), vf.device_id)
        for n, (vf, asked) in enumerate(zip(vfs, wish.vfs, strict=True), wish.first_nic)
    ]
    leaving = list(enumerate(wish.leaving_vfs, 8 - wish.first_nic))
    if wish.has_gpu:
        hostdevs.append(DesiredHostdev(device_id(HOST, GPU.key), DeviceKind.PCI, GPU.key))
    return DesiredGuest(
        server_id=server(wish.number),
        name=f"server {wish.number}",
        power=wish.power,
        boot_serial=wish.boot_serial,
        hard_reboot=wish.hard_reboot,
        disk_serial=wish.disk_serial,
        vcpus=2,
        memory_mib=1024,
        disk_gib=0,
        root=wish.image,
        kernel=None,
        ramdisk=None,
        command_line="",
        cells=(),
        nics=(
            *nics,
            *map(_tap_nic, taps),
            *(_nic(device.port_id, DATA[wish.whole or 0].mac, device.device_id) for device in whole),
        ),
        hostdevs=tuple(hostdevs),
        config_files=(ConfigFile("openstack/latest/meta_data.json", "{}"),),
        leaving_hostdevs=(
            *(_hostdev(_vf(wish, n, vf)) for n, vf in leaving if not vf.is_tapped),
            *([_whole_hostdev(wish, wish.leaving_whole)] if wish.leaving_whole is not None else []),
        ),
        leaving_taps=(
            *(_tap_nic(_tap(wish, wish.taps + n)) for n in range(wish.leaving_taps)),
            *(_tap_nic(_macvtap(wish, n, vf)) for n, vf in leaving if vf.is_tapped),
        ),
        keeps_disk=wish.keeps_disk,
        restores_disk=wish.restores_disk,
    )


def _hostdev(vf: DesiredVf) -> DesiredHostdev:
    return DesiredHostdev(vf.device_id, DeviceKind.VF, vf_key(vf.pf, vf.index), vf.pf, vf.index, vf.port_id)


def _whole_hostdev(wish: ServerWish, number: int) -> DesiredHostdev:
    key = DATA[number].key
    return DesiredHostdev(device_id(HOST, key), DeviceKind.PF, key, port_id=port(wish.number, 32 + number))


def _tap_nic(tap: DesiredTap | DesiredMacvtap) -> DesiredNic:
    return DesiredNic(tap.port_id, NicKind.TAP, tap.mac, tap.mtu, tap=tap.name)


def _nic(port_id: PortId | None, mac: MacAddress | None, device: DeviceId) -> DesiredNic:
    assert port_id is not None
    assert mac is not None
    return DesiredNic(port_id, NicKind.HOSTDEV, mac, 1500, device_id=device)


CLEAN = BASELINE
