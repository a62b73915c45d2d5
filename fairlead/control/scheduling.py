"""The scheduler: places every server that waits for a host, oldest first.

It decides on a snapshot of the fleet that it keeps itself; a claim decides again on rows. So the snapshot may
be old: that costs another try, never a device held twice. Only a refusal is given on a snapshot read just now.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from fairlead.control import claims
from fairlead.control.boundary import Tx, Wake
from fairlead.control.engine import Engine
from fairlead.control.explaining import holders_of
from fairlead.control.faults import fail
from fairlead.control.host_facts import views_of
from fairlead.control.hosts import why_not
from fairlead.control.requests import request_of
from fairlead.model.errors import Conflict, Failure, InvalidValue, Refusal
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ServerId
from fairlead.model.request import ServerRequest
from fairlead.model.server import ServerStatus
from fairlead.placement.boundary import HostOrder, HostView, Placed, Rejected
from fairlead.placement.explain import summary
from fairlead.placement.place import place
from fairlead.placement.snapshot import Fleet

_TRIES = 16
"""Each try that fails means that somebody else took what was free, so that one of us gets on."""
_WHOLE_CHECK = timedelta(seconds=5)
"""Hosts whose wakes this process did not hear (another process changed them) are looked at this often."""
_HOST_TOPIC = "host/"


class Scheduler:
    """One of any number that work on one database. `tick` is for one thread; `heard` for any."""

    def __init__(self, engine: Engine, order: HostOrder = HostOrder.PACK) -> None:
        self._engine = engine
        self._order = order
        self._fleet = Fleet()
        self._seen: dict[HostId, tuple[int, str]] = {}
        self._checked_at: datetime | None = None
        self._heard: set[HostId] = set()

    def heard(self, wakes: frozenset[Wake]) -> None:
        """These wakes were given: what is known of their hosts is old."""
        topics = (wake.topic for wake in wakes)
        self._heard.update(HostId(t.removeprefix(_HOST_TOPIC)) for t in topics if t.startswith(_HOST_TOPIC))

    def tick(self) -> int:
        """Decide on every server in BUILD without a host; how many there were. One that could not be decided,
        since the database asked for another try too often, waits for the next tick.
        """
        waiting = self._engine.look(_waiting)
        if waiting:
            self._refresh()
        for server_id in waiting:
            self._decide(server_id)
        return len(waiting)

    def _decide(self, server_id: ServerId) -> None:
        try:
            self._place(server_id)
        except Conflict as conflict:
            if conflict.code != "stale":
                self._refuse(server_id, conflict)
        except InvalidValue as refusal:
            self._refuse(server_id, refusal)

    def _place(self, server_id: ServerId) -> None:
        is_fresh = False
        for _ in range(_TRIES):
            request = self._engine.look(partial(_request, server_id=server_id))
            if request is None:
                return
            decision = place(self._fleet, request, self._order, seed=server_id)
            if isinstance(decision, Placed):
                if self._claim(server_id, decision.host_id):
                    return
                is_fresh = False
            elif is_fresh:
                self._engine.run(partial(_reject, server_id=server_id, rejected=decision))
                return
            else:
                self._refresh(is_whole=True)
                is_fresh = True

    def _claim(self, server_id: ServerId, host_id: HostId) -> bool:
        claim = self._engine.run(partial(claims.commit, server_id=server_id, host_id=host_id))
        if claim.view is None:
            self._forget(host_id)
        else:
            self._keep((claim.view,))
        return claim.is_made

    def _refuse(self, server_id: ServerId, refusal: Refusal) -> None:
        self._engine.run(partial(_fail_refused, server_id=server_id, refusal=refusal))

    def _refresh(self, *, is_whole: bool = False) -> None:
        """Read again what has changed: the hosts that were heard of, and now and then whatever changed."""
        heard, self._heard = self._heard, set()
        views, known, now = self._engine.look(self._changes(heard, is_whole=is_whole))
        self._keep(views)
        if known is not None:
            self._checked_at = now
            for host_id in set(self._seen) - known:
                self._forget(host_id)

    def _changes(
        self, heard: set[HostId], *, is_whole: bool
    ) -> Callable[[Tx], tuple[tuple[HostView, ...], frozenset[HostId] | None, datetime]]:
        """Fresh views, every host's id where all were looked at, and the time."""

        def read(tx: Tx) -> tuple[tuple[HostView, ...], frozenset[HostId] | None, datetime]:
            is_due = self._checked_at is None or tx.now - self._checked_at >= _WHOLE_CHECK
            if not (is_whole or is_due):
                hosts = tx.hosts.find(id=tuple(heard)) if heard else ()
                return views_of(tx, hosts), None, tx.now
            hosts = tx.hosts.find()
            changed = tuple(host for host in hosts if self._seen.get(host.id) != _mark(host, tx.now))
            return views_of(tx, changed), frozenset(host.id for host in hosts), tx.now

        return read

    def _keep(self, views: tuple[HostView, ...]) -> None:
        self._fleet.replace(views)
        self._seen.update((view.host_id, (view.revision, view.why_not)) for view in views)

    def _forget(self, host_id: HostId) -> None:
        self._fleet.remove(host_id)
        self._seen.pop(host_id, None)


def _mark(host: Host, now: datetime) -> tuple[int, str]:
    """What is different once a view is old. Silence changes no row, so the reason is a part of it."""
    return host.revision, why_not(host, now)


def _waiting(tx: Tx) -> tuple[ServerId, ...]:
    return tuple(server.id for server in tx.servers.find(status=ServerStatus.BUILD, host_id=None))


def _request(tx: Tx, server_id: ServerId) -> ServerRequest | None:
    """What the server needs; None: it waits no longer."""
    server = tx.servers.get(server_id)
    return request_of(tx, server) if server and claims.is_waiting(server) else None


def _reject(tx: Tx, server_id: ServerId, rejected: Rejected) -> None:
    server = tx.servers.get(server_id)
    if server is None:
        return
    subject = f"server {server.name}"
    said = summary(subject, rejected, holders_of(tx, rejected))
    _fail_waiting(tx, server_id, Failure("no_valid_host", "Placing", subject, said))


def _fail_waiting(tx: Tx, server_id: ServerId, failure: Failure) -> None:
    server = tx.servers.hold(server_id)
    if server is not None and claims.is_waiting(server):
        fail(tx, server, failure, "server_not_placed")


def _fail_refused(tx: Tx, server_id: ServerId, refusal: Refusal) -> None:
    if server := tx.servers.get(server_id):
        failure = Failure(refusal.code, "Placing", f"server {server.name}", refusal.message)
        _fail_waiting(tx, server_id, failure)
