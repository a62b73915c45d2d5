"""What must always be true of the rows, whichever path led there. The audit reads them all and lists what is not.

The database refuses most of these as they are written; the audit shows what a constraint cannot say.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from fairlead.model.binding import Allocation, Binding, BindingRole, VifType, Wiring
from fairlead.model.device import Device, DeviceStatus
from fairlead.model.host import Host
from fairlead.model.migration import Migration, MigrationStatus
from fairlead.model.pci import DeviceKind
from fairlead.model.port import Port
from fairlead.model.server import Server, ServerStatus

Row = TypeVar("Row")
_RESIZING = (ServerStatus.RESIZE, ServerStatus.VERIFY_RESIZE, ServerStatus.REVERT_RESIZE)
_RESIZED_OR_NOT = (ServerStatus.ERROR, ServerStatus.DELETING)
_UNDER_WAY = (MigrationStatus.MIGRATING, MigrationStatus.FINISHED, MigrationStatus.REVERTING)
_MUST_BE_HELD = (DeviceStatus.CLAIMED, DeviceStatus.ALLOCATED)


@dataclass(frozen=True, slots=True)
class Facts:
    """All rows, of one moment."""

    hosts: tuple[Host, ...] = ()
    devices: tuple[Device, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    bindings: tuple[Binding, ...] = ()
    ports: tuple[Port, ...] = ()
    servers: tuple[Server, ...] = ()
    migrations: tuple[Migration, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be. `code` is stable; `subject` is the id of the row that shows it."""

    code: str
    subject: str
    message: str


def audit(facts: Facts) -> tuple[Violation, ...]:
    """Every violation; empty when the rows are sound."""
    checks: tuple[Callable[[Facts], Iterator[Violation]], ...] = (
        _devices_allocated_once,
        _held_exactly_while_allocated,
        _allocations_name_their_family,
        _pf_or_its_vfs,
        _one_guest_for_an_address,
        _one_user_of_an_iommu_group,
        _one_active_binding,
        _inactive_bindings_wait,
        _bindings_hold_their_device,
        _bound_where_the_server_is,
        _macs_unique,
        _whole_pfs_give_their_mac,
        _addresses_unique,
        _generations_in_order,
        _resizes_go_on,
        _migrations_have_their_server,
    )
    return tuple(violation for check in checks for violation in check(facts))


def _devices_allocated_once(facts: Facts) -> Iterator[Violation]:
    for device_id, rows in _repeated(facts.allocations, lambda row: row.device_id):
        servers = ", ".join(row.server_id for row in rows)
        yield Violation("device_allocated_twice", device_id, f"allocations for servers {servers}")


def _held_exactly_while_allocated(facts: Facts) -> Iterator[Violation]:
    allocated = {row.device_id for row in facts.allocations}
    for device in facts.devices:
        if device.status in _MUST_BE_HELD and device.id not in allocated:
            yield Violation("held_without_allocation", device.id, f"is {device.status.value}, held by nobody")
        if device.status is DeviceStatus.AVAILABLE and device.id in allocated:
            yield Violation(
                "allocated_but_available", device.id, "has an allocation and is offered to others"
            )


def _allocations_name_their_family(facts: Facts) -> Iterator[Violation]:
    """Bandwidth is counted by family and host as the allocation names them."""
    devices = {device.id: device for device in facts.devices}
    servers = {server.id: server for server in facts.servers}
    waiting = {row.device_id for row in facts.bindings if row.role is BindingRole.INACTIVE}
    for row in facts.allocations:
        device, server = devices.get(row.device_id), servers.get(row.server_id)
        if device is None:
            yield Violation("allocation_of_no_device", row.device_id, "is allocated and not in the inventory")
        elif (device.family_id, device.host_id) != (row.family_id, row.host_id):
            yield Violation("allocation_of_other_family", row.device_id, f"is counted on {row.family_id}")
        if server is None:
            yield Violation("allocation_of_no_server", row.device_id, f"no server {row.server_id} is there")
        elif server.host_id != row.host_id and row.device_id not in waiting:
            message = f"is on host {row.host_id}, its server {server.id} on {server.host_id}"
            yield Violation("allocation_on_other_host", row.device_id, message)


def _pf_or_its_vfs(facts: Facts) -> Iterator[Violation]:
    kinds = {device.id: device.kind for device in facts.devices}
    whole = {row.family_id for row in facts.allocations if kinds.get(row.device_id) is DeviceKind.PF}
    for row in facts.allocations:
        if row.family_id in whole and kinds.get(row.device_id) is DeviceKind.VF:
            yield Violation("vf_of_held_pf", row.device_id, f"is held, and so is its PF {row.family_id}")


def _one_guest_for_an_address(facts: Facts) -> Iterator[Violation]:
    allocated = {row.device_id for row in facts.allocations}
    held = [
        device
        for device in facts.devices
        if device.id in allocated and device.status is not DeviceStatus.MISSING
    ]
    for (host_id, address), rows in _repeated(held, lambda row: (row.host_id, row.pci_address)):
        ids = ", ".join(row.id for row in rows)
        yield Violation("pci_address_held_twice", rows[0].id, f"{address} of host {host_id} is that of {ids}")


def _one_user_of_an_iommu_group(facts: Facts) -> Iterator[Violation]:
    """A group is one guest's by vfio; what a driver of the host has of it, below a macvtap, is not vfio's to give."""
    devices = {device.id: device for device in facts.devices if device.status is not DeviceStatus.MISSING}
    groups: defaultdict[tuple[str, int], list[Allocation]] = defaultdict(list)
    for row in facts.allocations:
        device = devices.get(row.device_id)
        if device is not None and device.iommu_group is not None:
            groups[row.host_id, device.iommu_group].append(row)
    for (host_id, group), rows in groups.items():
        users = sorted({"the host" if row.is_host_driven else f"server {row.server_id}" for row in rows})
        if len(users) > 1:
            message = f"IOMMU group {group} of host {host_id} is that of {', '.join(users)}"
            yield Violation("iommu_group_held_twice", rows[0].device_id, message)


def _one_active_binding(facts: Facts) -> Iterator[Violation]:
    active = [row for row in facts.bindings if row.role is BindingRole.ACTIVE]
    for port_id, rows in _repeated(active, lambda row: row.port_id):
        hosts = ", ".join(row.host_id for row in rows)
        yield Violation("port_bound_twice", port_id, f"has active bindings on hosts {hosts}")


def _inactive_bindings_wait(facts: Facts) -> Iterator[Violation]:
    """Beside an active one, and their hosts know nothing of them."""
    active = {row.port_id for row in facts.bindings if row.role is BindingRole.ACTIVE}
    for row in facts.bindings:
        if row.role is BindingRole.ACTIVE:
            continue
        if row.port_id not in active:
            yield Violation(
                "inactive_binding_alone", row.port_id, f"waits on host {row.host_id}, bound nowhere"
            )
        if row.wiring not in (Wiring.PENDING, Wiring.FAILED):
            message = f"waits on host {row.host_id} and is {row.wiring.value} there"
            yield Violation("inactive_binding_wired", row.port_id, message)


def _bindings_hold_their_device(facts: Facts) -> Iterator[Violation]:
    devices = {device.id: device for device in facts.devices}
    allocations = {row.device_id: row for row in facts.allocations}
    for row in facts.bindings:
        if row.device_id is None or row.wiring is Wiring.UNWIRING:
            continue  # what is being unwired gives its devices up one by one
        device, allocation = devices.get(row.device_id), allocations.get(row.device_id)
        if device is None or device.host_id != row.host_id:
            where = f"on host {device.host_id}" if device else "in no inventory"
            message = f"is bound on host {row.host_id} with device {row.device_id}, which is {where}"
            yield Violation("binding_device_elsewhere", row.port_id, message)
        if allocation is None:
            message = f"is bound with device {row.device_id}, which is not held"
            yield Violation("binding_device_not_held", row.port_id, message)
        elif allocation.port_id != row.port_id:
            message = f"is bound with device {row.device_id}, held for {allocation.port_id or 'a flavor'}"
            yield Violation("binding_device_of_another", row.port_id, message)


def _bound_where_the_server_is(facts: Facts) -> Iterator[Violation]:
    ports = {port.id: port for port in facts.ports}
    servers = {server.id: server for server in facts.servers}
    for row in facts.bindings:
        port = ports.get(row.port_id)
        if port is None:
            yield Violation(
                "binding_of_no_port", row.port_id, f"is bound on {row.host_id} and does not exist"
            )
            continue
        server = servers.get(port.server_id) if port.server_id is not None else None
        if row.role is BindingRole.ACTIVE and server is not None and server.host_id != row.host_id:
            message = f"is bound on host {row.host_id}, its server {server.id} is on {server.host_id}"
            yield Violation("bound_on_other_host", row.port_id, message)


def _macs_unique(facts: Facts) -> Iterator[Violation]:
    for (network_id, mac), rows in _repeated(facts.ports, lambda row: (row.network_id, row.mac)):
        ids = ", ".join(row.id for row in rows)
        yield Violation("mac_used_twice", rows[0].id, f"{mac} is that of ports {ids} of network {network_id}")


def _whole_pfs_give_their_mac(facts: Facts) -> Iterator[Violation]:
    """A port that has a PF whole has its MAC: nobody can tell that PF another."""
    macs, devices = (
        {port.id: port.mac for port in facts.ports},
        {device.id: device for device in facts.devices},
    )
    for row in facts.bindings:
        if row.vif_type is not VifType.HOSTDEV_PHYSICAL or row.role is not BindingRole.ACTIVE:
            continue
        device = devices.get(row.device_id) if row.device_id is not None else None
        if device is not None and macs.get(row.port_id, device.mac) != device.mac:
            message = f"has the MAC {macs[row.port_id]}, its PF {device.id} has {device.mac}"
            yield Violation("mac_not_of_its_pf", row.port_id, message)


def _addresses_unique(facts: Facts) -> Iterator[Violation]:
    used = [(ip, port.id) for port in facts.ports for ip in port.fixed_ips]
    for ip, rows in _repeated(used, lambda row: row[0]):
        ids = ", ".join(port_id for _, port_id in rows)
        message = f"{ip.ip_address} of subnet {ip.subnet_id} is that of ports {ids}"
        yield Violation("ip_used_twice", rows[0][1], message)


def _generations_in_order(facts: Facts) -> Iterator[Violation]:
    for host in facts.hosts:
        if host.generation_seen > host.generation:
            message = f"reported on generation {host.generation_seen}, its newest is {host.generation}"
            yield Violation("generation_from_nowhere", host.id, message)


def _resizes_go_on(facts: Facts) -> Iterator[Violation]:
    """A server has a resize exactly while it may go back, and holds for it what that says."""
    held = {(row.server_id, row.device_id) for row in facts.allocations}
    for server in facts.servers:
        if (server.resize is None and server.status in _RESIZING) or (
            server.resize is not None and server.status not in {*_RESIZING, *_RESIZED_OR_NOT}
        ):
            has = "a" if server.resize else "no"
            yield Violation("resize_out_of_step", server.id, f"is {server.status.value} and has {has} resize")
        if server.resize is None or server.status is ServerStatus.DELETING:
            continue
        for device_id in (*server.resize.added, *server.resize.aside):
            if (server.id, device_id) not in held:
                message = f"may want device {device_id}, which is not held for it"
                yield Violation("resize_device_not_held", server.id, message)


def _migrations_have_their_server(facts: Facts) -> Iterator[Violation]:
    going_on = {
        server.resize.migration_id
        for server in facts.servers
        if server.resize is not None and server.status is not ServerStatus.DELETING
    }
    for row in facts.migrations:
        if row.status in _UNDER_WAY and row.id not in going_on:
            message = f"is {row.status.value}, and server {row.server_id} knows nothing of it"
            yield Violation("migration_of_nobody", row.id, message)
        if row.status not in _UNDER_WAY and row.id in going_on:
            message = f"is {row.status.value}, and server {row.server_id} goes on with it"
            yield Violation("migration_over_too_early", row.id, message)


Key = TypeVar("Key", bound=Hashable)


def _repeated(rows: Iterable[Row], key: Callable[[Row], Key]) -> Iterator[tuple[Key, list[Row]]]:
    """Keys that more than one row has, with those rows."""
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return ((found, same) for found, same in groups.items() if len(same) > 1)
