"""Asks a driver again that is only busy.

Some drivers (i40e, ice) refuse what concerns a VF for some tenths of a second after each reset of it, and send no event
when that is over. So this looks again and again, as it is woken by any change of a link, or a tenth of a second later.
"""

from collections.abc import Callable
from typing import TypeVar

from fairlead.linux.faults import name
from fairlead.linux.netlink import Netlink
from fairlead.model.quirk import Deed
from fairlead.model.quirks import is_passing

_LOOKS, _LOOK_SECONDS = 30, 0.1
"""A VF's reset takes less than a second. A driver that is busy for longer is tried again with its chain."""

T = TypeVar("T")


def patiently(netlink: Netlink, driver: str | None, deed: Deed, ask: Callable[[], T]) -> T:
    """What `ask` answers. Raises the OSError of its last try, once it is one that does not pass, or time is up."""
    try:
        return ask()
    except OSError as error:
        if not _passes(driver, deed, error):
            raise
        last = error
    with netlink.link_changes() as changes:
        for _ in range(_LOOKS):
            changes.wait(_LOOK_SECONDS)
            try:
                return ask()
            except OSError as error:
                if not _passes(driver, deed, error):
                    raise
                last = error
    raise last


def _passes(driver: str | None, deed: Deed, error: OSError) -> bool:
    return is_passing(driver, deed, name(error.errno or 0))
