"""A PF's link, kept over what resets its hardware.

Some drivers (igb) take the whole port down to change its number of VFs or its MTU: its carrier is gone for a
second or two, and meanwhile they refuse what depends on the link's speed, such as a VF's rate (EINVAL).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from fairlead.linux.netlink import LinkChanges, Netlink, NetlinkRefusal

CARRIER_SECONDS = 5.0
"""Auto-negotiation takes one to three. A link that stays away longer is not ours to wait for."""


@contextmanager
def carrier_kept(netlink: Netlink, index: int) -> Iterator[None]:
    """Around such a change of a network device: left once the carrier that it had is back, or after
    CARRIER_SECONDS. One without a carrier is not waited for.
    """
    with netlink.link_changes() as changes:
        had_carrier = _has_carrier(netlink, index)
        yield
        if had_carrier:
            _wait(netlink, index, changes)


def _wait(netlink: Netlink, index: int, changes: LinkChanges) -> None:
    end = monotonic() + CARRIER_SECONDS
    while not _has_carrier(netlink, index):
        left = end - monotonic()
        if left <= 0 or not changes.wait(left):
            return


def _has_carrier(netlink: Netlink, index: int) -> bool:
    try:
        return netlink.plain_link(index).carrier is True
    except NetlinkRefusal:
        return False  # it is gone, which the next look at the host shows
