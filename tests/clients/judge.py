"""Whether the client's answers are as a conversation expects."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.conversation import (
    Condition,
    Conversation,
    Count,
    Exchange,
    Expectation,
    Fails,
    Prints,
    Row,
    filled,
)
from tests.clients.fleets import Fleet
from tests.clients.openstack_client import Answer, OpenStack

PATIENCE_SECONDS = 60
_BETWEEN_SECONDS = 0.2
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4IDDLOmBXhTRXJbvKXlzmlMmrSuOpSpZXgWDzDWPYq anna@laptop\n"


def hold(conversation: Conversation, openstack: OpenStack, fleet: Fleet, directory: Path) -> None:
    """Hold it to its end, with files in that directory, and see that it left nothing behind. Raises Unexpected."""
    key = directory / "key.pub"
    key.write_text(_KEY)
    kept = {"disk": str(write_disk(directory)), "key": str(key), "directory": str(directory)}
    Held(openstack, fleet, kept).hold(conversation)
    assert fleet.leftovers() == {}
    assert fleet.violations() == []


def write_disk(directory: Path) -> Path:
    """A file to be the data of an image."""
    disk = directory / "disk.raw"
    disk.write_bytes(bytes(range(256)) * 256)
    return disk


class Unexpected(AssertionError):
    """An answer that is not as the conversation says."""


@dataclass
class Held:
    """A conversation under way, and what was kept of it."""

    openstack: OpenStack
    fleet: Fleet
    kept: dict[str, str] = field(default_factory=dict)

    def hold(self, conversation: Conversation) -> None:
        """Each exchange in turn. Raises Unexpected."""
        for exchange in conversation.exchanges:
            try:
                self._exchange(exchange)
            except Unexpected as wrong:
                said = " ".join(filled(exchange.words, self.kept))
                raise Unexpected(
                    f"{conversation.name}.txt:{exchange.line}: {exchange.program} {said}\n{wrong}"
                ) from None

    def _exchange(self, exchange: Exchange) -> None:
        awaits = any(
            (isinstance(each, Condition) and each.sign == "becomes")
            or (isinstance(each, Count) and each.in_the_end)
            for each in exchange.expected
        )
        until = time.monotonic() + (PATIENCE_SECONDS if awaits else 0)
        while True:
            try:
                return self._once(exchange)
            except Unexpected:
                if time.monotonic() >= until:
                    raise
            time.sleep(_BETWEEN_SECONDS)

    def _once(self, exchange: Exchange) -> None:
        prints = [each for each in exchange.expected if not isinstance(each, Fails | Prints)]
        answer = self._answer(exchange, as_json=bool(prints))
        fails = [each for each in exchange.expected if isinstance(each, Fails)]
        if bool(answer.status) != bool(fails):
            raise Unexpected(f"ended with {answer.status}: {answer.out}{answer.err}")
        printed = _parsed(answer) if prints else None
        for each in exchange.expected:
            if not self._is_met(each, answer, printed):
                raise Unexpected(f"expected {each}, got:\n{_seen(each, answer, printed)}")

    def _answer(self, exchange: Exchange, *, as_json: bool) -> Answer:
        words = filled(exchange.words, self.kept)
        if exchange.program == "openstack":
            return self.openstack.run(exchange.cloud, [*words, *(["-f", "json"] if as_json else [])])
        done = self.fleet.fairlead([*(["--json"] if as_json else []), *words], exchange.cloud)
        return Answer(done.returncode, done.stdout, done.stderr)

    def _is_met(self, expected: Expectation, answer: Answer, printed: Any) -> bool:
        match expected:
            case Fails(words):
                return self._filled(words) in answer.err
            case Prints(words):
                return self._filled(words) in answer.out
            case Count(rows=rows):
                return isinstance(printed, list) and len(printed) == rows
            case Row(conditions):
                return any(all(self._holds(each, row) for each in conditions) for row in printed)
            case Condition():
                return isinstance(printed, dict) and self._holds(expected, printed)

    def _holds(self, condition: Condition, record: Mapping[str, Any]) -> bool:
        if condition.field not in record:
            return False
        value = record[condition.field]
        if condition.sign == "->":
            self.kept[condition.value] = value if isinstance(value, str) else json.dumps(value)
            return True
        return _SIGNS[condition.sign](value, self._filled(condition.value))

    def _filled(self, text: str) -> str:
        return filled([text], self.kept)[0]


def _parsed(answer: Answer) -> Any:
    try:
        return json.loads(answer.out)
    except ValueError:
        raise Unexpected(f"printed no JSON:\n{answer.out}{answer.err}") from None


def _seen(expected: Expectation, answer: Answer, printed: Any) -> str:
    """What is to be looked at: of a record, the one field."""
    if isinstance(expected, Condition) and isinstance(printed, dict):
        return json.dumps(printed.get(expected.field, sorted(printed)))
    return answer.out + answer.err


def _is(value: Any, text: str) -> bool:
    return any(value == reading for reading in _readings(text))


def _readings(text: str) -> Iterator[Any]:
    yield text
    try:
        yield json.loads(text)
    except ValueError:
        return


def _has(value: Any, pattern: str) -> bool:
    return re.search(pattern, value if isinstance(value, str) else json.dumps(value)) is not None


_SIGNS: Mapping[str, Callable[[Any, str], bool]] = {"=": _is, "becomes": _is, "~": _has}
