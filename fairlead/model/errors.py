"""Faults and refusals, as values with a stable code.

    Refusal                     an expected "no": the asker can act on it
      InvalidValue              400  a field breaks a rule
        MissingValue                 one that is needed was not given
      NotFound                  404  what was named is not there
      NoValidHost               400  no host can have a server as it was asked for
      Conflict                  409  true now, may be false later: in use, taken, stale
      NotAllowed                403  the caller may not
      QuotaExceeded             403  a limit is reached
      TooLarge                  413  a body or file is over its limit
    Fault                       something that should work did not: kernel, libvirt, database

The codes of refusals are part of the API: see error_codes.
"""

from dataclasses import dataclass

from fairlead.model.error_codes import Code

_SHOWN = 120


class Refusal(Exception):
    """An expected "no". `code` is stable, `message` names the field or the thing and the rule."""

    code: Code = "refused"

    def __init__(self, message: str, *, field: str | None = None, code: Code | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code is not None:
            self.code = code


class InvalidValue(Refusal):
    """A field breaks a rule: says which field, what was given, what would do."""

    code: Code = "invalid_value"

    def __init__(self, field: str, given: object, expected: str) -> None:
        super().__init__(
            f"Invalid input for {field}. Reason: {_shortened(repr(given))} is not {expected}.",
            field=field,
        )


class MissingValue(InvalidValue):
    """A field that is needed was not given: says which, and why it is needed."""

    def __init__(self, field: str, why: str) -> None:
        Refusal.__init__(self, f"Invalid input for {field}. Reason: it is missing: {why}.", field=field)


class NotFound(Refusal):
    """What was named is not there. `kind` is a glossary noun such as `port`."""

    code: Code = "not_found"

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"{kind[:1].upper()}{kind[1:]} {key} could not be found.", field=kind)
        self.kind = kind
        self.key = key


class NotAttached(NotFound):
    """The port that was named is none of that server: there or not, that is not told."""

    def __init__(self, port: str, server: str) -> None:
        Refusal.__init__(self, f"Port {port} is not attached to server {server}.", field="port")
        self.kind, self.key = "port", port


class Conflict(Refusal):
    """True now, may be false later: in use, taken, stale, not in that state. `code` says which."""

    def __init__(self, code: Code, message: str, *, field: str | None = None) -> None:
        super().__init__(message, code=code, field=field)


class NotAllowed(Refusal):
    """The caller may not do that."""

    code: Code = "not_allowed"


class NoValidHost(Refusal):
    """No host can have a server as it was asked for now."""

    code: Code = "no_valid_host"


class QuotaExceeded(Refusal):
    """A limit of the project is reached."""

    code: Code = "quota_exceeded"


class TooLarge(Refusal):
    """A body or file is over its limit."""

    code: Code = "too_large"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one thing, as it travels from a host to a port or server.

    doing: what was being done. subject: to what. answer: what the kernel, libvirt or file system said.
    hint: what would help, or "" when nobody can say.
    """

    code: str
    doing: str
    subject: str
    answer: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f" {self.hint}" if self.hint else ""
        return f"{self.doing} {self.subject} failed: {self.answer.removesuffix('.')}.{tail}"


class Fault(Exception):
    """Something that should work did not. Carries the Failure that is told to people."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
