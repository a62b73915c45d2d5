"""The document of a host: who owns what, who is absent, and the same whatever the order of rows."""

from dataclasses import replace

from fairlead.hoststate.build import desired_state
from fairlead.hoststate.desired import NicKind
from fairlead.hoststate.facts import HostFacts
from fairlead.hoststate.settings import Settings, TapSettings
from fairlead.model.binding import Allocation, Binding, BindingRole, VifType, Wiring
from fairlead.model.device import Device
from fairlead.model.ids import DeviceId, ImageId, PfKey, PortId, RequestId
from fairlead.model.policy import DeviceMatch, DevicePolicy
from fairlead.model.port import Port, VnicType
from fairlead.model.port_settings import settings_in_force
from fairlead.model.server import Server, ServerStatus
from fairlead.model.vf import BASELINE, VfSettings
from tests import rows

SETTINGS = VfSettings(mac=rows.port(1).mac, vlan=100, spoof_check=True)
POLICY = DevicePolicy(
    rows.POLICY, "data", DeviceMatch(), rows.NOW, rows.NOW, num_vfs=2, physical_network="physnet1", mtu=9000
)


def allocation(device: Device, server: Server, port: Port | None, request: str = "a1-1") -> Allocation:
    request_id = RequestId(port.id if port else request)
    return Allocation(
        device.id, device.family_id, rows.HOST, server.id, request_id, port.id if port else None
    )


def tap(port: Port, mtu: int = 1500) -> Settings:
    return Settings(
        tap=TapSettings(
            f"fltap-{port.id[:8]}", "flbr-1", 100, mtu, None, spoof_check=True, sources=(), is_up=True
        )
    )


def facts(
    *servers: Server,
    devices: tuple[Device, ...],
    held: tuple[Allocation, ...] = (),
    wirings: dict[PortId, Settings] | None = None,
    ports: tuple[Port, ...] = (),
) -> HostFacts:
    owners = {a.port_id: a.device_id for a in held if a.port_id}
    bindings = tuple(
        Binding(port.id, rows.HOST, BindingRole.ACTIVE, Wiring.PENDING, VifType.HW_VEB, owners.get(port.id))
        for port in ports
    )
    return HostFacts(
        host=rows.host(),
        devices={device.id: device for device in devices},
        policies={POLICY.id: POLICY},
        servers={server.id: server for server in servers},
        allocations=held,
        bindings=bindings,
        ports={port.id: port for port in ports},
        networks={n.id: n for n in (rows.network(),)},
        subnets={s.id: s for s in (rows.subnet(),)},
        images={i.id: i for i in (rows.image(), rows.image("kernel", "aki"))},
        wirings=wirings or {},
        in_force={port.id: settings_in_force(port, rows.network(), None, None) for port in ports},
    )


def test_a_vf_of_a_port_and_its_guest() -> None:
    port = rows.port()
    server = rows.server(ports=(port.id,))
    vf = rows.vf(1)
    found = desired_state(
        facts(
            server,
            devices=(rows.pf(), rows.vf(0), vf),
            held=(allocation(vf, server, port),),
            wirings={port.id: Settings(vf=SETTINGS)},
            ports=(port,),
        )
    )
    assert found.generation == 7
    (family,) = found.families
    assert (family.pf, family.num_vfs, family.mtu) == (rows.PF, 2, 9000)
    assert family.holders == (server.id,)
    (owned,) = found.vfs
    assert (owned.index, owned.server_id, owned.settings) == (1, server.id, SETTINGS)
    (guest,) = found.guests
    (nic,) = guest.nics
    assert (nic.kind, nic.device_id) == (NicKind.HOSTDEV, vf.id)
    assert [hostdev.key for hostdev in guest.hostdevs] == [vf.key]
    assert guest.root is not None
    assert guest.root.format == "qcow2"
    assert found.bridges == found.taps == ()


def test_a_server_that_is_being_deleted_is_absent_and_its_vfs_have_no_owner() -> None:
    port = rows.port()
    server = rows.server(ports=(port.id,), status=ServerStatus.DELETING)
    vf = rows.vf(0)
    held = (allocation(vf, server, port),)
    found = desired_state(facts(server, devices=(rows.pf(), vf), held=held))
    assert found.guests == found.vfs == ()
    assert found.families[0].holders == (server.id,)


def test_a_bridge_is_there_while_a_tap_needs_it_and_leaves_by_the_first_pf() -> None:
    port = rows.port(vnic_type=VnicType.NORMAL)
    server = rows.server(ports=(port.id,))
    devices = (rows.pf(2), rows.pf(1), rows.pf(3, policy_id=None))
    wirings = {port.id: tap(port, 1450)}
    found = desired_state(facts(server, devices=devices, wirings=wirings, ports=(port,)))
    (bridge,) = found.bridges
    assert (bridge.uplink, bridge.mtu) == (PfKey(rows.pf(1).key), 1450)
    (told,) = found.taps
    assert (told.port_id, told.server_id, told.mac, told.vlan) == (port.id, server.id, port.mac, 100)
    assert found.guests[0].nics[0].tap == told.name
    assert desired_state(facts(server, devices=devices)).bridges == ()


def test_devices_of_aliases_come_after_nics_by_number_at_the_baseline() -> None:
    port = rows.port()
    server = rows.server(ports=(port.id,))
    vfs = [rows.vf(index) for index in range(4)]
    held = (
        allocation(vfs[0], server, None, "a1-10"),
        allocation(vfs[1], server, None, "a1-2"),
        allocation(vfs[2], server, port),
    )
    wanted = facts(
        server, devices=(rows.pf(), *vfs), held=held, wirings={port.id: Settings(vf=SETTINGS)}, ports=(port,)
    )
    found = desired_state(wanted)
    assert [hostdev.vf_index for hostdev in found.guests[0].hostdevs] == [2, 1, 0]
    assert [vf.settings for vf in found.vfs] == [BASELINE, BASELINE, SETTINGS]
    shuffled = replace(
        wanted,
        devices=dict(reversed(wanted.devices.items())),
        allocations=wanted.allocations[::-1],
        bindings=wanted.bindings[::-1],
    )
    assert desired_state(shuffled) == found


def test_a_pf_that_a_guest_has_is_given_whole() -> None:
    server = rows.server()
    found = desired_state(facts(server, devices=(rows.pf(),), held=(allocation(rows.pf(), server, None),)))
    assert found.families[0].is_given_whole
    assert found.vfs == ()
    assert found.guests[0].hostdevs[0].device_id == DeviceId("pf1")


def test_an_image_that_is_a_kernel_is_no_disk() -> None:
    server = rows.server(image_id=ImageId("kernel"), kernel_id=ImageId("kernel"))
    (guest,) = desired_state(facts(server, devices=())).guests
    assert guest.root is None
    assert guest.kernel is not None
    assert guest.kernel.format == "aki"
