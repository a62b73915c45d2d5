"""What a mechanism driver makes of a bound port: up to one part for each kind of thing that a host can be told of.

`build` adds whose it is and spreads the parts over the lists of the document.
"""

from dataclasses import dataclass

from fairlead.model.multicast import Group
from fairlead.model.vf import VfSettings
from fairlead.model.vsi import VsiSettings


@dataclass(frozen=True, slots=True)
class TapSettings:
    """What an ordinary vNIC's tap is told. `vlan` None: untagged on the wire. Rates in kbit/s. `sources`: prefixes that
    the guest may send from; empty: any.
    """

    name: str
    bridge: str
    vlan: int | None
    mtu: int
    max_rate_kbps: int | None
    spoof_check: bool
    sources: tuple[str, ...]
    is_up: bool


@dataclass(frozen=True, slots=True)
class MacvtapSettings:
    """What a port's macvtap is told, which is on the VF that the port has. It hears `groups`, or all there are."""

    name: str
    mtu: int
    groups: tuple[Group, ...]
    all_groups: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """What a host is told of one port. A part that is None is no part of the port's mechanism."""

    vf: VfSettings | None = None
    tap: TapSettings | None = None
    vsi: VsiSettings | None = None
    macvtap: MacvtapSettings | None = None

    @property
    def tap_name(self) -> str | None:
        """What its guest opens on the host; None for one that is given a device."""
        opened = self.tap or self.macvtap
        return opened.name if opened else None
