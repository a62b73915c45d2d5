"""What a shell offers for an argument: names that control knows, and the keys of --nic.

A shell waits while this runs: control has a second, and when it does not answer nothing is offered.
"""

from collections.abc import Callable

import click

from fairlead.cli.lookup import listed
from fairlead.cli.nics import KEYS
from fairlead.client.session import ClientError, Session
from fairlead.model.port import VnicType

VNIC_TYPES = tuple(sorted(kind.value for kind in VnicType))
Complete = Callable[[click.Context, click.Parameter, str], list[str]]

_ANSWER_SECONDS = 1.0
_COLLECTIONS = {
    "server": "/compute/v2.1/servers",
    "flavor": "/compute/v2.1/flavors",
    "image": "/image/v2/images",
    "network": "/network/v2.0/networks",
    "subnet": "/network/v2.0/subnets",
    "port": "/network/v2.0/ports",
    "QoS policy": "/network/v2.0/qos/policies",
    "port profile": "/network/v2.0/port-profiles",
    "host": "/v1/hosts",
    "policy": "/v1/policies",
    "alias": "/v1/aliases",
    "fabric": "/v1/fabrics",
}
_TRUTHS = ("true", "false")


def completes(word: str) -> Complete:
    """Completion with the names of all things of that glossary word."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        return [name for name in _names(context, word) if name.startswith(incomplete)]

    return complete


def complete_nic(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The keys of --nic that are not given yet, and the values of those that have known ones."""
    given, comma, last = incomplete.rpartition(",")
    key, equals, value = last.partition("=")
    if equals:
        return [f"{given}{comma}{key}={known}" for known in _values(context, key) if known.startswith(value)]
    used = {pair.partition("=")[0] for pair in given.split(",")}
    words = (word.replace("_", "-") for word in sorted(KEYS))
    return [f"{given}{comma}{word}=" for word in words if word.startswith(last) and word not in used]


def _values(context: click.Context, key: str) -> tuple[str, ...]:
    match key.replace("_", "-"):
        case "vnic-type":
            return VNIC_TYPES
        case "trusted":
            return _TRUTHS
        case "network" | "port" | "alias":
            return _names(context, key)
        case "qos-policy":
            return _names(context, "QoS policy")
        case "port-profile":
            return _names(context, "port profile")
        case _:
            return ()


def _names(context: click.Context, word: str) -> tuple[str, ...]:
    """Sorted; none where control does not answer at once."""
    url = str(context.find_root().params.get("url") or "")
    try:
        with Session(url, answer_seconds=_ANSWER_SECONDS) as session:
            records = listed(session, _COLLECTIONS[word])
    except ClientError:
        return ()
    names = (record.get("name") or record.get("physical_network") for record in records)
    return tuple(sorted({str(name) for name in names if name}))
