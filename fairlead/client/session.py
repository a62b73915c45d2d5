"""One connection to a control process, for the CLI and scripts: JSON in, JSON out, errors in words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

import httpx
import msgspec

from fairlead.client.transport import UNIX, opened

Json = dict[str, object]

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_UPLOAD_SECONDS = 300.0
"""Control hashes and flushes what was uploaded before it answers."""
_COMPUTE_VERSION = "2.96"
_TOKEN, _TOKENS = "x-auth-token", "/identity/v3/auth/tokens"
_UNAUTHORIZED = 401
_URL_HINT = "--url or FAIRLEAD_URL is such as http://127.0.0.1:9696, with http:// or https://."


class ClientError(Exception):
    """The request did not succeed. `status` is HTTP's, 0 when there was no answer at all."""

    def __init__(self, message: str, *, status: int = 0, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Login:
    """Who to be, where control asks for a login: a user with a password in a project ("": the user's default one)."""

    user: str
    password: str
    project: str = ""


class Session:
    """Requests to one control process at `url`, such as http://127.0.0.1:9696, or unix:/path. An answer may take
    `answer_seconds`, and a long poll its `wait` more. `token` goes with each request; without one, `login` gives who to
    be once control asks. Raises ClientError for what is no such URL.
    """

    def __init__(
        self,
        url: str,
        *,
        answer_seconds: float = _ANSWER_SECONDS,
        token: str | None = None,
        login: Callable[[], Login | None] = lambda: None,
    ) -> None:
        self.url = _checked(url)
        self._answer_seconds = answer_seconds
        self._login = login
        self._http = opened(
            self.url,
            timeout=self._patience(answer_seconds),
            headers={"openstack-api-version": f"compute {_COMPUTE_VERSION}"},
        )
        if token:
            self._http.headers[_TOKEN] = token

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """The document at `path`; with `wait` in `params`, control may take that many seconds more."""
        more = float((params or {}).get("wait", 0))
        return self._send("GET", path, params=params, seconds=self._answer_seconds + more)

    def post(self, path: str, body: Json) -> Json:
        """What POST answers; empty when it answers nothing."""
        return self._send("POST", path, body=body)

    def put(self, path: str, body: Json) -> Json:
        """What PUT answers; empty when it answers nothing."""
        return self._send("PUT", path, body=body)

    def patch(self, path: str, body: Json) -> Json:
        """What PATCH answers."""
        return self._send("PATCH", path, body=body)

    def delete(self, path: str) -> None:
        """Delete what is at `path`."""
        self._send("DELETE", path)

    def upload(self, path: str, data: BinaryIO) -> None:
        """PUT the file's bytes, streamed; who we are is settled before, since they can be sent only once."""
        if _TOKEN not in self._http.headers:
            self._exchange("GET", "/network/v2.0/extensions", kind="application/json")
        self._exchange(
            "PUT", path, content=_chunks(data), kind="application/octet-stream", seconds=_UPLOAD_SECONDS
        )

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Json | None = None,
        seconds: float | None = None,
    ) -> Json:
        content = None if body is None else msgspec.json.encode(body)
        answer = self._exchange(
            method, path, params=params, content=content, kind="application/json", seconds=seconds
        )
        try:
            return msgspec.json.decode(answer.content, type=Json) if answer.content else {}
        except msgspec.MsgspecError as error:
            raise ClientError(
                f"What answers at {self.url} does not speak as Fairlead does.",
                status=answer.status_code,
                hint="Does --url or FAIRLEAD_URL name another service?",
            ) from error

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        kind: str,
        seconds: float | None = None,
    ) -> httpx.Response:
        patience = self._patience(seconds or self._answer_seconds)
        answer = self._answered(method, path, params, content, kind, patience)
        is_repeatable = content is None or isinstance(content, bytes)
        if answer.status_code == _UNAUTHORIZED and _TOKEN not in self._http.headers and is_repeatable:
            self._log_in()
            answer = self._answered(method, path, params, content, kind, patience)
        if answer.is_error:
            raise _refused(answer)
        return answer

    def _log_in(self) -> None:
        """Show who we are, and have the token go with each request. Raises ClientError where nobody says who."""
        login = self._login()
        if login is None:
            raise ClientError(
                f"Control at {self.url} asks who you are.",
                status=_UNAUTHORIZED,
                code="unauthorized",
                hint="Set FAIRLEAD_USER, FAIRLEAD_PASSWORD and FAIRLEAD_PROJECT, or FAIRLEAD_USER_TOKEN.",
            )
        domain = {"id": "default"}
        user = {"name": login.user, "password": login.password, "domain": domain}
        auth: Json = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if login.project:
            auth["scope"] = {"project": {"name": login.project, "domain": domain}}
        content = msgspec.json.encode({"auth": auth})
        patience = self._patience(self._answer_seconds)
        answer = self._answered("POST", _TOKENS, None, content, "application/json", patience)
        if answer.is_error:
            raise ClientError(
                f"Control at {self.url} does not let {login.user} in: {_refused(answer).message}",
                status=answer.status_code,
                code="unauthorized",
                hint="Are FAIRLEAD_USER, FAIRLEAD_PASSWORD and FAIRLEAD_PROJECT right?",
            )
        self._http.headers[_TOKEN] = answer.headers.get("x-subject-token", "")

    def _answered(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        content: bytes | Iterator[bytes] | None,
        kind: str,
        patience: httpx.Timeout,
    ) -> httpx.Response:
        headers = {"content-type": kind} if content is not None else {}
        try:
            return self._http.request(
                method, path, params=params, content=content, headers=headers, timeout=patience
            )
        except httpx.ReadTimeout as error:
            raise ClientError(
                f"{self.url} took the request {method} {path}, and did not answer it in {patience.read:g} s.",
                hint="It may be carried out all the same: look before you ask again.",
            ) from error
        except httpx.TransportError as error:
            raise ClientError(
                f"No answer from {self.url}: {error}.",
                hint="Is control running there? `fairlead up` starts one; --url or FAIRLEAD_URL says where.",
            ) from error

    def _patience(self, seconds: float) -> httpx.Timeout:
        return httpx.Timeout(seconds, connect=min(_CONNECT_SECONDS, self._answer_seconds))


def _checked(url: str) -> str:
    if url.startswith(UNIX):
        return url
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ClientError(f"'{url}' is not a URL: {error}.", hint=_URL_HINT) from error
    if found.scheme not in {"http", "https"} or not found.host:
        raise ClientError(f"'{url}' is not a URL of control.", hint=_URL_HINT)
    return url.rstrip("/")


def _chunks(data: BinaryIO) -> Iterator[bytes]:
    while chunk := data.read(1 << 20):
        yield chunk


def _refused(answer: httpx.Response) -> ClientError:
    """The error of any of the dialects: an object around a message, or the message's own object (Glance)."""
    found = _said(answer.content)
    return ClientError(
        str(found.get("message") or answer.text or f"HTTP {answer.status_code}"),
        status=answer.status_code,
        code=str(found.get("type") or found.get("title") or found.get("code") or ""),
        hint=str(found.get("hint") or ""),
    )


def _said(content: bytes) -> Json:
    """The object that has the message; empty where there is none."""
    try:
        body = msgspec.json.decode(content, type=Json)
    except msgspec.MsgspecError:
        return {}
    if isinstance(body.get("message"), str):
        return body
    inner = next(iter(body.values()), None)
    return inner if isinstance(inner, dict) else {}
