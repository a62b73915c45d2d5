"""Holds a granted device, and binds a port with it: what every claim on a locked host does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.macs import take_mac
from fairlead.control.vsi_instances import check_instance
from fairlead.drivers.base import BoundPort
from fairlead.drivers.physical import DEVICE_MAC
from fairlead.drivers.registry import choose
from fairlead.model.binding import Allocation, Binding, BindingRole, Wiring
from fairlead.model.device import Device
from fairlead.model.host import Host
from fairlead.model.ids import DeviceId, PortId, ServerId
from fairlead.model.lifecycle import DEVICE, after
from fairlead.model.pci import DeviceKind, MacAddress
from fairlead.model.request import Nic
from fairlead.placement.boundary import Grant


def granted_device(known: Sequence[Device], grant: Grant) -> Device:
    """The very device that was granted: the VF of that index, or the PF or plain device itself."""
    kind_is_vf = grant.vf_index is not None
    return next(
        device
        for device in known
        if device.family_id == grant.family_id
        and device.vf_index == grant.vf_index
        and (device.kind is DeviceKind.VF) is kind_is_vf
    )


def hold_device(tx: Tx, server_id: ServerId, grant: Grant, device: Device, port_id: PortId | None) -> None:
    """The device is the server's: for the port, or (None) for its flavor."""
    tx.devices.put(replace(device, status=after(DEVICE, device.status, "claim"), note=""))
    tx.allocations.add(
        Allocation(
            device_id=device.id,
            family_id=device.family_id,
            host_id=device.host_id,
            server_id=server_id,
            request_id=grant.request_id,
            port_id=port_id,
            egress_kbps=grant.egress_kbps,
            is_host_driven=grant.is_host_driven,
        )
    )


def give_up_device(tx: Tx, device_id: DeviceId, generation: int) -> None:
    """Nobody holds the device of the locked host, whose following generation this is; nobody gets it before the host,
    by a document of that generation, has reported it clean.
    """
    tx.allocations.remove(device_id)
    device = tx.devices.fetch(device_id)
    status = after(DEVICE, device.status, "release")
    tx.devices.put(replace(device, status=status, released_generation=generation))


def bind_port(
    tx: Tx,
    host: Host,
    nic: Nic,
    device: Device | None,
    heads: Mapping[DeviceId, Device],
    role: BindingRole,
    generation: int,
) -> Binding:
    """The port is bound to the host by the mechanism that serves it there. `heads` are the PFs; `device` None: an
    ordinary vNIC. Raises Conflict `cannot_bind` where the mechanism never can, `mac_in_use` where the device has a MAC
    that another port has.
    """
    pf = heads[device.family_id] if device else None
    driver = choose(nic.port.vnic_type, nic.network.link_layer, nic.settings.kind)
    bound = driver.bind(BoundPort(nic.port, nic.network, nic.qos, device, pf, nic.profile))
    binding = Binding(
        port_id=nic.port.id,
        host_id=host.id,
        role=role,
        wiring=Wiring.PENDING,
        vif_type=bound.vif_type,
        device_id=device.id if device else None,
        profile=bound.profile,
        generation=generation,
    ).with_details(bound.vif_details)
    check_instance(tx, binding)
    tx.bindings.add(binding)
    if role is BindingRole.ACTIVE:
        adopt_mac(tx, binding)
    return binding


def adopt_mac(tx: Tx, binding: Binding) -> None:
    """The port of a binding that is in force has the device's MAC, where that is the only one that it can have."""
    if DEVICE_MAC in binding.profile:
        take_mac(tx, binding.port_id, MacAddress(binding.profile[DEVICE_MAC]))
