"""The audit finds each thing that must never be, and nothing in rows that are sound."""

from dataclasses import replace

import pytest

from fairlead.model.binding import Allocation, Binding, BindingRole, VifType, Wiring
from fairlead.model.device import DeviceStatus
from fairlead.model.ids import DeviceId, HostId, MigrationId, PortId, RequestId, ServerId, SubnetId
from fairlead.model.invariants import Facts, audit
from fairlead.model.migration import MigrationStatus
from fairlead.model.pci import PciAddress
from fairlead.model.port import FixedIp
from fairlead.model.server import Power, Resize, ServerStatus, Size
from tests.contract.store_rows import migration
from tests.unit.placement.rows import family, host, port, server

PF, VF0, VF1 = family("h1", 1, 2)
HELD = replace(VF0, status=DeviceStatus.ALLOCATED)
OWNED = port("p1", server_id=ServerId("s1"), fixed_ips=(FixedIp(SubnetId("sub"), "10.0.0.5"),))
ALLOCATION = Allocation(
    VF0.id, VF0.family_id, HostId("h1"), ServerId("s1"), RequestId("p1"), port_id=PortId("p1")
)
BINDING = Binding(
    PortId("p1"), HostId("h1"), BindingRole.ACTIVE, Wiring.WIRED, VifType.HW_VEB, device_id=VF0.id
)
SOUND = Facts(
    hosts=(host("h1"), host("h2")),
    devices=(PF, HELD, VF1),
    allocations=(ALLOCATION,),
    bindings=(BINDING,),
    ports=(OWNED, port("p2")),
    servers=(server("s1"),),
)

GROUPED = (PF, *(replace(vf, status=DeviceStatus.ALLOCATED, iommu_group=7) for vf in (VF0, VF1)))
BESIDE = replace(ALLOCATION, device_id=VF1.id, request_id=RequestId("p2"), port_id=None)
OTHERS = replace(BESIDE, server_id=ServerId("s2"))

SIZE = Size(server("s1").flavor)
RESIZE = Resize(MigrationId("m1"), SIZE, SIZE, Power.RUNNING)
RESIZED = server("s1", status=ServerStatus.VERIFY_RESIZE, resize=RESIZE)
MIGRATION = replace(migration(RESIZED), id=MigrationId("m1"), status=MigrationStatus.FINISHED)
ASKED = {"migrations": (MIGRATION,)}


def codes(**changes):
    return [violation.code for violation in audit(replace(SOUND, **changes))]


def test_sound_rows_pass():
    assert audit(SOUND) == ()
    assert audit(Facts()) == ()
    assert codes(servers=(RESIZED,), **ASKED) == []


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("device_allocated_twice", {"allocations": (ALLOCATION, ALLOCATION)}),
        ("iommu_group_held_twice", {"devices": GROUPED, "allocations": (ALLOCATION, OTHERS)}),
        (
            "iommu_group_held_twice",
            {"devices": GROUPED, "allocations": (ALLOCATION, replace(BESIDE, is_host_driven=True))},
        ),
        ("held_without_allocation", {"allocations": (), "bindings": ()}),
        ("allocated_but_available", {"devices": (PF, VF0, VF1)}),
        (
            "allocation_of_no_device",
            {"allocations": (ALLOCATION, replace(ALLOCATION, device_id=DeviceId("x")))},
        ),
        ("allocation_of_other_family", {"allocations": (replace(ALLOCATION, family_id=DeviceId("x")),)}),
        ("allocation_of_no_server", {"servers": ()}),
        ("allocation_on_other_host", {"servers": (server("s1", "h2"),), "bindings": ()}),
        ("port_bound_twice", {"bindings": (BINDING, BINDING)}),
        ("binding_of_no_port", {"ports": ()}),
        ("bound_on_other_host", {"servers": (server("s1", "h2"),), "allocations": (), "devices": (PF, VF0)}),
        ("resize_out_of_step", {"servers": (server("s1", status=ServerStatus.RESIZE),)}),
        ("resize_out_of_step", {"servers": (replace(RESIZED, status=ServerStatus.ACTIVE),), **ASKED}),
        (
            "resize_device_not_held",
            {"servers": (replace(RESIZED, resize=replace(RESIZE, aside=(VF1.id,))),), **ASKED},
        ),
        ("migration_of_nobody", ASKED),
        (
            "migration_over_too_early",
            {
                "servers": (RESIZED,),
                "migrations": (replace(MIGRATION, status=MigrationStatus.CONFIRMED),),
            },
        ),
        ("mac_used_twice", {"ports": (OWNED, port("p2", mac=OWNED.mac))}),
        ("ip_used_twice", {"ports": (OWNED, port("p2", fixed_ips=OWNED.fixed_ips))}),
        ("generation_from_nowhere", {"hosts": (host("h1", generation=3, generation_seen=4),)}),
        ("binding_device_elsewhere", {"bindings": (replace(BINDING, host_id=HostId("h2")),)}),
        ("binding_device_not_held", {"allocations": (), "devices": (PF, VF0, VF1)}),
        ("binding_device_of_another", {"allocations": (replace(ALLOCATION, port_id=None),)}),
    ],
)
def test_what_must_never_be_is_found(expected, changes):
    assert expected in codes(**changes)


def held(*devices):
    """Those devices ALLOCATED, each to server s1."""
    return {
        "devices": tuple(replace(device, status=DeviceStatus.ALLOCATED) for device in devices),
        "allocations": tuple(replace(ALLOCATION, device_id=device.id) for device in devices),
    }


def test_a_vf_of_a_held_pf_is_found():
    assert codes(**held(PF, VF0)) == ["vf_of_held_pf"]


def test_two_guests_with_one_pci_address_are_found():
    twin = replace(VF1, pci_address=PciAddress(VF0.pci_address))
    assert codes(**held(VF0, twin)) == ["pci_address_held_twice"]


def test_a_binding_that_is_being_unwired_gives_its_devices_up_one_by_one():
    unwiring = replace(BINDING, wiring=Wiring.UNWIRING)
    assert codes(bindings=(unwiring,), allocations=(), devices=(PF, VF0, VF1)) == []


@pytest.mark.parametrize("status", [DeviceStatus.RELEASING, DeviceStatus.FAULTY, DeviceStatus.MISSING])
def test_a_device_may_be_held_while_it_is_released_faulty_or_away(status):
    assert codes(devices=(PF, replace(VF0, status=status), VF1)) == []


def test_the_same_mac_or_address_elsewhere_is_nobodys_business():
    elsewhere = FixedIp(SubnetId("other"), "10.0.0.5")
    other = port("p2", mac=OWNED.mac, network_id="net-other", fixed_ips=(elsewhere,))
    assert codes(ports=(OWNED, other)) == []
