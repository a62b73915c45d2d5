"""What a host is told of a port that is bound there: one way for its document, and for whoever looks."""

from collections.abc import Mapping

from fairlead.drivers.base import BoundPort
from fairlead.drivers.registry import driver_for
from fairlead.hoststate.settings import Settings
from fairlead.model.binding import Binding
from fairlead.model.device import Device
from fairlead.model.ids import DeviceId
from fairlead.model.request import Nic


def told_of(binding: Binding, nic: Nic, devices: Mapping[DeviceId, Device]) -> Settings:
    """What the driver that made the binding says now: a port changed since then is told anew. `devices` has the bound
    one and its PF.
    """
    device = devices[binding.device_id] if binding.device_id else None
    pf = devices[device.family_id] if device else None
    bound = BoundPort(nic.port, nic.network, nic.qos, device, pf, nic.profile)
    return driver_for(binding.vif_type).settings(bound)
