"""What a guest's domain was made from, as a short text that tells whether it must be made again."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from fairlead.hoststate.desired import DesiredGuest
from fairlead.model.ids import DeviceId
from fairlead.model.pci import PciAddress
from fairlead.model.server import Power

_SHOWN = 16


def spec_of(guest: DesiredGuest, addresses: Mapping[DeviceId, PciAddress]) -> str:
    """The same for guests whose domains would be the same, apart from power, boot serial and copies of disks, with
    their devices at the same PCI addresses: a card that moved makes a new spec. Images count by their ids alone,
    for what is under an id never changes, but the image may be deleted while the guest lives on.
    """
    lasting = replace(
        guest,
        power=Power.STOPPED,
        boot_serial=0,
        hard_reboot=False,
        leaving_hostdevs=(),
        leaving_taps=(),
        keeps_disk="",
        restores_disk="",
        root=None,
        kernel=None,
        ramdisk=None,
    )
    images = tuple(image.id if image else None for image in (guest.root, guest.kernel, guest.ramdisk))
    places = tuple(addresses.get(hostdev.device_id) for hostdev in guest.hostdevs)
    return sha256(repr((lasting, images, places)).encode()).hexdigest()[:_SHOWN]
