"""Refusals of the kernel as Faults: what was being done, to what, the errno by name, what would help.

What helps against the answer of a NIC's driver is in model.quirks.
"""

import errno
import os
from enum import Enum

from fairlead.hoststate.observed import ObservedPf
from fairlead.model.errors import Failure, Fault
from fairlead.model.quirk import Deed
from fairlead.model.quirks import advice, is_passing


class Act(Enum):
    """What the kernel is asked, in words for people. The hints depend on it."""

    READ_VF = "Reading VF"
    SET_VF = "Setting VF"
    ASSOCIATE = "Associating VF"
    DISASSOCIATE = "Ending the association of VF"
    SET_NUM_VFS = "Setting the number of VFs of"
    RESET = "Resetting"
    SET_UP = "Bringing up"
    MAKE_BRIDGE = "Making bridge"
    REMOVE_BRIDGE = "Removing bridge"
    MAKE_TAP = "Making tap"
    REMOVE_TAP = "Removing tap"
    GIVE_VF = "Giving to a driver of the host VF"
    SEAL = "Sealing VF"
    MAKE_MACVTAP = "Making macvtap"
    REMOVE_MACVTAP = "Removing macvtap"
    OBSERVE = "Reading"
    KEEP = "Keeping"


_HINTS = {
    (
        Act.ASSOCIATE,
        errno.EINVAL,
    ): "The driver refuses the request: does the VF still exist, and was its MAC address taken?",
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
    ): "The kernel needs modules tun, sch_ingress, cls_matchall, cls_bpf, act_police and act_gact: modprobe them.",
    (
        Act.MAKE_TAP,
        errno.ERANGE,
    ): "Has its port more addresses than the filter has room for, some 150 of IPv6 or 450 of IPv4?",
    (Act.MAKE_MACVTAP, errno.EOPNOTSUPP): "The kernel needs CONFIG_MACVTAP: modprobe macvtap.",
    (
        Act.MAKE_MACVTAP,
        errno.EINVAL,
    ): "Something else is on the network device below, or its driver refuses the MTU: see ip -d link.",
    (
        Act.GIVE_VF,
        errno.ENOENT,
    ): "Was the VF taken away meanwhile? The next look at the host will show it.",
    (
        Act.MAKE_MACVTAP,
        errno.EBUSY,
    ): "The network device below is on a bridge or bond of somebody's: see ip -d link.",
    (Act.MAKE_TAP, errno.EOPNOTSUPP): "The kernel is too old for it: Linux 6.1 or newer is needed.",
}
_DEEDS = {
    Act.SET_VF: Deed.SET_VF,
    Act.READ_VF: Deed.READ_VF,
    Act.SET_NUM_VFS: Deed.SET_NUM_VFS,
    Act.SET_UP: Deed.SET_UP,
}
_ANY = {
    errno.EPERM: "The agent needs CAP_NET_ADMIN: run it as root.",
    errno.EACCES: "The agent needs CAP_NET_ADMIN and write access to /sys: run it as root.",
    errno.EROFS: "/sys is mounted read-only: the agent needs it writable.",
    errno.ENODEV: "The device is gone; the next look at the host will show it.",
    errno.ENOBUFS: "The answer did not fit; it is asked again.",
}


_PASSING = frozenset(
    {
        errno.EINTR,
        errno.EIO,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.ENODEV,
        errno.ENXIO,
        errno.ETIMEDOUT,
    }
)
"""What says nothing of what was asked."""


def refusal(act: Act, subject: str, error: OSError, hint: str = "", driver: str | None = None) -> Fault:
    """The Fault for an errno; `hint` overrides the tables'. `driver`: whose answer it was, for its quirks. Code
    `kernel_busy` where a NIC's driver might take the very same at another time, `kernel_refused` else.
    """
    number = error.errno or 0
    said = error.strerror or os.strerror(number)
    deed = _DEEDS.get(act)
    known = advice(driver, deed, name(number)) if deed else _HINTS.get((act, number), "")
    found = hint or known or _ANY.get(number, "")
    is_busy = deed is not None and (number in _PASSING or is_passing(driver, deed, name(number)))
    code = "kernel_busy" if is_busy else "kernel_refused"
    return Fault(Failure(code, act.value, subject, f"{name(number)}: {said}", found))


def not_a_member(subject: str, error: LookupError) -> Fault:
    """The Fault for an InfiniBand VF's partition that its PF's own port is not in."""
    hint = "The subnet manager must make the PF's port a member first: see its partitions, and its log."
    return fault("partition_missing", Act.SET_VF, subject, str(error), hint)


def fault(code: str, act: Act, subject: str, answer: str, hint: str = "") -> Fault:
    """A Fault that is no errno: something that is not as it must be."""
    return Fault(Failure(code, act.value, subject, answer, hint))


def pf_subject(pf: ObservedPf) -> str:
    """A PF in words."""
    return f"{pf.name or 'PF'} ({pf.pci_address})"


def vf_subject(pf: ObservedPf, index: int) -> str:
    """A VF in words, after "VF"."""
    return f"{index} of {pf_subject(pf)}"


def name(number: int) -> str:
    """EBUSY for 16, and so on. 95 is EOPNOTSUPP, which is what the kernel's sources call it."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, f"errno {number}")
