"""Handlers of hosts."""

import secrets
from typing import Annotated

from msgspec import Struct

from fairlead.api.call import Call
from fairlead.api.native.host_view import HostView, host_view
from fairlead.api.native.queries import Query
from fairlead.api.native.records import says
from fairlead.api.native.signature import Refused
from fairlead.control import dead_hosts, guest_removals
from fairlead.control import hosts as control
from fairlead.control.boundary import Tx
from fairlead.control.hosts import HostChanges, NewHost
from fairlead.model.errors import NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ServerId

SECRET_BYTES = 32


class HostList(Struct, frozen=True):
    """Hosts."""

    hosts: list[HostView]


class HostShown(Struct, frozen=True):
    """A host."""

    host: HostView


class TokenShown(Struct, frozen=True):
    """A one-time token."""

    token: Annotated[str, says("With it the host's agent enrols, once, within a day. It is shown this once.")]


class HostMade(Struct, frozen=True):
    """A new host, and the token for its agent."""

    host: HostView
    token: Annotated[str, says("With it the host's agent enrols, once, within a day. It is shown this once.")]


class Forgetting(Query, frozen=True):
    """How a host is to be forgotten."""

    force: Annotated[
        bool,
        says(
            "The machine is dead for good: its devices and all that was held there go, its servers are in ERROR without"
            " a host."
        ),
    ] = False


def list_hosts(call: Call) -> HostList:
    """All hosts, each with how its agent is."""
    return HostList(call.run(lambda tx: [host_view(host, tx.now) for host in tx.hosts.find()]))


def show(call: Call, key: str) -> HostShown:
    """A host with how its agent is."""
    return HostShown(call.run(lambda tx: host_view(find(tx, key), tx.now)))


def create(call: Call, new: NewHost) -> Annotated[HostMade, Refused("name_in_use")]:
    """Make a host known. The answer has the token with which its agent enrols, shown this once."""
    secret = secrets.token_hex(SECRET_BYTES)

    def work(tx: Tx) -> HostMade:
        host, token = control.create(tx, new, secret)
        return HostMade(host_view(host, tx.now), token)

    return call.run(work)


def renew_token(call: Call, key: str) -> TokenShown:
    """Make another one-time token for a host. Its old credential works until the token is used."""
    secret = secrets.token_hex(SECRET_BYTES)
    return TokenShown(call.run(lambda tx: control.renew_token(tx, find(tx, key).id, secret)))


def update(call: Call, key: str, changes: HostChanges) -> Annotated[HostShown, Refused("name_in_use")]:
    """Change a host. What is not given stays as it is; labels that are given are all of them."""
    return HostShown(call.run(lambda tx: host_view(control.update(tx, find(tx, key).id, changes), tx.now)))


def delete(call: Call, key: str, how: Forgetting) -> Annotated[None, Refused("in_use", "wrong_state")]:
    """Forget a host. Without `force`, one that has no servers."""
    forget = dead_hosts.forget if how.force else control.delete
    call.run(lambda tx: forget(tx, find(tx, key).id))


def remove_guest(call: Call, key: str, server_id: str) -> Annotated[None, Refused("in_use")]:
    """Remove a guest that is no server's from a host, with its disk. Its agent does it as soon as it can."""
    call.run(lambda tx: guest_removals.remove_guest(tx, find(tx, key).id, ServerId(server_id)))


def find(tx: Tx, key: str) -> Host:
    """The host of that id or name; raises NotFound."""
    found = tx.hosts.get(HostId(key)) or next(iter(tx.hosts.find(name=key)), None)
    if found is None:
        raise NotFound("host", key)
    return found
