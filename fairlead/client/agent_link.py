"""An agent's way to control over HTTP, with the host's own credential (agent.boundary.Control)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
import msgspec

from fairlead.agent.boundary import ControlAway
from fairlead.client.transport import opened
from fairlead.hoststate.report import Report
from fairlead.model.errors import InvalidValue
from fairlead.model.ids import HostId, ImageId
from fairlead.wire import codec
from fairlead.wire.documents import Answer, Assignment, Enrolled, Enrolment, Heartbeat, Receipt

Document = TypeVar("Document")

_ANSWER_SECONDS = 30.0
_CHUNK = 1 << 20
_SHOWN = 300
_DOCUMENT = {"content-type": "application/json"}


class AgentLink:
    """Bound to one host. Used by several threads: httpx's client allows that."""

    def __init__(self, url: str, host_id: HostId, credential: str) -> None:
        self._url = url.rstrip("/")
        self._host = f"/v1/agents/{host_id}"
        self._http = opened(
            self._url,
            timeout=_ANSWER_SECONDS,
            headers={"authorization": f"Bearer {credential}", **_DOCUMENT},
        )

    def assignment(self, generation: int, wait_seconds: float) -> Assignment:
        """Long poll: what is new since `generation`."""
        params = {"generation": str(generation), "wait": str(wait_seconds)}
        body = self._exchange("GET", "/assignment", params=params, timeout=wait_seconds + _ANSWER_SECONDS)
        return self._decoded(Assignment, body)

    def report(self, report: Report) -> Receipt:
        """Tell what was seen."""
        return self._decoded(Receipt, self._exchange("PUT", "/report", content=codec.encode(report)))

    def heartbeat(self, heartbeat: Heartbeat) -> Receipt:
        """Tell that all is as the named report says."""
        return self._decoded(Receipt, self._exchange("PUT", "/heartbeat", content=codec.encode(heartbeat)))

    def answer(self, question_id: str, text: str) -> None:
        """Answer a question."""
        self._exchange("PUT", f"/answers/{question_id}", content=codec.encode(Answer(text)))

    @contextmanager
    def image(self, image_id: ImageId) -> Iterator[Iterator[bytes]]:
        """The image's bytes, streamed."""
        try:
            with self._http.stream("GET", f"{self._host}/images/{image_id}") as answer:
                if answer.is_error:
                    answer.read()
                    raise self._away(answer)
                yield answer.iter_bytes(_CHUNK)
        except httpx.TransportError as error:
            raise self._unreached(error) from error

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        content: bytes | None = None,
        timeout: float = _ANSWER_SECONDS,
    ) -> bytes:
        try:
            answer = self._http.request(
                method, self._host + path, params=params, content=content, timeout=timeout
            )
        except httpx.TransportError as error:
            raise self._unreached(error) from error
        if answer.is_error:
            raise self._away(answer)
        return answer.content

    def _decoded(self, kind: type[Document], body: bytes) -> Document:
        try:
            return codec.decode(kind, body)
        except InvalidValue as error:
            raise ControlAway(
                f"Control at {self._url} answered what this agent cannot read: {error}"
            ) from error

    def _unreached(self, error: httpx.TransportError) -> ControlAway:
        return ControlAway(f"Control at {self._url} cannot be reached: {error}.")

    def _away(self, answer: httpx.Response) -> ControlAway:
        hint = " Enrol this host again: `fairlead host enrol`." if answer.status_code in {401, 404} else ""
        return ControlAway(
            f"Control at {self._url} answered {answer.status_code}: {_in_words(answer).removesuffix('.')}.{hint}"
        )


class _Error(msgspec.Struct):
    message: str
    hint: str | None = None


class _Body(msgspec.Struct):
    error: _Error


def _in_words(answer: httpx.Response) -> str:
    """What control said and what helps, or what somebody between the two said."""
    try:
        said = msgspec.json.decode(answer.content, type=_Body).error
    except msgspec.MsgspecError:
        return answer.text[:_SHOWN]
    return f"{said.message} {said.hint}" if said.hint else said.message


def enrol(url: str, enrolment: Enrolment) -> Enrolled:
    """Trade a one-time token for the host's credential; raises ControlAway with control's words."""
    try:
        with opened(url.rstrip("/"), timeout=_ANSWER_SECONDS, headers=_DOCUMENT) as http:
            answer = http.post("/v1/agents/enrol", content=codec.encode(enrolment))
    except httpx.TransportError as error:
        raise ControlAway(f"Control at {url} cannot be reached: {error}.") from error
    if answer.is_error:
        raise ControlAway(f"Control at {url} refused the enrolment: {_in_words(answer)}")
    return codec.decode(Enrolled, answer.content)
