"""802.1Qbg by lldpad, which speaks VDP with the bridge: agent.station.Vdp over netlink, as libvirt does it.

What lldpad 1.1 does, and what is done about it here:

- It forgets a VSI that is over as soon as anybody has read it, and skips the next one while it does. It may say SUCCESS
  once more of one that is gone, or of the request before this one. So its list is believed once two readings in a row
  are the same, and no VSI that it has is asked for: it is disassociated before.
- It knows a VSI by all that was asked for, and lists its instance alone. One that is disassociated by other settings
  stays as it is (second form: EINVAL), or stands in the list twice from then on (first form). So whoever calls
  remembers what was asked for, and an instance that is listed twice is in no state that could be told.
- In the first form it lists one that it does not have, as a success and for ever, once it was told to disassociate it.
  So it is told that only of what it has; and of what it was told so, no success counts any more.
- The first form of the standard can take a refusal that comes very quickly for a success, and its own request, where
  the NIC hands it back. So a success counts once it has stood for a while and the bridge was heard to say it
  (fairlead/linux/witness.py), and where frames come back in that form nothing is associated.
- In the second form, of two messages of the bridge on each other's heels it acknowledges both, takes the later one
  twice, and loses the other. An end that is lost so is known once the bridge answers its next keepalive of that VSI.
- What others read is forgotten for us, too. So every reading of ours keeps the refusals that somebody waits for.
- Where the bridge does not answer, the first form drops the VSI after 3 s. The second leaves it pending for ever, and
  refuses (ENODEV) whatever is asked for that instance until lldpad starts anew.
- A bridge may give a VSI without a VLAN one of its own choice. lldpad does not tell which, and disassociates it with
  that one alone.
- It refuses everything for about a second after its start, and while the link is down.
- It goes by names of network devices, which may be swapped between a look at the host and a request. So a PF's device
  is found by its PCI address each time, and a request counts only if that had the same name before and after it.

How messages go: fairlead/linux/lldpad_messages.py.
"""

import errno
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import structlog

from fairlead.hoststate.observed import ObservedPf
from fairlead.linux.evb import agreement, announcement
from fairlead.linux.lldpad_client import ADDRESS, Whose, announced
from fairlead.linux.lldpad_messages import Messages
from fairlead.linux.netlink import NetlinkRefusal
from fairlead.linux.sysfs import Sysfs
from fairlead.linux.vdp import read_vsis, write_question, write_request
from fairlead.linux.vdp_frames import VdpForm
from fairlead.linux.vdp_words import (
    Doing,
    cannot_hear,
    gave_up,
    in_use,
    misled,
    not_asked,
    refused,
    stuck,
)
from fairlead.linux.witness import CannotHear, Listen, WireWitness, Witness
from fairlead.model.errors import Fault
from fairlead.model.vsi import ABSENT, VdpRequest, VsiReading, VsiSettings, VsiState

PID_FILE = Path("/run/lldpad.pid")
_GETLINK, _SETLINK = 18, 19
_MOST_READINGS = 64
_AWAY = frozenset({errno.ECONNREFUSED, errno.ENOENT})
_NOT_READY = frozenset({errno.ENXIO, errno.EPROTONOSUPPORT, *_AWAY})
_log = structlog.get_logger("fairlead.linux")
_ANSWERED = frozenset({VsiState.ASSOCIATED, VsiState.ABSENT})
_GONE = frozenset({VsiState.ABSENT})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds: `exchange` for lldpad to answer a message (it sleeps for one itself at times);
    `ready` while it has just been started; `answer` for the bridge (with its own timers of the second form lldpad waits
    17.4 s); `steady`, how long a success must stand. `poll` is the first and the longest rest between two looks: lldpad
    tells of an answer only when it is asked.
    """

    exchange: float = 5.0
    ready: float = 5.0
    answer: float = 20.0
    steady: float = 0.05
    poll: tuple[float, float] = (0.01, 0.25)


@dataclass(frozen=True, slots=True)
class Link:
    """A network device as it is called and numbered now."""

    name: str
    index: int


class Lldpad:
    """Implements agent.station.Vdp. Made in lldpad's network namespace; close it after use. Thread-safe."""

    def __init__(
        self,
        pid_file: Path = PID_FILE,
        patience: Patience = Patience(),
        listen: Listen = WireWitness,
        sysfs: Sysfs = Sysfs(),  # noqa: B008 - it keeps nothing
    ) -> None:
        self._patience = patience
        self._sysfs = sysfs
        self._listen = listen
        self._messages = Messages(pid_file, patience.exchange)
        self._lock = Lock()
        self._awaited: dict[tuple[int, str], VsiReading] = {}
        self._own_listeners: set[tuple[int, int]] = set()
        self.events = self._messages.events
        """Where lldpad tells what nobody asked for. Whoever waits for it throws away what it reads."""

    def close(self) -> None:
        """Give the sockets back."""
        self._messages.close()

    def read(self, pf: ObservedPf) -> Mapping[str, VsiReading] | None:
        """See Vdp.read."""
        try:
            return self._settled(self._link(pf).index)
        except NetlinkRefusal as refusal:
            if refusal.errno in _AWAY or refusal.errno == errno.ENODEV:
                return None
            raise not_asked(Doing.READ, _subject(pf), refusal) from refusal

    def agrees(self, pf: ObservedPf) -> bool:
        """See Vdp.agrees. Where lldpad was found to hear itself in the draft's form it has no bridge that may be
        believed, until it starts anew.
        """
        try:
            link, lldpad = self._link(pf), self._messages.port()
            own, neighbour = (
                announcement(announced(ADDRESS, link.name, whose, self._patience.exchange)) for whose in Whose
            )
            self._check(pf, link)
        except OSError:
            return False
        found = agreement(own, neighbour)
        if found.is_own and own.draft is not None:
            self._hears_itself(pf, link, lldpad)
        with self._lock:
            return found.form is not None and (link.index, lldpad) not in self._own_listeners

    def associate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """See Vdp.associate."""
        self._granted(pf, vsi, VdpRequest.ASSOCIATE)

    def preassociate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """See Vdp.preassociate."""
        self._granted(pf, vsi, VdpRequest.PREASSOCIATE_RR)

    def disassociate(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """See Vdp.disassociate. ENODEV: lldpad had no answer to an earlier request for it, says nothing of it to the
        bridge any more, and hears nothing either; so to the bridge it is over, as it is where lldpad does not run.
        """
        held = self.read(pf)
        if held is None or vsi.instance_id not in held:
            return
        try:
            reading = self._part(pf, vsi)
        except CannotHear as error:
            raise cannot_hear(Doing.DISASSOCIATE, _subject(pf, vsi), error) from error
        except NetlinkRefusal as refusal:
            if refusal.errno in _AWAY or refusal.errno == errno.ENODEV:
                return
            raise not_asked(Doing.DISASSOCIATE, _subject(pf, vsi), refusal) from refusal
        if reading.state not in {VsiState.ABSENT, VsiState.REFUSED}:
            raise stuck(_subject(pf, vsi), self._patience.answer)

    def _part(self, pf: ObservedPf, vsi: VsiSettings) -> VsiReading:
        """Where lldpad hears itself it is done before the bridge is, whose answer would end what is asked for next."""
        link = self._link(pf)
        with self._listen(replace(pf, name=link.name), vsi, VdpRequest.DISASSOCIATE) as witness:
            self._ask(pf, link, vsi, VdpRequest.DISASSOCIATE)
            reading = self._watch(link, vsi, _GONE)
            if witness.hear(0).echoes:
                witness.hear(self._patience.exchange)
        return reading

    def _granted(self, pf: ObservedPf, vsi: VsiSettings, request: VdpRequest) -> None:
        held = (self.read(pf) or {}).get(vsi.instance_id)
        if held is not None:
            raise in_use(_subject(pf, vsi), held)
        reading = self._answer(pf, vsi, request)
        match reading.state:
            case VsiState.ASSOCIATED:
                return
            case VsiState.REFUSED:
                raise refused(_subject(pf, vsi), reading)
            case _:
                is_dropped = reading.state is VsiState.ABSENT
                if not is_dropped:
                    self._give_up(pf, vsi)
                raise gave_up(_subject(pf, vsi), self._patience.answer, is_dropped=is_dropped)

    def _answer(self, pf: ObservedPf, vsi: VsiSettings, request: VdpRequest) -> VsiReading:
        """What the bridge said to the request in the end; PENDING if nothing."""
        try:
            link = self._link(pf)
            called = replace(pf, name=link.name)
            with self._waiting(link, vsi), self._listen(called, vsi, request) as witness:
                self._ask_once_ready(pf, link, vsi, request)
                reading = self._watch(link, vsi, _ANSWERED)
                match reading.state:
                    case VsiState.ASSOCIATED:
                        return self._proven(pf, vsi, witness)
                    case VsiState.ABSENT:
                        said = witness.hear(0).answer
                        return said if said is not None and said.state is VsiState.REFUSED else reading
                    case _:
                        return reading
        except CannotHear as error:
            raise cannot_hear(Doing.ASSOCIATE, _subject(pf, vsi), error) from error
        except NetlinkRefusal as refusal:
            raise not_asked(Doing.ASSOCIATE, _subject(pf, vsi), refusal) from refusal

    def _proven(self, pf: ObservedPf, vsi: VsiSettings, witness: Witness) -> VsiReading:
        """What is true of lldpad's success: it counts once it has stood for a while and the bridge was heard to say it.
        Any other is taken back.
        """
        time.sleep(self._patience.steady)
        heard = witness.hear(self._patience.answer)
        said = None if heard.is_misleading else heard.answer
        if said is not None and said.state is VsiState.ASSOCIATED:
            return self._look(self._link(pf), vsi)
        self._take_back(pf, vsi)
        if VdpForm.DRAFT in heard.echoes:
            self._hears_itself(pf, self._link(pf), self._messages.port())
        if said is None:
            raise misled(_subject(pf, vsi), heard)
        return said

    @contextmanager
    def _waiting(self, link: Link, vsi: VsiSettings) -> Iterator[None]:
        """Meanwhile a refusal of it is kept, whoever of ours reads it."""
        key = (link.index, vsi.instance_id)
        with self._lock:
            self._awaited[key] = ABSENT
        try:
            yield
        finally:
            with self._lock:
                del self._awaited[key]

    def _hears_itself(self, pf: ObservedPf, link: Link, lldpad: int) -> None:
        """Once for all: what it heard last is now the bridge and now itself."""
        with self._lock:
            is_new = (link.index, lldpad) not in self._own_listeners
            self._own_listeners.add((link.index, lldpad))
        if is_new:
            _log.warning("station_hears_itself", pci_address=pf.pci_address, device=link.name)

    def _take_back(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """What lldpad has without the bridge's yes shall go. What went wrong is told already."""
        try:
            self.disassociate(pf, vsi)
        except Fault:
            return

    def _give_up(self, pf: ObservedPf, vsi: VsiSettings) -> None:
        """Nothing shall be left that a late answer could make an association of. What went wrong is told already."""
        try:
            self._ask(pf, self._link(pf), vsi, VdpRequest.DISASSOCIATE)
        except NetlinkRefusal:
            return

    def _ask_once_ready(self, pf: ObservedPf, link: Link, vsi: VsiSettings, request: VdpRequest) -> None:
        rest, longest = self._patience.poll
        deadline = time.monotonic() + self._patience.ready
        while True:
            try:
                self._ask(pf, link, vsi, request)
            except NetlinkRefusal as refusal:
                if refusal.errno not in _NOT_READY or time.monotonic() > deadline:
                    raise
                time.sleep(rest)
                rest = min(rest * 2, longest)
            else:
                return

    def _watch(self, link: Link, vsi: VsiSettings, awaited: frozenset[VsiState]) -> VsiReading:
        """The first reading of it that is of those states, or is a refusal; the last one when time is up."""
        rest, longest = self._patience.poll
        deadline = time.monotonic() + self._patience.answer
        while True:
            time.sleep(rest)
            reading = self._look(link, vsi)
            if reading.state in awaited | {VsiState.REFUSED} or time.monotonic() > deadline:
                return reading
            rest = min(rest * 2, longest)

    def _look(self, link: Link, vsi: VsiSettings) -> VsiReading:
        found = self._settled(link.index).get(vsi.instance_id, ABSENT)
        if found.state is not VsiState.ABSENT:
            return found
        with self._lock:
            return self._awaited.get((link.index, vsi.instance_id), ABSENT)

    def _settled(self, index: int) -> dict[str, VsiReading]:
        """The list once two readings in a row are the same; with the refusals that were read on the way."""
        refusals: dict[str, VsiReading] = {}
        last = self._list(index)
        for _ in range(_MOST_READINGS):
            refusals |= {instance: said for instance, said in last.items() if said.state is VsiState.REFUSED}
            now = self._list(index)
            if now == last:
                return refusals | now
            last = now
        raise NetlinkRefusal(errno.EINTR, "its list of VSIs was another one each time it was read")

    def _list(self, index: int) -> dict[str, VsiReading]:
        found = read_vsis(self._messages.exchange(_GETLINK, write_question(index)))
        with self._lock:
            for instance, said in found.items():
                if said.state is VsiState.REFUSED and (index, instance) in self._awaited:
                    self._awaited[index, instance] = said
        return found

    def _ask(self, pf: ObservedPf, link: Link, vsi: VsiSettings, request: VdpRequest) -> None:
        """Raises NetlinkRefusal ESTALE where nobody knows which PF was asked: it is taken back, in the same words."""
        self._check(pf, link)
        self._tell(link, vsi, request)
        try:
            self._check(pf, link)
        except NetlinkRefusal:
            if request is not VdpRequest.DISASSOCIATE:
                with suppress(NetlinkRefusal):
                    self._tell(link, vsi, VdpRequest.DISASSOCIATE)
            raise

    def _tell(self, link: Link, vsi: VsiSettings, request: VdpRequest) -> None:
        self._messages.exchange(_SETLINK, write_request(link.name, link.index, vsi, request))

    def _link(self, pf: ObservedPf) -> Link:
        """Today's: a reloaded driver makes another one, and names are swapped. Raises NetlinkRefusal ENODEV."""
        net = self._sysfs.net_device(pf.pci_address)
        if net is None:
            raise NetlinkRefusal(errno.ENODEV, "its network device is gone")
        return Link(net.name, net.index)

    def _check(self, pf: ObservedPf, link: Link) -> None:
        if self._link(pf) != link:
            said = f"{link.name} is called otherwise, or is another network device, since a moment ago"
            raise NetlinkRefusal(errno.ESTALE, said)


def _subject(pf: ObservedPf, vsi: VsiSettings | None = None) -> str:
    place = f"{pf.name or 'PF'} ({pf.pci_address})"
    return place if vsi is None else f"{vsi.instance_id} on {place}"
