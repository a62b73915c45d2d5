"""Asks lldpad what is announced on a PF's cable: by the socket that lldptool asks by.

Requests and answers are text: `M`, the module, `C` with the interface's version, command, options, length and name of
the network device, the kind of agent, the TLV (lldpad 1.1's include/clif_msgs.h and lldp_tlv.c; lldptool -r shows
them). An answer begins with `R` and a status, repeats the request but for the kind of agent, and has the LLDPDU in hex.
"""

import socket
from enum import Enum

ADDRESS = "\0/com/intel/lldpad"
"""Of the network namespace: abstract socket names are."""
_MODULE, _COMMAND, _EVERY_TLV = "00000001", "C301", "0000007f"
_NEAREST_CUSTOMER_BRIDGE = "02"
_SUCCESS = "R00"
_LONGEST = 8192


class Whose(Enum):
    """Which end of the cable."""

    OWN = 1
    NEIGHBOUR = 2


def announced(address: str, name: str, whose: Whose, seconds: float) -> bytes:
    """The LLDPDU of the nearest customer bridge's agent on that device; empty where there is none. Raises OSError where
    lldpad does not answer in time, or has no such device.
    """
    about = f"{_COMMAND}{whose.value:08x}{len(name):02x}{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
        asking.settimeout(seconds)
        asking.bind("")  # a name of the kernel's choice, for lldpad to answer to
        asking.connect(address)
        asking.send(f"M{_MODULE}{about}{_NEAREST_CUSTOMER_BRIDGE}{_EVERY_TLV}".encode())
        answer = asking.recv(_LONGEST).decode("ascii", "replace")
    head = f"{_SUCCESS}{about}{_EVERY_TLV}"
    try:
        return bytes.fromhex(answer.removeprefix(head).rstrip("\0"))
    except ValueError:  # another status, or another question's
        raise OSError(f"lldpad answers {answer[:3]!r} when it is asked what is announced on {name}") from None
