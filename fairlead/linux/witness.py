"""Hears on a PF's wire what the bridge answers, beside lldpad: nothing else tells a bridge's yes from an echo.

In the draft form of 802.1Qbg a station's request has a zero where the bridge's answer has its code, and zero is
success. lldpad asks no frame who sent it: on a NIC that hands the PF its own multicast back (QEMU's igb, once it has
VFs) it takes its own request for the yes. So here only what another than the PF itself has sent is an answer.

A packet socket of one EtherType gets what lldpad's gets, not what the PF itself sends, and costs other frames nothing
(packet(7), net/core/dev.c deliver_ptype_list_skb). What came in a VLAN that nobody here has is somebody else's.
"""

import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.vdp_frames import VdpForm, VdpFrame, answer_in, vdp_frame
from fairlead.model.vsi import VdpRequest, VsiReading, VsiSettings

_LONGEST_FRAME = 2048
_FOR_US = frozenset({socket.PACKET_HOST, socket.PACKET_MULTICAST, socket.PACKET_BROADCAST})
# linux/if_packet.h: struct tpacket_stats, packets and drops since it was last read.
_SOL_PACKET, _STATISTICS = 263, 6
_COUNTS = struct.Struct("=II")


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
        """What was heard until now; for so long it waits for an answer, or for an echo."""
        ...


Listen = Callable[[ObservedPf, VsiSettings, VdpRequest], AbstractContextManager[Witness]]
"""On the PF, for what the bridge will answer to the request."""


class WireWitness:
    """Implements Witness. Raises CannotHear."""

    def __init__(self, pf: ObservedPf, vsi: VsiSettings, request: VdpRequest) -> None:
        self._vsi, self._request = vsi, request
        self._heard = Heard()
        self._guests = _guests(pf, vsi)
        self._ears: list[socket.socket] = []
        try:
            for form in VdpForm:
                self._ears.append(_ear(pf.name or "", form))
        except OSError as error:
            self._close()
            raise CannotHear(error.errno, error.strerror) from error
        self._own: bytes = self._ears[0].getsockname()[4]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def hear(self, seconds: float) -> Heard:
        """See Witness.hear."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for ear in self._ears:
                selector.register(ear, selectors.EVENT_READ)
            while True:
                for ear in self._ears:
                    self._drain(ear)
                left = deadline - time.monotonic()
                if self._heard.answer or self._heard.is_misleading or left <= 0:
                    return self._heard
                selector.select(left)

    def _drain(self, ear: socket.socket) -> None:
        while True:
            try:
                octets, (_, _, direction, *_) = ear.recvfrom(_LONGEST_FRAME)
            except BlockingIOError:
                break
            except OSError:  # the device went down, or is gone: what came before stands
                break
            frame = vdp_frame(octets)
            if frame and direction in _FOR_US:
                self._heard = self._with(frame)
        _, lost = _COUNTS.unpack(ear.getsockopt(_SOL_PACKET, _STATISTICS, _COUNTS.size))
        if lost:
            self._heard = Heard(self._heard.answer, self._heard.echoes, is_all=False)

    def _with(self, frame: VdpFrame) -> Heard:
        seen = self._heard
        if frame.source == self._own:
            return Heard(seen.answer, seen.echoes | {frame.form}, seen.is_all)
        if frame.source in self._guests:
            return seen
        return Heard(answer_in(frame, self._vsi, self._request) or seen.answer, seen.echoes, seen.is_all)

    def _close(self) -> None:
        for ear in self._ears:
            ear.close()


def _guests(pf: ObservedPf, vsi: VsiSettings) -> frozenset[bytes]:
    """Source addresses of guests, whose frames the NIC's own switch may hand to the PF: no bridge has those."""
    macs = {vsi.mac, *(vf.settings.mac for vf in pf.vfs if vf.settings.mac)}
    return frozenset(bytes.fromhex(mac.replace(":", "")) for mac in macs)


def _ear(name: str, form: VdpForm) -> socket.socket:
    """Deaf until it is bound to the device, so that it hears that one alone."""
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0)
    try:
        ear.bind((name, form.value))
    except OSError:
        ear.close()
        raise
    return ear
