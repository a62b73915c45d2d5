"""Tags of networks, subnets, ports and QoS policies: words that people attach."""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Protocol, TypeVar

from fairlead.control.boundary import Rows, Tx
from fairlead.control.changes import Revised, check_revision
from fairlead.model.errors import InvalidValue, NotFound

MOST_TAGS = 50
LONGEST_TAG = 255

Tags = tuple[str, ...]


class Labelled(Revised, Protocol):
    """A row with tags."""

    @property
    def tags(self) -> Tags:
        """In the order in which they came."""
        ...


Row = TypeVar("Row", bound=Labelled)


class Tagged(Enum):
    """What can have tags; the value is Neutron's collection."""

    NETWORK = "networks"
    SUBNET = "subnets"
    PORT = "ports"
    QOS_POLICY = "policies"


def read(tx: Tx, noun: Tagged, key: str) -> Tags:
    """The tags, in the order in which they came; raises NotFound."""
    match noun:
        case Tagged.NETWORK:
            return tx.networks.fetch(key).tags
        case Tagged.SUBNET:
            return tx.subnets.fetch(key).tags
        case Tagged.PORT:
            return tx.ports.fetch(key).tags
        case Tagged.QOS_POLICY:
            return tx.qos_policies.fetch(key).tags


def change(
    tx: Tx, noun: Tagged, key: str, changed: Callable[[Tags], Tags], revision: int | None = None
) -> Tags:
    """The tags that `changed` makes of those there are, each once. Raises NotFound, InvalidValue, Conflict
    `revision`.
    """
    match noun:
        case Tagged.NETWORK:
            return _change(tx, tx.networks, replace, key, changed, revision)
        case Tagged.SUBNET:
            return _change(tx, tx.subnets, replace, key, changed, revision)
        case Tagged.PORT:
            return _change(tx, tx.ports, replace, key, changed, revision)
        case Tagged.QOS_POLICY:
            return _change(tx, tx.qos_policies, replace, key, changed, revision)


def without(tags: Tags, tag: str) -> Tags:
    """The other tags; raises NotFound when it is not among them."""
    if tag not in tags:
        raise NotFound("tag", tag)
    return tuple(other for other in tags if other != tag)


def _change(
    tx: Tx,
    rows: Rows[Row],
    replaced: Callable[..., Row],
    key: str,
    changed: Callable[[Tags], Tags],
    revision: int | None,
) -> Tags:
    row = rows.lock(key)
    check_revision(row, revision)
    tags = _checked(changed(row.tags))
    rows.put(replaced(row, tags=tags, updated_at=tx.now))
    return tags


def _checked(tags: Tags) -> Tags:
    once = tuple(dict.fromkeys(tags))
    if len(once) > MOST_TAGS:
        raise InvalidValue("tags", len(once), f"at most {MOST_TAGS} tags")
    if bad := [tag for tag in once if not 1 <= len(tag) <= LONGEST_TAG]:
        raise InvalidValue("tags", bad[0], f"a tag of 1 to {LONGEST_TAG} characters")
    return once
