"""From what a person types, a name or an id, to the thing that is meant."""

import re
from collections import deque
from collections.abc import Callable
from typing import cast

from fairlead.client.session import ClientError, Json, Session

_COMMANDS = {"QoS policy": "qos", "port profile": "port-profile"}
"""The command of a word, where it is not the word itself."""
_KEYS: dict[str, Callable[[str], str]] = {"id": str, "name": str, "cidr": str, "mac_address": str.lower}
"""What a thing may be called by, as control has it: an id before a name, and that before what only subnets, or ports,
have.
"""
_DIGITS = 8
"""Of an id, its first so many do where nothing else begins so."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find(session: Session, collection: str, word: str, wanted: str) -> Json:
    """What `choose` finds in a collection, such as /network/v2.0/ports."""
    return choose(listed(session, collection), word, wanted)


def choose(records: list[Json], word: str, wanted: str) -> Json:
    """The one record whose id or name, a subnet's CIDR or a port's MAC, is `wanted`, or else whose id begins so.

    `word` is the glossary's, for messages. Raises ClientError when there is none, or more than one.
    """
    hits = (
        [record for record in records if record.get(key) == as_kept(wanted)] for key, as_kept in _KEYS.items()
    )
    found = next(filter(None, hits), []) or _beginning(records, wanted)
    if not found:
        raise ClientError(
            f"There is no {word} '{wanted}'.",
            code="not_found",
            hint=f"`fairlead {_COMMANDS.get(word, word)} list` shows what there is.",
        )
    if len(found) > 1:
        ids = ", ".join(str(record["id"]) for record in found)
        raise ClientError(
            f"'{wanted}' means more than one {word}: {ids}.",
            code="ambiguous",
            hint="Give the id of the one you mean.",
        )
    return found[0]


def _beginning(records: list[Json], wanted: str) -> list[Json]:
    if len(wanted) < _DIGITS:
        return []
    return [record for record in records if str(record.get("id")).startswith((wanted, wanted.lower()))]


def listed(session: Session, collection: str, params: dict[str, str] | None = None) -> list[Json]:
    """All records of a collection: the one list in the answer's object."""
    answer = session.get(collection, params)
    return cast("list[Json]", next(value for value in answer.values() if isinstance(value, list)))


def find_id(session: Session, collection: str, word: str, wanted: str) -> str:
    """The id of what `find` finds; an id that nothing has now is taken as it stands, for what is gone has events."""
    try:
        return str(find(session, collection, word, wanted)["id"])
    except ClientError as error:
        if error.code == "not_found" and _ID.fullmatch(wanted):
            return wanted
        raise


def names(session: Session, collection: str) -> dict[str, str]:
    """By id, the name of each record of a collection, its id where it has none."""
    return {
        str(record["id"]): str(record.get("name") or record["id"]) for record in listed(session, collection)
    }


def newest_events(session: Session, params: dict[str, str], limit: int) -> list[Json]:
    """The newest events, oldest of them first: control gives them page by page, the oldest page first."""
    newest: deque[Json] = deque(maxlen=limit)
    after = "0"
    while page := listed(session, "/v1/events", {**params, "after": after}):
        newest.extend(page)
        after = str(page[-1]["id"])
    return list(newest)
