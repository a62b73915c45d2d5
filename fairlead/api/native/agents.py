"""Handlers of agents: what people see of them, and what they ask and tell with their host's own credential."""

import re
import secrets
from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import FileResponse

from fairlead.api.call import Call
from fairlead.api.long_poll import Wait, first_found, patience
from fairlead.api.native.host_view import AgentView, agent_view
from fairlead.api.native.hosts import SECRET_BYTES
from fairlead.api.native.queries import Query
from fairlead.api.native.records import says
from fairlead.api.native.signature import AtMost, Octets, Told
from fairlead.api.problems import Unserved
from fairlead.control import assignments, hosts, questions, reports
from fairlead.control.boundary import Tx, host_wake
from fairlead.hoststate.report import Report
from fairlead.model.errors import InvalidValue, NotAllowed, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ImageId
from fairlead.wire.documents import Answer, Assignment, Enrolled, Enrolment, Heartbeat, Receipt

_LARGE = AtMost(16 << 20)
"""A report or an answer: a host with thousands of VFs, a long console log."""
IMAGE_TYPE = "application/octet-stream"
_BEARER = re.compile(r"Bearer +([!-~]{1,512}) *", re.IGNORECASE)


class AgentList(Struct, frozen=True):
    """Agents."""

    agents: list[AgentView]


class AssignmentQuery(Query, frozen=True, kw_only=True):
    """What the agent has, and how long it would wait for something newer."""

    generation: Annotated[int, Meta(ge=0), says("That of the newest desired state that the agent has.")] = 0
    wait: Annotated[Wait, says("Seconds to wait for it where there is nothing new, 60 at most.")] = 0.0


def list_agents(call: Call) -> AgentList:
    """The agents of all hosts."""
    return AgentList(call.run(lambda tx: [agent_view(host, tx.now) for host in tx.hosts.find()]))


def enrol(call: Call, told: Told[Enrolment]) -> Enrolled:
    """Trade a one-time token for a host's credential. It is shown this once."""
    enrolment, secret = told.read(), secrets.token_hex(SECRET_BYTES)
    try:
        return call.run(lambda tx: hosts.enrol(tx, enrolment, secret))
    except NotAllowed as refused:
        raise _unauthorized(refused) from refused


async def assign(call: Call, host: str, query: AssignmentQuery) -> Assignment:
    """What is new for a host: its desired state, unless the agent has it, and questions that are open. It answers as
    soon as there is something.
    """
    host_id = HostId(host)
    await call.in_worker(lambda tx: _authenticated(tx, call, host_id))

    def look(tx: Tx) -> Assignment | None:
        found = assignments.assignment(tx, host_id, query.generation)
        return found if found.desired or found.questions else None

    found = await first_found(call, host_wake(host_id), look, patience(query.wait))
    return found or Assignment()


def report(call: Call, host: str, told: Annotated[Told[Report], _LARGE]) -> Receipt:
    """Tell how a host is. It is applied where its serial is the next one."""
    call.run(lambda tx: _authenticated(tx, call, HostId(host)))
    found = told.read()
    if found.host_id != host:
        raise InvalidValue("host_id", found.host_id, f"the host that reports: {host}")
    return call.run(lambda tx: reports.apply(tx, HostId(host), found))


def heartbeat(call: Call, host: str, told: Told[Heartbeat]) -> Receipt:
    """Tell that all is as in the host's newest report."""

    def work(tx: Tx) -> Receipt:
        # In one transaction, for there are many.
        return reports.note_heartbeat(tx, _authenticated(tx, call, HostId(host)).id, told.read())

    return call.run(work)


def answer(call: Call, host: str, question_id: str, told: Annotated[Told[Answer], _LARGE]) -> None:
    """Answer a question."""
    call.run(lambda tx: _authenticated(tx, call, HostId(host)))
    text = told.read().text
    call.run(lambda tx: questions.answer(tx, HostId(host), question_id, text))


async def send_image(call: Call, host: str, image_id: str) -> Annotated[FileResponse, Octets(IMAGE_TYPE)]:
    """The bytes of an image that a guest of the host needs."""
    await call.in_worker(lambda tx: _check_needed(tx, _authenticated(tx, call, HostId(host)), image_id))
    return FileResponse(call.parts.image_files.path(ImageId(image_id)), media_type=IMAGE_TYPE)


def _authenticated(tx: Tx, call: Call, host_id: HostId) -> Host:
    """The host; raises Unserved 401 unless the request has its credential."""
    found = _BEARER.fullmatch(call.header("authorization") or "")
    try:
        return hosts.authenticate(tx, host_id, found[1] if found else "")
    except NotAllowed as refused:
        raise _unauthorized(refused) from refused


def _unauthorized(refused: NotAllowed) -> Unserved:
    return Unserved(401, refused.code, refused.message, {"WWW-Authenticate": "Bearer"})


def _check_needed(tx: Tx, host: Host, image_id: str) -> None:
    """Raises NotFound for an image that no guest of the host needs: its agent has no business with it."""
    servers = tx.servers.find(host_id=host.id)
    needed = {image for server in servers for image in (server.image_id, server.kernel_id, server.ramdisk_id)}
    if image_id not in needed:
        raise NotFound("image", image_id)
