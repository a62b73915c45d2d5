"""From what a person types, a name or an id, to the thing that is meant."""

from typing import cast

from fairlead.client.session import ClientError, Json, Session


def find(session: Session, collection: str, word: str, wanted: str) -> Json:
    """The one record of `collection` (such as /network/v2.0/ports) whose id or name is `wanted`.

    `word` is the glossary's, for messages. Raises ClientError when there is none, or more than one.
    """
    records = listed(session, collection)
    found = [record for record in records if record["id"] == wanted] or [
        record for record in records if record.get("name") == wanted
    ]
    if not found:
        raise ClientError(
            f"There is no {word} '{wanted}'.",
            code="not_found",
            hint=f"`fairlead {word} list` shows what there is.",
        )
    if len(found) > 1:
        ids = ", ".join(str(record["id"]) for record in found)
        raise ClientError(
            f"'{wanted}' is the name of {len(found)} {word}s: {ids}.",
            code="ambiguous",
            hint="Give the id of the one you mean.",
        )
    return found[0]


def listed(session: Session, collection: str, params: dict[str, str] | None = None) -> list[Json]:
    """All records of a collection: the one list in the answer's object."""
    answer = session.get(collection, params)
    return cast("list[Json]", next(value for value in answer.values() if isinstance(value, list)))
