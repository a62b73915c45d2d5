"""What of a VF's settings not every kernel driver of a PF can do, as capabilities: what settings need of a PF, and what
its driver has. A driver of which the table of quirks says nothing has all: where it has not, its host says so.
"""

from fairlead.model.port_settings import PortSettings
from fairlead.model.quirk import Trait
from fairlead.model.quirks import QUIRKS, has
from fairlead.model.vf import LinkState, VlanProtocol

DOT1AD_CAPABILITY = "802.1ad"
"""A VF's VLAN may be one of 802.1ad."""
MIN_RATE_CAPABILITY = "min-rate"
"""A VF may be promised a rate."""
LINK_STATE_CAPABILITY = "link-state"
"""A VF's link may be held up or down."""

_LACKED_BY = {
    DOT1AD_CAPABILITY: Trait.NO_DOT1AD,
    MIN_RATE_CAPABILITY: Trait.NO_MIN_RATE,
    LINK_STATE_CAPABILITY: Trait.NO_LINK_STATE,
}

CAPABILITIES = tuple(_LACKED_BY)
"""All that follow from a PF's driver alone."""


def capabilities_needed(settings: PortSettings) -> tuple[str, ...]:
    """What a PF needs, whose VF is to be set so."""
    asked = {
        DOT1AD_CAPABILITY: settings.vlan_protocol is VlanProtocol.DOT1AD,
        MIN_RATE_CAPABILITY: settings.min_kbps > 0,
        LINK_STATE_CAPABILITY: settings.link_state is not LinkState.AUTO,
    }
    return tuple(name for name, is_asked in asked.items() if is_asked)


def capabilities_of(driver: str | None) -> tuple[str, ...]:
    """What the PF's driver has; None: of a driver that nobody knows."""
    return _HAD_BY.get(driver, CAPABILITIES)


_HAD_BY: dict[str | None, tuple[str, ...]] = {
    driver: tuple(name for name, trait in _LACKED_BY.items() if not has(driver, trait))
    for driver in {driver for row in QUIRKS for driver in row.drivers}
}
