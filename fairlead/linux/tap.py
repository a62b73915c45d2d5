"""Persistent taps by /dev/net/tun (Documentation/networking/tuntap.rst, include/uapi/linux/if_tun.h)."""

import fcntl
import os
import struct

_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
_NAME_OCTETS = 15


def make_persistent(name: str) -> None:
    """A tap that stays when this process lets it go, in the network namespace of this thread.

    With virtio-net headers, as libvirt opens it for a virtio NIC. Raises OSError with the kernel's errno:
    EBUSY when a process has a tap of that name open, EINVAL when another kind of device has the name.
    """
    encoded = name.encode("ascii")
    if len(encoded) > _NAME_OCTETS:
        raise ValueError(f"{name} is longer than {_NAME_OCTETS} octets, the most a network device has")
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", encoded, _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR))
        fcntl.ioctl(file, _TUNSETPERSIST, 1)
    finally:
        os.close(file)
