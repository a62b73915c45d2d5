"""Generations of hosts' desired states: numbers that only grow, and that are times as well.

A database that is restored from a copy has forgotten the generations that it gave since. Were they counted, it
would give the same numbers again, for other documents, and an agent that has such a number would never ask.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fairlead.control.boundary import Tx, host_wake
from fairlead.model.errors import InvalidValue
from fairlead.model.host import Host

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AHEAD = timedelta(days=1)
"""How far clocks of control may differ, and so a generation that was truly given be ahead of this one's."""


def following(tx: Tx, host: Host) -> int:
    """The generation after the host's own: this transaction's time in milliseconds since 1970, or one more than
    the host's where that is later. The same whenever it is asked for of the same host in one transaction.
    """
    return max(host.generation + 1, _milliseconds(tx.now))


def check_given(tx: Tx, generation: int) -> None:
    """Raises InvalidValue for a generation that an agent says it has and that control cannot have given: more than a
    day ahead. Believed, it would be the least that the host's next ones could be, for ever.
    """
    most = _milliseconds(tx.now + _AHEAD)
    if generation > most:
        raise InvalidValue(
            "generation",
            generation,
            f"one that control has given: milliseconds since 1970, {most} at most now. Is control's clock right?",
        )


def advance(tx: Tx, host: Host) -> Host:
    """The locked host with the following generation: its desired state has changed, and its agent is woken to
    ask for it.
    """
    tx.wakes.add(host_wake(host.id))
    return tx.hosts.put(replace(host, generation=following(tx, host)))


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
