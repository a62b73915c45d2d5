"""Handlers of hosts."""

import secrets
from datetime import datetime

from starlette.responses import Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.native.forms import read
from fairlead.api.native.records import Json, plain
from fairlead.control import dead_hosts, guest_removals
from fairlead.control import hosts as control
from fairlead.control.boundary import Tx
from fairlead.control.hosts import HostChanges, Liveness, NewHost, liveness
from fairlead.model.errors import InvalidValue, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ServerId

SECRET_BYTES = 32
_SECRET_FIELDS = ("token", "credential")


def list_hosts(call: Call) -> Response:
    """GET /hosts."""
    return document({"hosts": call.run(lambda tx: [shown(host, tx.now) for host in tx.hosts.find()])})


def show(call: Call, key: str) -> Response:
    """GET /hosts/{host}."""
    return document({"host": call.run(lambda tx: shown(find(tx, key), tx.now))})


def create(call: Call) -> Response:
    """POST /hosts: the host, and the token with which its agent enrols, shown this once."""
    new, secret = read(NewHost, call.body), secrets.token_urlsafe(SECRET_BYTES)

    def work(tx: Tx) -> Json:
        host, token = control.create(tx, new, secret)
        return {"host": shown(host, tx.now), "token": token}

    return document(call.run(work), 201)


def renew_token(call: Call, key: str) -> Response:
    """POST /hosts/{host}/token: another one-time token, for a host that is known."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    token = call.run(lambda tx: control.renew_token(tx, find(tx, key).id, secret))
    return document({"token": token}, 201)


def update(call: Call, key: str) -> Response:
    """PATCH /hosts/{host}."""
    changes = read(HostChanges, call.body)

    def work(tx: Tx) -> Json:
        return {"host": shown(control.update(tx, find(tx, key).id, changes), tx.now)}

    return document(call.run(work))


def delete(call: Call, key: str) -> Response:
    """DELETE /hosts/{host}?force=true: without force, one that has no servers."""
    forget = dead_hosts.forget if _is_forced(call) else control.delete
    call.run(lambda tx: forget(tx, find(tx, key).id))
    return empty()


def remove_guest(call: Call, key: str, server_id: str) -> Response:
    """DELETE /hosts/{host}/guests/{server_id}: a guest that is no server's goes, with its disk."""
    call.run(lambda tx: guest_removals.remove_guest(tx, find(tx, key).id, ServerId(server_id)))
    return empty()


def _is_forced(call: Call) -> bool:
    given = (call.first("force") or "false").lower()
    if given not in {"true", "false"}:
        raise InvalidValue("force", given, "true or false")
    return given == "true"


def find(tx: Tx, key: str) -> Host:
    """The host of that id or name; raises NotFound."""
    found = tx.hosts.get(HostId(key)) or next(iter(tx.hosts.find(name=key)), None)
    if found is None:
        raise NotFound("host", key)
    return found


def shown(host: Host, now: datetime) -> Json:
    """The host without its secrets' digests, with its agent's liveness, and why it takes no servers now ("")."""
    alive = liveness(host, now)
    return {
        **plain(host, without=_SECRET_FIELDS),
        "liveness": alive.value,
        "is_alive": alive is Liveness.ALIVE,
        "is_enrolled": host.credential is not None,
        "why_not": control.why_not(host, now),
    }
