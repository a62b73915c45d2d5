"""Whatever is wished, edited and interrupted: what is told is so, and what is so is written down."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fairlead.model.fabric import Member, PartitionMember, Telling, in_one_way, is_told, reconciled
from fairlead.model.infiniband import Membership, PartitionKey, spelt

members = st.builds(
    Member,
    st.sampled_from([spelt(number) for number in range(1, 5)]),
    st.builds(PartitionKey, st.sampled_from([5, 6]), st.sampled_from(Membership)),
)
wishes = st.frozensets(members, max_size=5).map(lambda some: in_one_way(some, ()))
"""Before telling, once written, once read, or not at all."""
ENDS = st.sampled_from(["planned", "written", "read", "settled"])


class Fabric:
    """What the database has, what lies in the file, and what the manager has read."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], PartitionMember] = {}
        self.shown: frozenset[Member] = frozenset()
        self.read: frozenset[Member] = frozenset()

    def tick(self, wanted: frozenset[Member], end: str) -> None:
        for row in reconciled("fabric", wanted, tuple(self.rows.values()), self.shown):
            self.rows[row.guid, row.partition] = row
        if end == "planned":
            return
        self.shown = wanted
        if end == "written":
            return
        self.read = wanted
        if end == "read":
            return
        for place, row in tuple(self.rows.items()):
            if row.telling is Telling.LEAVING:
                del self.rows[place]
            else:
                self.rows[place] = replace(row, telling=Telling.TOLD)


@given(st.lists(st.tuples(wishes, ENDS, st.none() | wishes)), wishes)
def test_what_is_told_is_so_and_what_is_so_is_written_down(hours, last):
    fabric = Fabric()
    for wanted, end, edited in hours:
        fabric.tick(wanted, end)
        for row in fabric.rows.values():
            assert not row.is_settled or row.member in fabric.read
        assert {(m.guid, f"0x{m.partition.key:04x}") for m in fabric.read} <= fabric.rows.keys()
        if edited is not None:
            fabric.shown = edited  # and OpenSM has not read it
    fabric.tick(last, "settled")
    assert fabric.read == fabric.shown == last
    assert {row.member for row in fabric.rows.values() if row.is_settled} == last
    assert all(is_told(member, fabric.rows.values()) for member in last)


@given(wishes, wishes)
def test_nothing_changes_for_what_is_told_and_wished(wanted, shown):
    fabric = Fabric()
    fabric.tick(wanted, "settled")
    assert list(reconciled("fabric", wanted, tuple(fabric.rows.values()), wanted)) == []
    again = {row.member for row in reconciled("fabric", wanted, tuple(fabric.rows.values()), shown)}
    assert wanted - shown <= again


@given(st.frozensets(members), wishes)
def test_nobody_becomes_another_kind_of_member_by_anothers_wish(asked, before):
    fabric = Fabric()
    fabric.tick(before, "settled")
    chosen = in_one_way(asked, fabric.rows.values())
    assert {(m.guid, m.partition.key) for m in chosen} == {(m.guid, m.partition.key) for m in asked}
    assert len(chosen) == len({(m.guid, m.partition.key) for m in asked})
    assert before & asked <= chosen <= asked
