"""Conversations: HTTP as people read it, and what must come of it.

A file is a story: exchanges in their order, with one fleet behind them.

    ## What this shows
    POST /network/v2.0/networks
    as: member
    {"network": {"name": "blue"}}
    -> 201
    {"network": {"id": "<blue>", "mtu": 1500}}

After the request come its headers, among them `as:` (who asks, the operator where nobody is named) and `in:` (the
microversion), and its JSON; a body that is not JSON stands behind `|`. After `->` come the status, headers of the
answer, and what its JSON has: an object may have more, a list may not unless it ends with "...". `"..."` is anything,
`"~regex"` text that matches. `<name>` is what the first answer that had it there said. A line `...` waits until the
fleet is quiet, `+ host` has a host join, whose name is `host1` and so on. What stands between `for WORD: a b c` and
`done` is said for each of these in turn.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|PROPFIND) (\S+)")
_HEADER = re.compile(r"([A-Za-z-]+): (.*)")
_NAME = re.compile(r"<([a-z0-9_]+)>")
_EACH = re.compile(r"for ([A-Z]+): (.+)")
_ANYTHING = "..."


@dataclass(frozen=True)
class Exchange:
    """One request and what is expected of its answer. `title` and `line` say where it stands."""

    title: str
    line: int
    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    status: int
    expected_headers: dict[str, str]
    expected: str | None


class Settle:
    """Wait until the fleet is quiet."""


class Join:
    """A host with two NICs of two ports joins."""


@dataclass
class _Half:
    headers: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        found = None if self.lines else _HEADER.fullmatch(line)
        if found:
            self.headers[found[1].lower()] = found[2]
        else:
            self.lines.append(line)

    @property
    def body(self) -> str | None:
        return "\n".join(line.removeprefix("|") for line in self.lines) if self.lines else None


Step = Exchange | Settle | Join


def read(path: Path) -> list[Step]:
    """What a file says, step by step."""
    found: list[Step] = []
    title, word, values, repeated = "", "", list[str](), list[tuple[int, list[str]]]()
    for number, block in _blocks(path.read_text()):
        lines = list(block)
        while lines and lines[0].startswith("#"):
            title = lines.pop(0).lstrip("# ")
        if begins := _EACH.fullmatch(lines[0] if lines else ""):
            word, values = begins[1], begins[2].split()
        elif lines == ["done"]:
            told = [(value, each) for value in values for each in repeated]
            found += [
                _step(title, at, [line.replace(word, value) for line in each]) for value, (at, each) in told
            ]
            values, repeated = [], []
        elif values and lines:
            repeated.append((number, lines))
        elif lines:
            found.append(_step(title, number, lines))
    return found


def _step(title: str, number: int, lines: list[str]) -> Step:
    match lines:
        case ["..."]:
            return Settle()
        case ["+ host"]:
            return Join()
        case _:
            return _exchange(title, number, lines)


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    block: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _exchange(title: str, number: int, lines: list[str]) -> Exchange:
    request = REQUEST.fullmatch(lines[0])
    ends = [at for at, line in enumerate(lines) if line.startswith("-> ")]
    if request is None or len(ends) != 1:
        raise ValueError(f"line {number}: a request, `-> status`, and what is expected")
    asked, answered = _Half(), _Half()
    for line in lines[1 : ends[0]]:
        asked.take(line)
    for line in lines[ends[0] + 1 :]:
        answered.take(line)
    status = int(lines[ends[0]].removeprefix("-> "))
    return Exchange(
        title,
        number,
        request[1],
        request[2],
        asked.headers,
        asked.body,
        status,
        answered.headers,
        answered.body,
    )


def filled(text: str, names: dict[str, str]) -> str:
    """The text with each `<name>` that is known."""
    return _NAME.sub(lambda found: names.get(found[1], found[0]), text)


def check(expected: object, given: object, names: dict[str, str], where: str = "$") -> None:
    """The answer has what is expected of it; learns the names that are new."""
    match expected:
        case str():
            _check_text(expected, given, names, where)
        case dict():
            assert isinstance(given, dict), f"{where}: {given!r} is no object"
            for key, value in expected.items():
                assert key in given, f"{where}: no {key} among {sorted(given)}"
                check(value, given[key], names, f"{where}.{key}")
        case list():
            assert isinstance(given, list), f"{where}: {given!r} is no list"
            is_open = expected[-1:] == [_ANYTHING]
            wanted = expected[:-1] if is_open else expected
            assert len(given) >= len(wanted) if is_open else len(given) == len(wanted), f"{where}: {given!r}"
            for at, value in enumerate(wanted):
                check(value, given[at], names, f"{where}[{at}]")
        case _:
            assert given == expected, f"{where}: {given!r} is not {expected!r}"
            assert type(given) is type(expected), f"{where}: {given!r} is not {expected!r}"


def _check_text(expected: str, given: object, names: dict[str, str], where: str) -> None:
    if expected == _ANYTHING:
        return
    name = _NAME.fullmatch(expected)
    if name and name[1] not in names:
        assert isinstance(given, str), f"{where}: {given!r} is no text"
        names[name[1]] = given
        return
    wanted = filled(expected, names)
    if wanted.startswith("~"):
        assert isinstance(given, str), f"{where}: {given!r} is no text"
        assert re.search(wanted[1:], given), f"{where}: {given!r} does not match {wanted[1:]}"
    else:
        assert given == wanted, f"{where}: {given!r} is not {wanted!r}"


def json_of(text: str) -> object:
    """The JSON that a file has."""
    found: object = json.loads(text)
    return found
