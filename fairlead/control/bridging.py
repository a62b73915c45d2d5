"""Keeps which devices are the uplinks of a locked host's bridges: from the first vNIC on a bridge to the last."""

from collections.abc import Collection
from dataclasses import replace

from fairlead.control.boundary import Tx
from fairlead.control.host_facts import bridged_networks
from fairlead.model.ids import HostId
from fairlead.model.uplink import uplinks


def choose_uplinks(tx: Tx, host_id: HostId, physical_networks: Collection[str]) -> None:
    """Ordinary vNICs are bound on these networks: whichever device their bridges leave through stays that."""
    if not physical_networks:
        return
    for network, device in uplinks(tx.devices.find(host_id=host_id)).items():
        if network in physical_networks and not device.is_uplink:
            tx.devices.put(replace(device, is_uplink=True))


def free_uplinks(tx: Tx, host_id: HostId) -> None:
    """Bindings are gone: a device whose bridge has no vNIC left is an uplink no longer."""
    chosen = tx.devices.find(host_id=host_id, is_uplink=True)
    bridged = bridged_networks(tx, (host_id,)).get(host_id, frozenset()) if chosen else frozenset()
    for device in chosen:
        if device.physical_network not in bridged:
            tx.devices.put(replace(device, is_uplink=False))
