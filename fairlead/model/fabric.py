"""Who is in which partition of a fabric, and what its subnet manager has been told of that."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from fairlead.model.errors import Failure
from fairlead.model.infiniband import Guid, Membership, PartitionKey


@dataclass(frozen=True, slots=True)
class Fabric:
    """A physical network of InfiniBand whose partitions a control process tells to the subnet manager: no port is given
    to a guest there before the manager has been told of it.

    `teller` is that process, `seen_at` when it last looked, `failure` why it cannot tell; None: it can. `told_at` None:
    it has not told anything yet.
    """

    physical_network: str
    teller: str
    seen_at: datetime
    told_at: datetime | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a partition, by GUID."""

    guid: Guid
    partition: PartitionKey


class Telling(Enum):
    """How far the subnet manager has been told of a member: JOINING and LEAVING say that nobody knows, be it
    that control ended between writing and hearing that it was read.
    """

    JOINING = "joining"
    TOLD = "told"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class PartitionMember:
    """A member as the subnet manager of a physical network knows it, or is to. The row is there from before the manager
    is told of the member until after it is told that it is none any more.
    """

    physical_network: str
    guid: Guid
    partition: str
    """Its key, `0x0005`, without the bit of the membership."""
    membership: Membership
    telling: Telling

    @property
    def member(self) -> Member:
        """What the manager is told."""
        return Member(self.guid, PartitionKey(int(self.partition, 16), self.membership))

    @property
    def is_settled(self) -> bool:
        """Whether the manager knows all there is to know of it."""
        return self.telling is Telling.TOLD


def reconciled(
    physical_network: str,
    wanted: Iterable[Member],
    rows: Iterable[PartitionMember],
    shown: Collection[Member],
) -> Iterator[PartitionMember]:
    """The rows that have to change, or to come, before the manager is told anything: `shown` is what it has been told
    by what it reads. What it has and no row knows (the database was restored from a copy) leaves; what was told and
    is not there any more (somebody's editor) joins anew.
    """
    before = {(row.guid, row.partition): row for row in rows}
    asked = {_place(member): member for member in wanted}
    for place, member in asked.items():
        row = before.get(place)
        if row is None or row.member != member or row.telling is Telling.LEAVING:
            yield _row(physical_network, member, Telling.JOINING)
        elif row.is_settled and member not in shown:
            yield replace(row, telling=Telling.JOINING)
    for place, row in before.items():
        if place not in asked and row.telling is not Telling.LEAVING:
            yield replace(row, telling=Telling.LEAVING)
    known = asked.keys() | before.keys()
    for member in shown:
        if _place(member) not in known:
            yield _row(physical_network, member, Telling.LEAVING)


def is_told(member: Member, rows: Iterable[PartitionMember]) -> bool:
    """Whether the manager knows the member."""
    return any(row.is_settled and row.member == member for row in rows)


def in_one_way(members: Iterable[Member], rows: Iterable[PartitionMember]) -> frozenset[Member]:
    """One for each GUID and partition. VFs of mlx4 share what their PF's port is: where full and limited members are
    asked of it, it stays what it is, so that nobody's guest becomes more or less by another's, and else is limited. The
    others wait.
    """
    asked: defaultdict[tuple[Guid, str], set[Membership]] = defaultdict(set)
    last: dict[tuple[Guid, str], Member] = {}
    for member in members:
        asked[_place(member)].add(member.partition.membership)
        last[_place(member)] = member
    now = {(row.guid, row.partition): row.membership for row in rows}
    return frozenset(
        replace(member, partition=replace(member.partition, membership=_chosen(asked[place], now.get(place))))
        for place, member in last.items()
    )


def _chosen(asked: Collection[Membership], now: Membership | None) -> Membership:
    if now is not None and now in asked:
        return now
    return Membership.LIMITED if Membership.LIMITED in asked else Membership.FULL


def _row(physical_network: str, member: Member, telling: Telling) -> PartitionMember:
    return PartitionMember(physical_network, *_place(member), member.partition.membership, telling)


def _place(member: Member) -> tuple[Guid, str]:
    return member.guid, f"0x{member.partition.key:04x}"
