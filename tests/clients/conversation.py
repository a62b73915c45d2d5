"""Conversations with the `openstack` client as text: what is typed at a prompt, and below it what is expected.

    # What the conversation shows.
    logins: http_basic builtin                 (absent: under every login)

    $ openstack network create n1              the operator types; `anna$` is the person or cloud of that name
    name = n1                                  a field of the record that is printed (-f json), as JSON or as plain text
    id -> net                                  a field that is kept; {net} stands for it further down
    status becomes ACTIVE                      the command is given again until it is so
    created_at ~ 20..-                         a regular expression that is found in the field

    $ openstack network list
    - Name = n1; Subnets = []                  some row of the list is like this
    2 rows                                     so many rows there are
    becomes 0 rows                             so many there are in the end

    $ fairlead alias create a1 ...             Fairlead's own command, for what no client has

    $ openstack server show nobody
    fails: No Server found                     it ends with an error that has these words

    $ openstack console log show sv1
    prints: login:                             plain output with these words

Fields, rows and words that are not named may be there as well. A line that ends in \\ goes on in the next.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.clients.fleets import LOGINS, OPERATOR

SCRIPTS = Path(__file__).with_name("conversations")
_PROMPT = re.compile(r"(\w+)?\$ (openstack|fairlead) (.+)")
_CONDITION = re.compile(r"(.+?) (=|~|->|becomes)(?: (.*))?")
_ROWS = re.compile(r"(becomes )?(\d+) rows?")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a field is to be: `sign` is one of = ~ -> becomes."""

    field: str
    sign: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """Some row of a list fulfils all of these."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """A list has so many rows; `in_the_end`: it comes to have them."""

    rows: int
    in_the_end: bool = False


@dataclass(frozen=True, slots=True)
class Fails:
    """The command ends with an error of these words."""

    words: str


@dataclass(frozen=True, slots=True)
class Prints:
    """The command prints these words, as they are."""

    words: str


Expectation = Condition | Row | Count | Fails | Prints


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command, by whom, and all that is expected of it."""

    line: int
    cloud: str
    program: str
    words: tuple[str, ...]
    expected: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A file of exchanges, and the logins that it is held under."""

    name: str
    logins: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


def conversations(folder: Path = SCRIPTS) -> list[Conversation]:
    """All that are written down there, by name."""
    return [read(path) for path in sorted(folder.glob("*.txt"))]


def read(path: Path) -> Conversation:
    """The conversation of that file. Raises ValueError for a line that is none of the above."""
    logins: tuple[str, ...] = LOGINS
    found: list[Exchange] = []
    for number, line in _lines(path.read_text()):
        prompt = _PROMPT.fullmatch(line)
        if prompt is not None:
            found.append(
                Exchange(number, prompt[1] or OPERATOR, prompt[2], tuple(shlex.split(prompt[3])), ())
            )
        elif line.startswith("logins: ") and not found:
            logins = tuple(line.removeprefix("logins: ").split())
        elif found:
            last = found[-1]
            found[-1] = replace(last, expected=(*last.expected, _expectation(line)))
        else:
            raise ValueError(f"{path.name}:{number}: before the first prompt: {line}")
    return Conversation(path.stem, logins, tuple(found))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with the number of each's first."""
    held = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.endswith("\\"):
            held += line.removesuffix("\\").strip() + " "
            continue
        whole = held + line.strip()
        held = ""
        if whole and not whole.startswith("#"):
            yield number, whole


def _expectation(line: str) -> Expectation:
    count = _ROWS.fullmatch(line)
    if count is not None:
        return Count(int(count[2]), in_the_end=bool(count[1]))
    for mark, kind in (("fails: ", Fails), ("prints: ", Prints)):
        if line.startswith(mark):
            return kind(line.removeprefix(mark))
    if line.startswith("- "):
        return Row(tuple(_condition(part) for part in line.removeprefix("- ").split("; ")))
    return _condition(line)


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"neither a command nor something that is expected of one: {text}")
    return Condition(found[1], found[2], found[3] or "")


def filled(words: Sequence[str], kept: Mapping[str, str]) -> list[str]:
    """The words with what was kept in the place of each {name}."""
    return [re.sub(r"\{(\w+)\}", lambda name: kept.get(name[1], name[0]), word) for word in words]
