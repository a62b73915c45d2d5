"""Handlers of vNICs: which are on a host, or over the fleet. Hosts are asked, all at once, for what only they know."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from msgspec import Meta, Struct

from fairlead.api.asking import ask_host
from fairlead.api.call import Call
from fairlead.api.native.hosts import find as find_host
from fairlead.api.native.queries import Query
from fairlead.api.native.records import says
from fairlead.api.native.signature import Refused
from fairlead.api.native.vnic_view import VnicView, vnic_view
from fairlead.control import vnics as control
from fairlead.control.boundary import Tx
from fairlead.control.hosts import liveness
from fairlead.control.vnics import Vnic
from fairlead.hoststate.vnic import VnicsAnswer, VnicSight
from fairlead.model.errors import Conflict, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId, NetworkId, PortId, ServerId
from fairlead.model.question import QuestionKind
from fairlead.wire import codec

PATH = "/v1/vnics"
_USUAL, _MOST = 100, 1000
_LARGEST = 10**9 - 1


class VnicQuery(Query, frozen=True, kw_only=True):
    """Which vNICs: all that is given must be so."""

    host: Annotated[str | None, says("Those on this host, by its id or name.")] = None
    server: Annotated[ServerId | None, says("Those of this server, by its id.")] = None
    network: Annotated[NetworkId | None, says("Those on this network, by its id.")] = None
    live: Annotated[
        bool, says("Ask their hosts, all at once, how they are now, and what they have counted.")
    ] = False
    limit: Annotated[
        int, Meta(ge=1, le=_LARGEST), says(f"At most so many; {_MOST} is the most there can be.")
    ] = _USUAL
    marker: Annotated[PortId | None, says("Those behind that of this port; `next` gives it.")] = None


class VnicList(Struct, frozen=True):
    """A page of vNICs."""

    vnics: list[VnicView]
    silent: Annotated[
        list[str], says("Names of hosts that were asked and did not tell, or are not there to be asked.")
    ]
    next: Annotated[str | None, says("Where the next page is; null: there is none.")]


class VnicShown(Struct, frozen=True):
    """A vNIC."""

    vnic: VnicView


async def list_vnics(call: Call, query: VnicQuery) -> Annotated[VnicList, Refused("not_found")]:
    """Which vNICs there are, on which host, PF and VF, of which server and port. As wanted, and as last seen; by
    port id. With `live`, as their hosts tell now, with counters: one answer of each host, within 20 seconds.
    """
    limit = min(query.limit, _MOST)

    def work(tx: Tx) -> tuple[tuple[Vnic, ...], dict[HostId, Host]]:
        found = control.find(
            tx,
            host_id=find_host(tx, query.host).id if query.host is not None else None,
            server_id=query.server,
            network_id=query.network,
            after=query.marker,
            limit=limit + 1,
        )
        return found, _heard(tx, found)

    found, heard = await call.in_worker(work)
    page = found[:limit]
    sights, silent = await _sights(call, page, heard) if query.live else ({}, [])
    marker = page[-1].nic.port.id if len(found) > limit else None
    link = marker and call.url(f"{PATH}?{urlencode({**dict(call.query), 'marker': marker})}")
    return VnicList([vnic_view(vnic, sights.get(vnic.nic.port.id)) for vnic in page], silent, link)


async def show(call: Call, port_id: str) -> Annotated[VnicShown, Refused("wrong_state")]:
    """The vNIC of a port, as its host tells now; where that does not, as last seen."""

    def work(tx: Tx) -> tuple[Vnic, dict[HostId, Host]]:
        found = control.show(tx, PortId(port_id))
        if found is None:
            raise Conflict(
                "wrong_state", f"Port {port_id} is on no host: no server has it, or none has a host yet."
            )
        return found, _heard(tx, (found,))

    vnic, heard = await call.in_worker(work)
    sights, _ = await _sights(call, (vnic,), heard)
    return VnicShown(vnic_view(vnic, sights.get(vnic.nic.port.id)))


def _heard(tx: Tx, found: Sequence[Vnic]) -> dict[HostId, Host]:
    """Their hosts that are there to be asked."""
    hosts = {vnic.host.id: vnic.host for vnic in found}
    return {host_id: host for host_id, host in hosts.items() if liveness(host, tx.now).is_heard}


async def _sights(
    call: Call, page: Sequence[Vnic], heard: dict[HostId, Host]
) -> tuple[dict[PortId, VnicSight], list[str]]:
    """What the hosts tell of their vNICs, by port; and the names of those that tell nothing."""
    names = {vnic.host.id: vnic.host.name for vnic in page}
    asked = [host_id for host_id in names if host_id in heard]
    told = await asyncio.gather(*(_told(call, host_id) for host_id in asked))
    answers = {host_id: answer for host_id, answer in zip(asked, told, strict=True) if answer is not None}
    sights = {sight.port_id: sight for answer in answers.values() for sight in answer.found}
    return sights, sorted(name for host_id, name in names.items() if host_id not in answers)


async def _told(call: Call, host_id: HostId) -> VnicsAnswer | None:
    """None where the host does not answer, says no, or is gone meanwhile."""
    try:
        said = await ask_host(call, host_id, QuestionKind.VNICS)
    except (Conflict, NotFound):
        return None
    answer = codec.decode(VnicsAnswer, said.encode())
    return answer if answer.failure is None else None
