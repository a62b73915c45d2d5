"""A device of the compute host that is no NIC: a sound card, alone behind a root port, of which nobody has a driver."""

from fairlead.client.session import Json
from lab import expect
from lab.guests import Guest
from lab.machine.arguments import PLAIN_DEVICE
from lab.machine.host import Host
from lab.site import Site

FLAVOR = "with-sound"
_WHAT = "--vendor 8086 --product 2668"
_OF_THE_GUEST = "grep -lx 0x2668 /sys/bus/pci/devices/*/device"


def offer(site: Site) -> None:
    """A policy that matches it, an alias, and a flavor that asks for one; it is clean, and somebody's, from then on."""
    site.do(f"policy create plain {_WHAT}")
    site.do(f"alias create sound --kind pci {_WHAT}")
    site.do(f"flavor create {FLAVOR} --memory-mib 192 --alias sound")
    site.wait_for("the plain device to be offered", lambda: _seen(site)["status"] == "AVAILABLE")


def is_given(host: Host, guest: Guest) -> None:
    """It is on vfio-pci, and the guest sees it beside its NIC."""
    expect.equal("the driver of the plain device", _driver(host), "vfio-pci")
    expect.equal("plain devices that the guest sees", len(guest.output(_OF_THE_GUEST)), 1)


def is_nobodys(host: Host, site: Site) -> None:
    """Reset once before it was offered and once after its guest, on no driver, and free."""
    site.wait_for("the plain device to be free", lambda: _seen(site)["status"] == "AVAILABLE")
    resets = [event for event in site.events("device_reset") if PLAIN_DEVICE in str(event["message"])]
    expect.equal("resets of the plain device", len(resets), 2)
    expect.equal("the driver of the plain device", _driver(host), "")


def _seen(site: Site) -> Json:
    (found,) = [device for device in site.devices() if device["pci_address"] == PLAIN_DEVICE]
    return found


def _driver(host: Host) -> str:
    said = host.run(f"readlink /sys/bus/pci/devices/{PLAIN_DEVICE}/driver").output
    return said.strip().rpartition("/")[2]
