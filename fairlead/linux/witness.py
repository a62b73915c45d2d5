"""Hears on a PF's wire what the bridge answers, beside lldpad: nothing else tells a bridge's yes from an echo.

In the draft form of 802.1Qbg a station's request has a zero where the bridge's answer has its code, and zero is
success. lldpad asks no frame who sent it: on a NIC that hands the PF its own multicast back (QEMU's igb, once it has
VFs) it takes its own request for the yes. So here only what another than the PF itself has sent is an answer.

A packet socket of one EtherType gets what lldpad's gets, not what the PF itself sends, and costs other frames nothing
(packet(7), net/core/dev.c: deliver_ptype_list_skb). By what address lldpad sends is seen of what goes out: perhaps one
that the PF had before. What came in a VLAN that nobody here has is somebody else's.
"""

import selectors
import socket
import struct
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol, Self

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.vdp_frames import VdpForm, VdpFrame, answer_in, vdp_frame
from fairlead.model.vsi import VdpRequest, VsiReading, VsiSettings

_LONGEST_FRAME = 2048
# Not of PACKET_OTHERHOST, which frames in a VLAN that nobody here has are given.
_OURS = frozenset(
    {socket.PACKET_HOST, socket.PACKET_MULTICAST, socket.PACKET_BROADCAST, socket.PACKET_OUTGOING}
)
# linux/if_packet.h: struct tpacket_stats, packets and drops since it was last read.
_SOL_PACKET, _STATISTICS = 263, 6
_COUNTS = struct.Struct("=II")
# linux/if_ether.h, asm-generic/socket.h, and linux/filter.h: struct sock_filter and struct sock_fprog.
_EVERY_PROTOCOL, _ATTACH_FILTER = 3, 26
_INSTRUCTION, _PROGRAM = struct.Struct("=HBBI"), struct.Struct("@HP")
_LOAD_WORD, _LOAD_HALF, _IF_EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06
_DIRECTION, _ETHERTYPE_AT = 0xFFFF_F004, 12
"""SKF_AD_OFF + SKF_AD_PKTTYPE, and where a frame's EtherType is."""
_OUTGOING_VDP = b"".join(
    _INSTRUCTION.pack(*instruction)
    for instruction in (
        (_LOAD_WORD, 0, 0, _DIRECTION),
        (_IF_EQUAL, 0, 4, socket.PACKET_OUTGOING),
        (_LOAD_HALF, 0, 0, _ETHERTYPE_AT),
        (_IF_EQUAL, 1, 0, VdpForm.DRAFT.value),
        (_IF_EQUAL, 0, 1, VdpForm.STANDARD.value),
        (_RETURN, 0, 0, _LONGEST_FRAME),
        (_RETURN, 0, 0, 0),
    )
)


class CannotHear(OSError):
    """The kernel gives no packet socket of that device."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came since the question. `answer` None: no bridge has said anything of it. `echoes`: forms in which a frame
    of the PF's own came back. `is_all`: whether nothing was lost.
    """

    answer: VsiReading | None = None
    echoes: frozenset[VdpForm] = frozenset()
    is_all: bool = True

    @property
    def is_misleading(self) -> bool:
        """Whether lldpad may have taken a frame of its own for the bridge's: the standard's form marks answers."""
        return VdpForm.DRAFT in self.echoes or not self.is_all


class Witness(Protocol):
    """Made before the bridge is asked."""

    def hear(self, seconds: float) -> Heard:
        """What was heard until now. For so long it waits for an answer, or for what spoils any: an echo, or a loss. The
        end of an association is waited for beyond those.
        """
        ...


Listen = Callable[[ObservedPf, VsiSettings, VdpRequest], AbstractContextManager[Witness]]
"""On the PF, for what the bridge will answer to the request."""


class WireWitness:
    """Implements Witness. Raises CannotHear."""

    def __init__(self, pf: ObservedPf, vsi: VsiSettings, request: VdpRequest) -> None:
        self._vsi, self._request = vsi, request
        self._guests = _guests(pf, vsi)
        self._came: list[VdpFrame] = []
        self._is_all = True
        name = pf.name or ""
        with ExitStack() as undo:
            try:
                self._ears = [undo.enter_context(_ear(name, form)) for form in VdpForm]
                self._mouth = undo.enter_context(_mouth(name))
            except OSError as error:
                raise CannotHear(error.errno, error.strerror) from error
            self._own: set[bytes] = {self._mouth.getsockname()[4]}
            self._sockets = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sockets.close()

    def hear(self, seconds: float) -> Heard:
        """See Witness.hear."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for ear in self._ears:
                selector.register(ear, selectors.EVENT_READ)
            while True:
                heard = self._heard()
                left = deadline - time.monotonic()
                is_enough = heard.is_misleading and self._request is not VdpRequest.DISASSOCIATE
                if heard.answer or is_enough or left <= 0:
                    return heard
                selector.select(left)

    def _heard(self) -> Heard:
        """What came is read first: whatever of it the PF itself has sent was on its way out before."""
        for ear in self._ears:
            self._came += self._drained(ear)
        self._own |= {frame.source for frame in self._drained(self._mouth)}
        answer, echoes = None, frozenset[VdpForm]()
        for frame in self._came:
            if frame.source in self._own:
                echoes |= {frame.form}
            elif frame.source not in self._guests:
                answer = answer_in(frame, self._vsi, self._request) or answer
        return Heard(answer, echoes, self._is_all)

    def _drained(self, own: socket.socket) -> Iterator[VdpFrame]:
        while True:
            try:
                octets, (_, _, direction, *_) = own.recvfrom(_LONGEST_FRAME)
            except BlockingIOError:
                break
            except OSError:  # the device went down, or is gone: what came before stands
                break
            frame = vdp_frame(octets)
            if frame and direction in _OURS:
                yield frame
        _, lost = _COUNTS.unpack(own.getsockopt(_SOL_PACKET, _STATISTICS, _COUNTS.size))
        self._is_all = self._is_all and not lost


def _guests(pf: ObservedPf, vsi: VsiSettings) -> frozenset[bytes]:
    """Source addresses of guests, whose frames the NIC's own switch may hand to the PF: no bridge has those."""
    macs = {vsi.mac, *(vf.settings.mac for vf in pf.vfs if vf.settings.mac)}
    return frozenset(bytes.fromhex(mac.replace(":", "")) for mac in macs)


def _ear(name: str, form: VdpForm) -> socket.socket:
    """What comes in, of one form."""
    return _bound(name, form.value, None)


def _mouth(name: str) -> socket.socket:
    """What goes out, of both forms: only a socket of every protocol is told."""
    return _bound(name, _EVERY_PROTOCOL, _OUTGOING_VDP)


def _bound(name: str, protocol: int, code: bytes | None) -> socket.socket:
    """Deaf until it is bound to the device, so that it hears that one alone, and what `code` lets through."""
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0)
    try:
        if code is not None:
            kept = array("B", code)
            program = _PROGRAM.pack(len(code) // _INSTRUCTION.size, kept.buffer_info()[0])
            found.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        found.bind((name, protocol))
    except OSError:
        found.close()
        raise
    return found
