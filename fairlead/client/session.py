"""One connection to a control process, for the CLI and scripts: JSON in, JSON out, errors in words."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import BinaryIO, Self

import httpx
import msgspec

Json = dict[str, object]

_LONGEST_WAIT_SECONDS = 90.0
_COMPUTE_VERSION = "2.96"


class ClientError(Exception):
    """The request did not succeed. `status` is HTTP's, 0 when there was no answer at all."""

    def __init__(self, message: str, *, status: int = 0, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.hint = hint


class Session:
    """Requests to one control process at `url`, such as http://127.0.0.1:9696."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=_LONGEST_WAIT_SECONDS,
            trust_env=False,
            headers={"openstack-api-version": f"compute {_COMPUTE_VERSION}"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """The document at `path`."""
        return self._send("GET", path, params=params)

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
        """PUT the file's bytes, streamed."""
        self._exchange("PUT", path, content=_chunks(data), kind="application/octet-stream")

    def _send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Json | None = None
    ) -> Json:
        content = None if body is None else msgspec.json.encode(body)
        answer = self._exchange(method, path, params=params, content=content, kind="application/json")
        return msgspec.json.decode(answer.content, type=Json) if answer.content else {}

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        kind: str,
    ) -> httpx.Response:
        headers = {"content-type": kind} if content is not None else {}
        try:
            answer = self._http.request(method, path, params=params, content=content, headers=headers)
        except httpx.TransportError as error:
            raise ClientError(
                f"No answer from {self.url}: {error}.",
                hint="Is control running there? `fairlead up` starts one; --url or FAIRLEAD_URL says where.",
            ) from error
        if answer.is_error:
            raise _refused(answer)
        return answer


def _chunks(data: BinaryIO) -> Iterator[bytes]:
    while chunk := data.read(1 << 20):
        yield chunk


def _refused(answer: httpx.Response) -> ClientError:
    """The error of any of the dialects: each is one object around a message."""
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        body = None
    inner = next(iter(body.values()), None) if isinstance(body, dict) else None
    found = inner if isinstance(inner, dict) else {}
    return ClientError(
        str(found.get("message") or answer.text or f"HTTP {answer.status_code}"),
        status=answer.status_code,
        code=str(found.get("type") or found.get("code") or ""),
        hint=str(found.get("hint") or ""),
    )
