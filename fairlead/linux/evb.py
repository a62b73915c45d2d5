"""Whether lldpad and the bridge have agreed to speak EVB, of what either announces by LLDP.

Layouts: IEEE 802.1AB (TLVs), 802.1Qbg-2012, annex D (EVB TLV), and of the draft lldpad 1.1's include/lldp_evb.h; all as
they were seen on a wire (docs/dev/evb.md).

What lldpad makes of it: in the standard's form it repeats in its own TLV what the bridge has told, from nothing on. In
the draft's it configures what the bridge does, and takes its own announcement, where it hears that, for a bridge's.
Both stay as they were when the bridge falls silent; the neighbour is forgotten then.
"""

from dataclasses import dataclass

from fairlead.linux.tlvs import ORGANIZATIONAL, tlvs
from fairlead.linux.vdp_frames import VdpForm

_CHASSIS, _PORT = 1, 2
_DRAFT, _STANDARD = bytes.fromhex("001b3f00"), bytes.fromhex("0080c20d")
_SPEAKS_VDP = 0x3
"""ECP and VDP among the draft's capabilities, of which those that are configured come last of the four fields."""
_CONFIGURED = 7
_BRIDGE_STATUS, _MODE = 4, 7
_MODE_AT, _BRIDGE = 6, 1


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one end of a cable tells of itself. `who`: its chassis and port."""

    who: tuple[bytes, ...]
    draft: bytes | None
    standard: bytes | None

    @property
    def speaks_draft(self) -> bool:
        """Whether it has configured what VDP needs in the draft's form."""
        value = self.draft or b""
        return len(value) > _CONFIGURED and value[_CONFIGURED] & _SPEAKS_VDP == _SPEAKS_VDP

    @property
    def repeats_bridge(self) -> bool:
        """Whether it is a station to which a bridge has told its status, in the standard's form. A bridge that can do
        nothing of what that tells is not known from none.
        """
        value = self.standard or b""
        return len(value) > _BRIDGE_STATUS and value[_BRIDGE_STATUS] != 0

    @property
    def is_bridge(self) -> bool:
        """Whether it is a bridge in the standard's form."""
        value = self.standard or b""
        return len(value) > _MODE and value[_MODE] >> _MODE_AT == _BRIDGE


@dataclass(frozen=True, slots=True)
class Agreement:
    """`form` None: there is no agreement. `is_own`: the neighbour that lldpad heard last is lldpad itself."""

    form: VdpForm | None
    is_own: bool


def announcement(octets: bytes) -> Announcement:
    """What an LLDPDU says."""
    read = list(tlvs(octets))
    named = [value for kind, value in read if kind == ORGANIZATIONAL]
    return Announcement(
        who=tuple(value for kind, value in read if kind in {_CHASSIS, _PORT}),
        draft=next((value for value in named if value.startswith(_DRAFT)), None),
        standard=next((value for value in named if value.startswith(_STANDARD)), None),
    )


def agreement(own: Announcement, neighbour: Announcement) -> Agreement:
    """What lldpad's own announcement and its neighbour's come to. In the standard's form a neighbour that is lldpad
    itself has come between two announcements of the bridge, whose status it repeats still.
    """
    is_own = bool(own.who) and neighbour.who == own.who
    if own.speaks_draft and neighbour.speaks_draft and not is_own:
        return Agreement(VdpForm.DRAFT, is_own)
    if own.standard is not None and (neighbour.is_bridge or (is_own and own.repeats_bridge)):
        return Agreement(VdpForm.STANDARD, is_own)
    return Agreement(None, is_own)
