"""The bridge's side of EVB on one port: it takes frames and the time, and gives frames and events.

It keeps what a switch keeps: whom it hears, which VSIs it let in, which of its own requests are not yet acknowledged.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from evb import ecp, lldp, vdp
from evb.behaviour import SOONEST_SECONDS, Accept, Behaviour, Deaf, Refuse, Silent
from evb.events import Event, What
from evb.frames import NEAREST_CUSTOMER_BRIDGE, Form, Frame, Malformed, parsed_frame

_TTL_SECONDS, _LAST_TTL_SECONDS = 20, 2
_EAGER_SECONDS, _CALM_SECONDS = 1.0, 5.0
_AGAIN_SECONDS, _MOST_TRIES = 0.5, 4
# A station begins with 1; lldpad takes a number that it has just heard for a repeat, even where it has heard itself.
_FIRST_SEQUENCE = 0x4001
_FORMS = {ethertype: form for form, ethertype in ecp.ETHERTYPES.items()}


@dataclass(frozen=True, slots=True)
class Port:
    """What the bridge is on its wire: its MAC, the name it tells, the forms of EVB that it announces, if any."""

    mac: bytes
    name: str
    forms: frozenset[Form]


class Bridge:
    """`send` puts a frame on the wire, `tell` is given each event. What follows in `__init__` may be set.

    `lose` is how many of the next ECP requests it takes for lost.
    """

    def __init__(self, port: Port, send: Callable[[Frame], None], tell: Callable[[Event], None]) -> None:
        self.behaviour: Behaviour = Accept()
        self.answer_seconds = SOONEST_SECONDS
        self.lose = 0
        self.vsis: dict[UUID, vdp.Message] = {}
        self._is_mute = False
        self._port = port
        self._send = send
        self._tell = tell
        self._heard: dict[Form, lldp.Evb] = {}
        self._last_taken: dict[Form, int] = {}
        self._last_sent = dict.fromkeys(Form, _FIRST_SEQUENCE - 1)
        self._unacknowledged: set[tuple[Form, int]] = set()
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._entries = itertools.count()
        self._at(0.0, self._announce_on)

    @property
    def due(self) -> float:
        """When `run_until` has something to do next."""
        return self._agenda[0][0]

    def run_until(self, now: float) -> None:
        """Do what is due."""
        while self.due <= now:
            heapq.heappop(self._agenda)[2](now)

    def take(self, octets: bytes, now: float) -> None:
        """A frame arrived."""
        try:
            self._take(parsed_frame(octets), now)
        except Malformed as error:
            self._tell(Event(now, What.MALFORMED, words=f"{error}: {octets.hex()}"))

    def lose_link(self, now: float) -> None:
        """The wire is dead: everything that was learnt over it goes, as in a switch; stations begin anew."""
        self._forget_station()
        self.vsis.clear()
        self._tell(Event(now, What.LINK_DOWN))

    def fall_silent(self) -> None:
        """Announce itself once more, for two seconds, and never again: as one that has gone without a word."""
        self._announce(_LAST_TTL_SECONDS)
        self._is_mute = True

    def deassociate(self, now: float, instance_id: UUID) -> None:
        """End an association without being asked; KeyError where there is none."""
        message = self.vsis.pop(instance_id)
        told = replace(message, mode=vdp.Mode.DEASSOCIATE, status=0)
        self._tell(Event(now, What.DEASSOCIATED, told.form, told))
        self._request(now, told)

    def _take(self, frame: Frame, now: float) -> None:
        if frame.ethertype == lldp.ETHERTYPE and frame.destination == NEAREST_CUSTOMER_BRIDGE:
            self._hear(lldp.parsed(frame.payload), now)
        elif frame.ethertype in _FORMS:
            form = _FORMS[frame.ethertype]
            ecpdu = ecp.parsed(form, frame.payload)
            if ecpdu.is_acknowledgement:
                self._unacknowledged.discard((form, ecpdu.sequence))
                self._tell(Event(now, What.ACKNOWLEDGED, form, sequence=ecpdu.sequence))
            else:
                self._take_request(ecpdu, frame.source, now)

    # LLDP

    def _hear(self, announcement: lldp.Announcement, now: float) -> None:
        if announcement.ttl_seconds == 0:
            self._forget_station()
            self._tell(Event(now, What.LEFT))
        for said in announcement.evb:
            form = lldp.form_of(said)
            if self._heard.get(form) != said:
                self._heard[form] = said
                self._tell(Event(now, What.ANNOUNCED, form, words=repr(said)))
                self._announce()

    def agrees(self, form: Form) -> bool:
        """Whether a station speaks that form with us; in the draft it has then opened ECP by an empty request too."""
        is_begun = form is Form.RATIFIED or form in self._last_taken
        return is_begun and form in self._heard and self._heard[form].is_agreed

    def _forget_station(self) -> None:
        """It numbers its requests from 1 when it comes back."""
        self._heard.clear()
        self._last_taken.clear()
        self._unacknowledged.clear()

    def _announce_on(self, now: float) -> None:
        """Often until somebody is heard, then now and then."""
        self._announce()
        self._at(now + (_CALM_SECONDS if self._heard else _EAGER_SECONDS), self._announce_on)

    def _announce(self, ttl_seconds: int = _TTL_SECONDS) -> None:
        evb = [self._own_evb(form) for form in Form if form in self._port.forms]
        if evb and not self._is_mute:
            said = lldp.announcement(self._port.mac, self._port.name, ttl_seconds, tuple(evb))
            self._send(Frame(NEAREST_CUSTOMER_BRIDGE, self._port.mac, lldp.ETHERTYPE, lldp.built(said)))

    def _own_evb(self, form: Form) -> lldp.Evb:
        """The standard has each side repeat the other's status, and the bridge relay when it is asked to."""
        station = self._heard.get(form)
        if form is Form.DRAFT:
            return lldp.OUR_DRAFT
        if not isinstance(station, lldp.RatifiedEvb):
            return lldp.OUR_RATIFIED
        relays = lldp.BRIDGE_RELAYS if station.station_status & lldp.STATION_WANTS_RELAY else 0
        return replace(
            lldp.OUR_RATIFIED,
            bridge_status=lldp.BRIDGE_CAN_RELAY | relays,
            station_status=station.station_status,
        )

    # ECP

    def _take_request(self, ecpdu: ecp.Ecpdu, source: bytes, now: float) -> None:
        form = ecpdu.form
        messages = vdp.parsed(form, ecpdu.payload)
        words = "" if messages else "empty"
        self._tell(Event(now, What.REQUESTED, form, sequence=ecpdu.sequence, words=words))
        if self.lose:
            self.lose -= 1
            self._tell(Event(now, What.LOST, form, sequence=ecpdu.sequence))
            return
        if isinstance(self.behaviour, Deaf):
            return
        back = source if form is Form.RATIFIED else ecp.DESTINATIONS[form]
        self._send(ecp.framed(ecpdu.acknowledged(), self._port.mac, back))
        # One that was sent again is acknowledged again, and nothing more.
        if self._last_taken.get(form) != ecpdu.sequence:
            self._last_taken[form] = ecpdu.sequence
            for message in messages:
                self._consider(message, now)

    def _request(self, now: float, message: vdp.Message) -> None:
        """Send it until it is acknowledged. Each has its own number: lldpad skips a frame that is like the last."""
        form = message.form
        self._last_sent[form] = self._last_sent[form] % ecp.MOST_SEQUENCE + 1
        ecpdu = ecp.Ecpdu(
            form, is_acknowledgement=False, sequence=self._last_sent[form], payload=vdp.built(message)
        )
        self._unacknowledged.add((form, ecpdu.sequence))
        self._try(now, ecpdu, 1)

    def _try(self, now: float, ecpdu: ecp.Ecpdu, tries: int) -> None:
        key = ecpdu.form, ecpdu.sequence
        if key not in self._unacknowledged:
            return
        if tries > _MOST_TRIES:
            self._unacknowledged.remove(key)
            self._tell(Event(now, What.UNACKNOWLEDGED, ecpdu.form, sequence=ecpdu.sequence))
            return
        self._send(ecp.framed(ecpdu, self._port.mac, ecp.DESTINATIONS[ecpdu.form]))
        self._at(now + _AGAIN_SECONDS, lambda then: self._try(then, ecpdu, tries + 1))

    # VDP

    def _consider(self, asked: vdp.Message, now: float) -> None:
        self._tell(Event(now, What.ASKED, asked.form, asked))
        if not isinstance(self.behaviour, Silent):
            self._at(now + self.answer_seconds, lambda then: self._answer(asked, then))

    def _answer(self, asked: vdp.Message, now: float) -> None:
        """By what the bridge's behaviour is now. Whoever wants to leave may."""
        behaviour, vsi = self.behaviour, asked.vsi
        is_leaving = asked.mode is vdp.Mode.DEASSOCIATE
        refusal = behaviour if isinstance(behaviour, Refuse) and not is_leaving else None
        if isinstance(behaviour, Accept) and behaviour.vlan and asked.form is Form.RATIFIED:
            vsi = vsi.on_vlan(behaviour.vlan)
        told = replace(asked, status=_status(refusal, asked.form), vsi=vsi)
        if is_leaving or (refusal and not refusal.is_kept):
            self.vsis.pop(vsi.instance_id, None)
        elif refusal is None:
            self.vsis[vsi.instance_id] = told
        self._tell(Event(now, What.ANSWERED, told.form, told))
        self._request(now, told)

    def _at(self, when: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self._agenda, (when, next(self._entries), what))


def _status(refusal: Refuse | None, form: Form) -> int:
    return vdp.answered(refusal.code, form, is_kept=refusal.is_kept) if refusal else vdp.answered(0, form)
