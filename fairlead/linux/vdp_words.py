"""What lldpad or the bridge did not do, as Faults: what was asked, of what, what was answered, what would help.

Sources: of the bridge's answers, include/uapi/linux/if_link.h (PORT_VDP_RESPONSE_*, which are those of IEEE 802.1Qbg);
of lldpad's error numbers, what lldpad 1.1 was seen to answer in either form of the standard (docs/concepts/mechanisms).
"""

import errno
import os
from enum import Enum

from fairlead.linux.faults import name
from fairlead.linux.netlink import NetlinkRefusal
from fairlead.linux.vdp_frames import VdpForm
from fairlead.linux.witness import CannotHear, Heard
from fairlead.model.errors import Failure, Fault
from fairlead.model.vsi import VdpResponse, VsiReading, VsiState

_SETUP = "docs/howto/802.1Qbg.md says what lldpad must be told"
_SEE_BRIDGE = "See the bridge's port: is EVB on there, and does it reach its VSI manager?"
_START_ANEW = "Start it anew: `systemctl restart lldpad`; what was associated is associated again"

_NO_ECHO = (
    "Let lldpad and the bridge speak the form of 2012 (docs/howto/802.1Qbg.md), or keep the NIC from handing frames"
    " back: `bridge link set dev DEVICE hwmode vepa`, where its driver has that."
)


class Doing(Enum):
    """What was being done."""

    READ = "Reading the VSIs of"
    ASSOCIATE = "Associating VSI"
    DISASSOCIATE = "Disassociating VSI"


_HINTS = {
    errno.ENOENT: f"Install and start it: {_SETUP}.",
    errno.ECONNREFUSED: "Start it, in the network namespace of the agent: `systemctl start lldpad`.",
    errno.ENXIO: (
        "lldpad and the bridge have not agreed on EVB, or the link is down: check the cable, the bridge's port, and"
        f" `lldptool -t -i DEVICE -g ncb -n`; {_SETUP}."
    ),
    errno.ENODEV: (
        "lldpad speaks no VDP there, or has given up this instance after the bridge did not answer. In the first case"
        f" {_SETUP}. In the second: {_START_ANEW}."
    ),
    errno.EPROTONOSUPPORT: f"lldpad does not send its EVB TLV there: {_SETUP}.",
    errno.EINVAL: (
        "lldpad has the VSI with another VLAN, which the bridge gave it, or does not have it. Give the network the"
        f" VLAN that the bridge uses. {_START_ANEW}."
    ),
    errno.ESTALE: "Somebody renames network devices; it is tried again.",
    errno.EPERM: "The agent needs CAP_NET_ADMIN: run it as root.",
    errno.ETIMEDOUT: f"Is lldpad stopped or busy? {_START_ANEW}.",
}

_RESPONSES = {
    VdpResponse.INVALID_FORMAT: "lldpad and the bridge may speak different forms of the standard.",
    VdpResponse.INSUFFICIENT_RESOURCES: (
        "The bridge's port has no room for another VSI: raise its limit, or place the server elsewhere."
    ),
    VdpResponse.UNUSED_VTID: (
        "The bridge does not know that type under that manager: define it there, or choose another port profile."
    ),
    VdpResponse.VTID_VIOLATION: "The bridge does not allow that type on this port, or for that MAC or VLAN.",
    VdpResponse.VTID_VERSION_VIOLATION: (
        "The bridge does not have that version of the type: set type_id_version as it is there."
    ),
    VdpResponse.OUT_OF_SYNC: "The bridge and lldpad remember different things of it; it is tried again.",
}


def not_asked(doing: Doing, subject: str, refusal: NetlinkRefusal) -> Fault:
    """The bridge was not asked, for lldpad did not take it."""
    number = refusal.errno or 0
    said = f"lldpad says {name(number)}: {refusal.strerror or os.strerror(number)}"
    return Fault(Failure("lldpad_refused", doing.value, subject, said, _HINTS.get(number, "")))


def refused(subject: str, reading: VsiReading) -> Fault:
    """The bridge said no."""
    if reading.response is None:
        said, hint = "the bridge refuses it with a code that the standard does not name", ""
    else:
        hint = _RESPONSES[reading.response]
        said = f"the bridge answers {reading.response.code}: {reading.response.value}"
    return Fault(Failure("vsi_refused", Doing.ASSOCIATE.value, subject, said, hint))


def in_use(subject: str, held: VsiReading) -> Fault:
    """Not ours, as far as anybody knows; or what became of an earlier request of it that had no answer."""
    said = f"lldpad has that instance already ({held.state.value}), and not for Fairlead"
    hint = f"Does a libvirt domain of others have it? Give the port another instance id. {_START_ANEW}."
    if held.state is VsiState.PENDING:
        said = "lldpad has an earlier request of that instance, which the bridge did not answer"
        hint = f"{_SEE_BRIDGE} {_START_ANEW}."
    return Fault(Failure("vsi_in_use", Doing.ASSOCIATE.value, subject, said, hint))


def gave_up(subject: str, seconds: float, *, is_dropped: bool) -> Fault:
    """No answer of the bridge: lldpad has dropped it, or has it still and waits."""
    said = "lldpad has dropped it: the bridge did not answer, or took it back at once"
    hint = _SEE_BRIDGE
    if not is_dropped:
        said = f"the bridge has not answered for {seconds:.0f} s"
        hint += f" lldpad may refuse this instance from now on. {_START_ANEW}."
    return Fault(Failure("vsi_unanswered", Doing.ASSOCIATE.value, subject, said, hint))


def misled(subject: str, heard: Heard) -> Fault:
    """A success that lldpad told of, that no bridge was heard to give or that could be an echo: it is taken back."""
    doing = Doing.ASSOCIATE.value
    if VdpForm.DRAFT in heard.echoes:
        said = "the PF hears its own frames, and in the draft form of 802.1Qbg lldpad takes those for the bridge's yes"
        return Fault(Failure("vdp_echoed", doing, subject, said, _NO_ECHO))
    if not heard.is_all:
        said = "lldpad tells of a success, and of the frames that the bridge answers by some were lost to the agent"
        return Fault(Failure("vsi_unheard", doing, subject, said, "It is tried again."))
    said = "lldpad tells of a success, and no bridge was heard to say so on the PF"
    return Fault(Failure("vsi_unheard", doing, subject, said, _SEE_BRIDGE))


def cannot_hear(doing: Doing, subject: str, error: CannotHear) -> Fault:
    """Without hearing the bridge nothing is asked of it."""
    number = error.errno or 0
    said = (
        f"the kernel does not let the agent hear the bridge on the PF: {name(number)}: {os.strerror(number)}"
    )
    hint = "The agent needs CAP_NET_RAW, as `fairlead install agent` gives it, and packet sockets (CONFIG_PACKET)."
    return Fault(Failure("vsi_unheard", doing.value, subject, said, hint))


def stuck(subject: str, seconds: float) -> Fault:
    """It is still there after it was told to go."""
    said = f"lldpad has it still, {seconds:.0f} s after it was told to let it go"
    return Fault(Failure("vsi_kept", Doing.DISASSOCIATE.value, subject, said, f"{_START_ANEW}."))
