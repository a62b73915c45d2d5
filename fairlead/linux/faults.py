"""Refusals of the kernel as Faults: what was being done, to what, the errno by name, what would help."""

import errno
import os
from enum import Enum

from fairlead.model.errors import Failure, Fault


class Act(Enum):
    """What the kernel is asked, in words for people. The hints depend on it."""

    READ_VF = "Reading VF"
    SET_VF = "Setting VF"
    SET_NUM_VFS = "Setting the number of VFs of"
    RESET = "Resetting"
    SET_UP = "Bringing up"
    MAKE_BRIDGE = "Making bridge"
    REMOVE_BRIDGE = "Removing bridge"
    MAKE_TAP = "Making tap"
    REMOVE_TAP = "Removing tap"
    OBSERVE = "Reading"
    KEEP = "Keeping"


_HINTS = {
    (
        Act.SET_VF,
        errno.EOPNOTSUPP,
    ): "The NIC's driver has no such setting: take it off the port, or use another NIC.",
    (
        Act.SET_VF,
        errno.EPROTONOSUPPORT,
    ): "The NIC's driver knows no 802.1ad VLANs: use 802.1Q, or another NIC.",
    (Act.SET_VF, errno.EINVAL): (
        "The driver refuses the value; a rate needs the PF's link up and must not exceed its speed."
    ),
    (Act.SET_VF, errno.EBUSY): "The driver is busy with a reset; it is tried again.",
    (Act.SET_VF, errno.EPERM): "The agent needs CAP_NET_ADMIN: run it as root.",
    (
        Act.SET_NUM_VFS,
        errno.ERANGE,
    ): "More than the NIC can have (sriov_totalvfs): lower num_vfs in the device policy.",
    (Act.SET_NUM_VFS, errno.EBUSY): "VFs are in use: stop the guests that hold them.",
    (
        Act.SET_NUM_VFS,
        errno.EINVAL,
    ): "The driver refuses: see the kernel's log, and whether the PF is in switchdev mode.",
    (
        Act.SET_NUM_VFS,
        errno.ENOENT,
    ): "Its driver has no SR-IOV: load the NIC's own driver, and turn SR-IOV on in firmware.",
    (Act.SET_NUM_VFS, errno.ENOSPC): "No bus numbers are left for VFs: boot the host with pci=assign-busses.",
    (
        Act.SET_NUM_VFS,
        errno.ENOMEM,
    ): "No room for the VFs' memory: turn on SR-IOV or 4G decoding in firmware, or boot with pci=realloc.",
    (Act.SET_NUM_VFS, errno.ETIMEDOUT): "The NIC did not answer: see the kernel's log.",
    (Act.SET_UP, errno.EINVAL): "The MTU is outside what the driver takes: see ip -d link, maxmtu.",
    (
        Act.MAKE_BRIDGE,
        errno.EOPNOTSUPP,
    ): "The kernel needs CONFIG_BRIDGE and CONFIG_BRIDGE_VLAN_FILTERING: modprobe bridge.",
    (
        Act.MAKE_BRIDGE,
        errno.EBUSY,
    ): "The uplink is on another bridge or bond: take it off, or match another NIC.",
    (
        Act.MAKE_TAP,
        errno.ENOENT,
    ): "The kernel needs modules tun, sch_ingress, cls_matchall and act_police: modprobe them.",
    (Act.MAKE_TAP, errno.EOPNOTSUPP): "The kernel is too old for it: Linux 6.1 or newer is needed.",
}
_ANY = {
    errno.EPERM: "The agent needs CAP_NET_ADMIN: run it as root.",
    errno.EACCES: "The agent needs CAP_NET_ADMIN and write access to /sys: run it as root.",
    errno.EROFS: "/sys is mounted read-only: the agent needs it writable.",
    errno.ENODEV: "The device is gone; the next look at the host will show it.",
    errno.ENOBUFS: "The answer did not fit; it is asked again.",
}


def refusal(act: Act, subject: str, error: OSError, hint: str = "") -> Fault:
    """The Fault for an errno; `hint` overrides the table's."""
    number = error.errno or 0
    said = error.strerror or os.strerror(number)
    found = hint or _HINTS.get((act, number)) or _ANY.get(number, "")
    return Fault(Failure("kernel_refused", act.value, subject, f"{name(number)}: {said}", found))


def fault(code: str, act: Act, subject: str, answer: str, hint: str = "") -> Fault:
    """A Fault that is no errno: something that is not as it must be."""
    return Fault(Failure(code, act.value, subject, answer, hint))


def name(number: int) -> str:
    """EBUSY for 16, and so on. 95 is EOPNOTSUPP, which is what the kernel's sources call it."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, f"errno {number}")
