"""The ASGI application: finds the face and the route, runs the handler, turns refusals into words."""

import asyncio
import re
from dataclasses import replace
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fairlead.access.caller import Caller
from fairlead.api.attempt import Attempt
from fairlead.api.browsers import check_media_type, refuse_other_names, refuse_other_origins
from fairlead.api.call import Call, Parts, nobody_yet, parse_query, read_body
from fairlead.api.compute import routes as compute
from fairlead.api.face import Face
from fairlead.api.guarding import guard_of
from fairlead.api.identity import routes as identity
from fairlead.api.image import routes as image
from fairlead.api.native import routes as native_api
from fairlead.api.network import routes as network
from fairlead.api.problems import (
    Problem,
    fault,
    native,
    no_such_path,
    problem_of,
    unauthorized,
    wrong_method,
)
from fairlead.api.refusals import to_record
from fairlead.api.routes import Live, Route, Table
from fairlead.control.audit_trail import note
from fairlead.model.audit_trail import Doer
from fairlead.model.errors import InvalidValue, Refusal

_log = structlog.get_logger()


def build(parts: Parts) -> "Application":
    """The whole API over the parts that main made."""
    return Application(parts, faces(keeps_users=parts.issuer is not None))


def faces(*, keeps_users: bool = True) -> tuple[Face, ...]:
    """Every dialect of the API. `keeps_users`: Fairlead has the users, and no Keystone."""
    users = identity.face() if keeps_users else identity.face_elsewhere()
    return (network.face(), compute.face(), image.face(), users, native_api.face())


class Application:
    """An ASGI 3 application over some faces. Every answer carries x-openstack-request-id."""

    def __init__(self, parts: Parts, faces: tuple[Face, ...]) -> None:
        self._parts = parts
        self._faces = {face.prefix: face for face in faces}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the start and end of the server."""
        if scope["type"] == "http":
            await self._http(Request(scope, receive), send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, request: Request, send: Send) -> None:
        request_id = f"req-{uuid4()}"
        address = request.client.host if request.client else ""
        doer = Doer(remote_address=address[:_LONGEST_ADDRESS], request_id=request_id)
        attempt = Attempt(doer, request.method)
        path: str = request.scope["path"]
        prefix = f"/{path.split('/', 2)[1]}" if path.startswith("/") else ""
        face = self._faces.get(prefix, _NOWHERE)
        try:
            response = await self._answer(request, attempt, face, path.removeprefix(face.prefix))
        except ClientDisconnect:
            return
        response.headers["x-openstack-request-id"] = request_id
        face.stamp(request, response)
        await response(request.scope, request.receive, send)

    async def _answer(self, request: Request, attempt: Attempt, face: Face, path: str) -> Response:
        try:
            return await self._handled(request, attempt, face, path)
        except Refusal as refusal:
            problem = problem_of(refusal)
            response = (unauthorized if problem.code == "unauthorized" else face.render)(problem)
            # A dialect may have a status of its own for it, such as Neutron's for a quota.
            await self._record(attempt, replace(problem, status=response.status_code), refusal)
            return response
        except (ClientDisconnect, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001
            # The last layer: whatever gets here is a fault of ours, and its story belongs in the log.
            request_id = attempt.doer.request_id
            _log.exception("request_failed", request_id=request_id, method=request.method, path=path)
            problem = fault(request_id)
            await self._record(attempt, problem, None)
            return face.render(problem)

    async def _record(self, attempt: Attempt, problem: Problem, refusal: Refusal | None) -> None:
        """The trail has what was refused; where it cannot be written, that is no reason to answer something else."""
        told = to_record(attempt, problem, refusal)
        if told is None or not self._parts.refusals.admit(told):
            return
        try:
            await self._parts.runner.run(lambda: self._parts.engine.run(lambda tx: note(tx, (told,))))
        except Exception:  # noqa: BLE001 - the last layer, as above
            _log.exception("audit_record_lost", request_id=told.deed.doer.request_id, code=told.code)

    async def _handled(self, request: Request, attempt: Attempt, face: Face, path: str) -> Response:
        match = None if _CONTROL.search(path) else face.table.match(request.method, path)
        if match is not None and match.route is not None:
            attempt.route, attempt.arguments, attempt.action = (
                match.route,
                match.arguments,
                match.route.action,
            )
        refuse_other_origins(request)
        if _CONTROL.search(path):
            raise InvalidValue("path", path, "text without control characters")
        if match is None:
            return face.render(no_such_path(path))
        if match.route is None:
            return face.render(wrong_method(request.method, match.allowed))
        query = parse_query(request.scope["query_string"])
        caller = attempt.caller = await self._caller(request, attempt.doer.request_id, match.route)
        guard = guard_of(match.route, caller, match.arguments)
        response = await self._served(
            match.route, match.arguments, Call(self._parts, caller, request, query, guard, attempt)
        )
        if not guard.was_asked:
            await self._parts.runner.run(lambda: self._parts.engine.look(guard))
        return response

    async def _served(self, route: Route | Live, arguments: tuple[str, ...], call: Call) -> Response:
        """What the route's handler answers."""
        if isinstance(route, Live):
            if route.media_types:
                check_media_type(call.request, route.media_types)
            return await route.handler(call, *arguments)
        body = await read_body(call.request, route.body_limit)
        if body:
            check_media_type(call.request, route.media_types)
        call.attempt.body = body
        whole, handler = replace(call, body=body), route.handler
        return await self._parts.runner.run(lambda: handler(whole, *arguments))

    async def _caller(self, request: Request, request_id: str, route: Route | Live) -> Caller:
        """Who asks, under the rules that hold here."""
        if route.is_for_agents:
            return nobody_yet(request_id)
        if self._parts.is_for_loopback:
            refuse_other_names(request)
        if route.is_open:
            return nobody_yet(request_id)
        caller = await self._parts.login.caller(request, request_id)
        return replace(caller, rules=self._parts.rules)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Long polls wait on the loop that serves, so the waiters are told of it before the first request."""
        while True:
            event = (await receive())["type"]
            if event == "lifespan.startup":
                self._parts.waiters.attach(asyncio.get_running_loop())
            if event == "lifespan.shutdown":
                await self._parts.login.close()
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_LONGEST_ADDRESS = 64
"""Of a proxy's client: what stands there is a text."""
_NOWHERE = Face("", Table(), native)
