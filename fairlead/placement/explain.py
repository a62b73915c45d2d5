"""A decision in words: host by host what was asked for, what there was, who holds it, what would help."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fairlead.model.ids import DeviceId, HostId
from fairlead.placement.boundary import HostRejection, Reason, ReasonCode, Rejected

Holders = Mapping[DeviceId, tuple[str, ...]]
"""Who holds devices of a family (by its id), in words: "server web-1 (port p1)"."""

SUMMARY_LENGTH = 1000
_NAMED = 3
_PLURALS = {"lacks": "lack", "has": "have", "is": "are"}


@dataclass(frozen=True, slots=True)
class ReasonExplained:
    """One reason of one host. `asked` and `had` are counts in the unit that `message` names; `holders` are all who hold
    what is lacking; `hint` is what would help, "": nothing would.
    """

    code: ReasonCode
    message: str
    asked: int
    had: int
    holders: tuple[str, ...]
    hint: str


@dataclass(frozen=True, slots=True)
class HostExplained:
    """Every reason of one host."""

    host_id: HostId
    host_name: str
    reasons: tuple[ReasonExplained, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why no host takes a server: one paragraph, then host by host in name order."""

    summary: str
    hosts: tuple[HostExplained, ...]


def explain(subject: str, rejected: Rejected, holders: Holders) -> Explanation:
    """All of it in words; `subject` is what was to be placed: "server web-1"."""
    hosts = tuple(_host(rejection, holders) for rejection in rejected.hosts)
    return Explanation(summary(subject, rejected, holders), hosts)


def families(rejected: Rejected) -> frozenset[DeviceId]:
    """The families whose holders an explanation names, for whoever looks them up."""
    return frozenset(
        family for host in rejected.hosts for reason in host.reasons for family in reason.families
    )


def summary(subject: str, rejected: Rejected, holders: Holders, limit: int = SUMMARY_LENGTH) -> str:
    """One paragraph of at most `limit` characters: the lacks that most hosts have first, each host counted
    once, by its first reason; the hosts that were not asked for only if nothing else is to be said.
    """
    if not rejected.hosts:
        return f"No host can take {subject}: there is no host. Try: fairlead host enrol <name>"[:limit]
    meant = _meant(rejected.hosts)
    if not meant:
        asked = rejected.hosts[0].reasons[0].message
        return f"No host can take {subject}: {asked}, and there is none of that name."[:limit]
    groups = _groups(meant)
    count = f"of {len(meant)} hosts, " if len(meant) > 1 else f"host {meant[0].host_name} "
    parts = [_group(group, holders, alone=len(meant) == 1) for group in groups]
    hint = next((group[0].hint for group in groups if group[0].hint), "")
    return _joined(f"No host can take {subject}: {count}", parts, f" Try: {hint}" if hint else "", limit)


def _meant(hosts: Sequence[HostRejection]) -> list[HostRejection]:
    return [host for host in hosts if host.reasons[0].code is not ReasonCode.NOT_ASKED_FOR]


def _groups(hosts: Sequence[HostRejection]) -> list[list[Reason]]:
    """First reasons that say the same of several hosts, most hosts first."""
    found: dict[str, list[Reason]] = {}
    for host in hosts:
        found.setdefault(host.reasons[0].about, []).append(host.reasons[0])
    return sorted(found.values(), key=lambda group: (-len(group), group[0].about))


def _group(group: Sequence[Reason], holders: Holders, *, alone: bool) -> str:
    details = [*_counts(group), *_held(group, holders)]
    about = group[0].about if len(group) == 1 else _plural(group[0].about)
    who = "" if alone else f"{len(group)} "
    return f"{who}{about}" + (f" ({'; '.join(details)})" if details else "")


def _counts(group: Sequence[Reason]) -> Iterator[str]:
    if group[0].asked:
        least, most = min(reason.had for reason in group), max(reason.had for reason in group)
        had = str(least) if least == most else f"{least} to {most}"
        yield f"asked {group[0].asked}, free {had}"


def _held(group: Sequence[Reason], holders: Holders) -> Iterator[str]:
    names = list(dict.fromkeys(name for reason in group for name in _holders(reason, holders)))
    if names:
        rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"held by {', '.join(names[:_NAMED])}{rest}"


def _plural(about: str) -> str:
    """The words of one host, for several: "lacks x" becomes "lack x"."""
    verb, _, rest = about.partition(" ")
    return f"{_PLURALS.get(verb, verb)} {rest}"


def _joined(start: str, parts: Sequence[str], end: str, limit: int) -> str:
    """As many parts as there is room for, the rest counted."""
    for kept in range(len(parts), 0, -1):
        left = len(parts) - kept
        text = start + ", ".join(parts[:kept]) + (f", and {left} more" if left else "") + "." + end
        if len(text) <= limit:
            return text
    return f"{start}{parts[0]}"[: limit - 3] + "..."


def _host(rejection: HostRejection, holders: Holders) -> HostExplained:
    reasons = tuple(
        ReasonExplained(
            reason.code, reason.message, reason.asked, reason.had, _holders(reason, holders), reason.hint
        )
        for reason in rejection.reasons
    )
    return HostExplained(rejection.host_id, rejection.host_name, reasons)


def _holders(reason: Reason, holders: Holders) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for family in reason.families for name in holders.get(family, ())))
