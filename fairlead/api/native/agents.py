"""Handlers of agents: what people see of them, and what they ask and tell with their host's own credential."""

import re
import secrets

from starlette.responses import FileResponse, Response

from fairlead.api.answers import document, empty
from fairlead.api.call import Call
from fairlead.api.long_poll import first_found, wait_seconds
from fairlead.api.native.hosts import SECRET_BYTES, shown
from fairlead.api.native.records import Json
from fairlead.api.problems import Unserved
from fairlead.control import assignments, hosts, questions, reports
from fairlead.control.boundary import Tx, host_wake
from fairlead.hoststate.report import Report
from fairlead.model.errors import InvalidValue, NotAllowed, NotFound
from fairlead.model.host import Host
from fairlead.model.ids import HostId, ImageId
from fairlead.wire import codec
from fairlead.wire.documents import Answer, Assignment, Enrolment, Heartbeat, Receipt

REPORT_LIMIT = 16 << 20
"""Bytes of a report or an answer: a host with thousands of VFs, a long console log."""
_BEARER = re.compile(r"Bearer +([!-~]{1,512}) *", re.IGNORECASE)
_GENERATION = re.compile(r"[0-9]{1,30}")


def list_agents(call: Call) -> Response:
    """GET /agents: each host's agent, for people."""
    return document({"agents": call.run(lambda tx: [_agent(tx, host) for host in tx.hosts.find()])})


def enrol(call: Call) -> Response:
    """POST /agents/enrol: trades a one-time token for the host's credential, shown this once."""
    enrolment, secret = codec.decode(Enrolment, call.body), secrets.token_urlsafe(SECRET_BYTES)
    try:
        enrolled = call.run(lambda tx: hosts.enrol(tx, enrolment, secret))
    except NotAllowed as refused:
        raise _unauthorized(refused) from refused
    return Response(codec.encode(enrolled), media_type="application/json")


async def assign(call: Call, host: str) -> Response:
    """GET /agents/{host}/assignment?generation=G&wait=SECONDS: what is new, as soon as there is something."""
    host_id, generation, seconds = HostId(host), _generation(call), wait_seconds(call)
    await call.in_worker(lambda tx: _authenticated(tx, call, host_id))

    def look(tx: Tx) -> Assignment | None:
        found = assignments.assignment(tx, host_id, generation)
        return found if found.desired or found.questions else None

    found = await first_found(call, host_wake(host_id), look, seconds)
    return Response(codec.encode(found or Assignment()), media_type="application/json")


def report(call: Call, host: str) -> Response:
    """PUT /agents/{host}/report."""
    call.run(lambda tx: _authenticated(tx, call, HostId(host)))
    told = codec.decode(Report, call.body)
    if told.host_id != host:
        raise InvalidValue("host_id", told.host_id, f"the host that reports: {host}")
    receipt = call.run(lambda tx: reports.apply(tx, HostId(host), told))
    return Response(codec.encode(receipt), media_type="application/json")


def heartbeat(call: Call, host: str) -> Response:
    """PUT /agents/{host}/heartbeat: in one transaction, for there are many."""

    def work(tx: Tx) -> Receipt:
        found = _authenticated(tx, call, HostId(host))
        return reports.note_heartbeat(tx, found.id, codec.decode(Heartbeat, call.body))

    return Response(codec.encode(call.run(work)), media_type="application/json")


def answer(call: Call, host: str, question_id: str) -> Response:
    """PUT /agents/{host}/answers/{question}."""
    call.run(lambda tx: _authenticated(tx, call, HostId(host)))
    told = codec.decode(Answer, call.body)
    call.run(lambda tx: questions.answer(tx, HostId(host), question_id, told.text))
    return empty()


async def send_image(call: Call, host: str, image_id: str) -> Response:
    """GET /agents/{host}/images/{image}: its data, streamed, if a guest of the host needs it."""
    await call.in_worker(lambda tx: _check_needed(tx, _authenticated(tx, call, HostId(host)), image_id))
    return FileResponse(call.parts.image_files.path(ImageId(image_id)), media_type="application/octet-stream")


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


def _generation(call: Call) -> int:
    given = call.first("generation") or "0"
    if not _GENERATION.fullmatch(given):
        raise InvalidValue("generation", given, "the number of the newest generation that the agent has")
    return int(given)


def _agent(tx: Tx, host: Host) -> Json:
    names = (
        "liveness",
        "is_alive",
        "is_enrolled",
        "last_seen_at",
        "reported_at",
        "agent_version",
        "generation",
        "generation_seen",
        "holds",
    )
    found = shown(host, tx.now)
    return {"host_id": host.id, "host_name": host.name, **{name: found[name] for name in names}}
