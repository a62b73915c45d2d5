"""PCI devices as the kernel and lspci name them: addresses, vendor and product, link layer.

Sources: Documentation/PCI/sysfs-pci.rst, Documentation/ABI/testing/sysfs-bus-pci.
"""

import re
from enum import Enum
from typing import NewType

from fairlead.model.errors import InvalidValue

PciAddress = NewType("PciAddress", str)
"""`dddd:bb:ss.f` in lower-case hex; text order is bus order."""
MacAddress = NewType("MacAddress", str)
"""Six octets, lower case, colons."""
STAND_INS = (None, "vfio-pci", "pci-stub")
"""Drivers of the host under which a device is nobody's: none, or one that only keeps others off."""

_PCI = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_HEX4 = re.compile(r"[0-9a-f]{4}")


class DeviceKind(Enum):
    """What a PCI device is to us: a physical function, one of its virtual functions, or neither."""

    PF = "pf"
    VF = "vf"
    PCI = "pci"


class LinkLayer(Enum):
    """What runs on the port (kernel: ARPHRD_ETHER, ARPHRD_INFINIBAND in net/*/type)."""

    ETHERNET = "ethernet"
    INFINIBAND = "infiniband"
    NONE = "none"


def parse_pci_address(text: str) -> PciAddress:
    """The canonical address; raises InvalidValue for anything but `dddd:bb:ss.f`."""
    value = text.strip().lower()
    if not _PCI.fullmatch(value):
        raise InvalidValue("pci_address", text, "a PCI address such as 0000:af:06.1")
    return PciAddress(value)


def parse_mac(text: str) -> MacAddress:
    """The canonical unicast, non-zero MAC address; raises InvalidValue otherwise."""
    value = text.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(value) or value == "00:00:00:00:00:00" or int(value[:2], 16) & 1:
        raise InvalidValue("mac_address", text, "a unicast MAC address such as fa:16:3e:00:00:01")
    return MacAddress(value)


def parse_hex4(field: str, text: str) -> str:
    """A vendor or product id: four hex digits in lower case, without 0x."""
    value = text.strip().lower().removeprefix("0x")
    if not _HEX4.fullmatch(value):
        raise InvalidValue(field, text, "four hex digits such as 8086")
    return value
